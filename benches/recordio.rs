//! How fast a record set of 100,000 rows of 50 `f32` is encoded, against a copy of the same bytes in memory.
//!
//! `benches/recordio/compare.py` runs it and the SageMaker Python SDK one after the other, and says how they compare.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;
use std::time::Duration;

use sagemaker::codec::csv::Matrix;
use sagemaker::codec::{Deserializer, RecordIo, Serializer};
use sagemaker::types::ContentType;

const ROWS: usize = 100_000;
const COLUMNS: usize = 50;
const ROUNDS: usize = 15;

fn main() {
    let numbers: Vec<f32> = (0..ROWS * COLUMNS).map(|index| index as f32 * 0.37 % 1000.0).collect();
    let labels: Vec<f32> = (0..ROWS).map(|index| (index % 2) as f32).collect();
    let matrix = match Matrix::new(&numbers, COLUMNS) {
        Ok(matrix) => matrix,
        Err(error) => return println!("{error}"),
    };
    // What comes out is kept from the optimiser, which would leave out a copy that nobody looks at.
    let encode = || RecordIo::rows().serialize(&matrix).map_or(0, |body| black_box(body).len());
    let encode_labelled =
        || RecordIo::labelled_rows().serialize(&(matrix, &labels)).map_or(0, |body| black_box(body).len());
    let body = RecordIo::rows().serialize(&matrix).unwrap_or_default();
    let copy = || black_box(body.to_vec()).len();
    let decode =
        || RecordIo::records().deserialize(body.clone(), &ContentType::RECORDIO_PROTOBUF).map_or(0, |all| all.len());

    let candidates: [(&str, &dyn Fn() -> usize); 3] =
        [("copy", &copy), ("encode", &encode), ("encode_labelled", &encode_labelled)];
    // Alternating, so that a busy moment of the machine hits all alike, and the least of each counts, as others on the
    // machine can only add to it; the first round warms up.
    let mut times = [const { Vec::new() }; 3];
    for round in 0..=ROUNDS {
        for (index, (_, run)) in candidates.iter().enumerate() {
            let time = timed(run);
            if round > 0 {
                times[index].push(time);
            }
        }
    }
    // By itself: it gives so much memory back that whatever came next would have to ask the system for it anew.
    let decoding = (0..ROUNDS).map(|_| timed(decode)).collect();
    println!("{ROWS} rows of {COLUMNS} f32, {} bytes, least of {ROUNDS} rounds", body.len());
    let names = candidates.iter().map(|(name, _)| *name).chain(["decode"]);
    for (name, times) in names.zip(times.into_iter().chain([decoding])) {
        let seconds = times.into_iter().min().unwrap_or_default().as_secs_f64();
        println!("{name} {seconds:.6} s {:.0} MB/s", body.len() as f64 / seconds / 1e6);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn timed(run: impl FnOnce() -> usize) -> Duration {
    let start = std::time::Instant::now();
    black_box(run());
    start.elapsed()
}
