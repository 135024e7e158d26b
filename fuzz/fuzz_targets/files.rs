//! Any bytes as a file that a job reads: archives, manifests, and what a log is searched with.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sagemaker::local::fuzzing;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 6 {
        0 => fuzzing::unpack(bytes),
        // Most bytes are no gzip: these are packed first, so that what is inside is looked at.
        1 => fuzzing::unpack(&gzip(bytes)),
        2 => fuzzing::gunzip(bytes),
        3 => fuzzing::manifest(bytes),
        4 => fuzzing::split_records(bytes),
        _ => {
            if let Ok(text) = std::str::from_utf8(bytes) {
                fuzzing::expressions(text);
            }
        }
    }
});

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(bytes).expect("memory");
    packed.finish().expect("memory")
}
