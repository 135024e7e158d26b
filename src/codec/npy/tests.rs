use proptest::prelude::*;

use super::*;
use crate::codec::csv::Matrix;

/// Written by NumPy 2.4.6 with `numpy.save`.
const I64: &str = "934e554d5059010076007b276465736372273a20273c6938272c2027666f727472616e5f6f72646572273a2046616c73652c20277368617065273a2028322c2032292c207d";

fn read<T: Element>(body: impl Into<Bytes>) -> Result<NpyArray<T>> {
    Npy::array_of().deserialize(body.into(), &ContentType::NPY)
}

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [b"\x93NUMPY\x01\0", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

#[test]
fn the_header_is_numpy_s() {
    let body = Npy::array().serialize(&[[1_i64, 2], [3, 4]]).unwrap();
    let hex: String = body.iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(hex.starts_with(I64), "{hex}");
    assert_eq!(body.len(), 128 + 32);
    assert!(body[..127].ends_with(b"   ") && body[127] == b'\n');
    assert_eq!(body[128..136], [1, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn shapes() {
    let numbers = [1.0_f32, 2.0, 3.0, 4.0];
    assert_eq!(read::<f32>(Npy::array().serialize(&numbers).unwrap()).unwrap().shape(), [4]);
    assert_eq!(read::<f32>(Npy::array().serialize(&[numbers]).unwrap()).unwrap().shape(), [1, 4]);
    assert_eq!(
        read::<f32>(Npy::array().serialize(&Matrix::new(&numbers, 2).unwrap()).unwrap()).unwrap().shape(),
        [2, 2]
    );
    let single = NpyArray::new([], vec![2.5]).unwrap();
    assert_eq!(read::<f64>(Npy::array().serialize(&single).unwrap()).unwrap(), single);
    assert!(Npy::array().serialize(&vec![vec![1.0], vec![]]).is_err());
}

#[test]
fn other_writers_files_are_read() {
    let fortran = "{'shape': (2, 3), 'fortran_order': True, 'descr': \"<u1\"}";
    let array = read::<f64>(file(fortran, &[1, 4, 2, 5, 3, 6])).unwrap();
    assert_eq!(array.into_values(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let big = "{'descr': '>i2', 'fortran_order': False, 'shape': (2L,), }\n";
    assert_eq!(read::<i32>(file(big, &[1, 0, 0xff, 0xff])).unwrap().values(), [256, -1]);
    let bools = "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }";
    assert_eq!(read::<u8>(file(bools, &[1, 0])).unwrap().values(), [1, 0]);
    let version_2 = [b"\x93NUMPY\x02\0", &(bools.len() as u32).to_le_bytes()[..], bools.as_bytes(), &[1, 1]].concat();
    assert_eq!(read::<u8>(version_2).unwrap().values(), [1, 1]);
}

#[test]
fn what_is_refused() {
    let header = |descr: &str, shape: &str| format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    for (body, reason) in [
        (b"1,2".to_vec(), "does not begin as one"),
        (b"\x93NUMPY\x01".to_vec(), "ends within its header"),
        (b"\x93NUMPY\x01\0\xff\xff{".to_vec(), "ends within its header"),
        (file("{}", &[]), "not understood"),
        (file(&header("[('a', '<f4')]", "(1,)"), &[0; 4]), "not understood"),
        (file(&header("'<U2'", "(1,)"), &[0; 8]), "\"<U2\", which are no numbers"),
        (file(&header("'|O'", "(1,)"), &[0; 8]), "no numbers"),
        (file(&header("'<f4'", "(2,)"), &[0; 4]), "does not have 4 bytes"),
        (file(&header("'<f4'", "(9223372036854775807, 9223372036854775807)"), &[0; 4]), "does not have 4 bytes"),
    ] {
        let error = read::<f64>(body).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Deserialization);
        assert!(error.to_string().contains(reason), "{error}");
    }
    let halves = Npy::array().serialize(&[0.5]).unwrap();
    assert!(read::<i64>(halves).unwrap_err().to_string().contains("number 0 has no form as i64"));
    let large = Npy::array().serialize(&[300]).unwrap();
    assert!(read::<u8>(large).is_err());
}

proptest! {
    #[test]
    fn arrays_come_back(values in proptest::collection::vec(any::<i64>(), 24)) {
        let array = NpyArray::new([2, 3, 4], values).unwrap();
        prop_assert_eq!(read::<i64>(Npy::array().serialize(&array).unwrap()).unwrap(), array);
    }

    #[test]
    fn floats_come_back(values: Vec<f64>) {
        let back = read::<f64>(Npy::array().serialize(&values).unwrap()).unwrap();
        prop_assert_eq!(back.values().iter().map(|value| value.to_bits()).collect::<Vec<_>>(), values.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
    }

    #[test]
    fn no_bytes_panic(junk: Vec<u8>, header: String, shape: Vec<usize>) {
        let _ = read::<f64>(junk.clone());
        let _ = read::<f64>(file(&header, &junk));
        let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let _ = read::<f32>(file(&format!("{{'descr': '<f4', 'fortran_order': True, 'shape': ({shape})}}"), &junk));
    }
}
