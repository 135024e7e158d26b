//! How fast `Csv::rows()` encodes 100,000 rows of 50 floats, against the `csv` crate's writer and against a floor: the
//! text of the numbers alone in one buffer, with no separators, checks or Python form.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;
use std::time::Duration;

use sagemaker::codec::{Csv, Serializer};

const ROWS: usize = 100_000;
const COLUMNS: usize = 50;
const ROUNDS: usize = 7;

type Table = Vec<Vec<f64>>;

/// Encodes the table and tells the length of the text.
type Encode = fn(&Table) -> usize;

fn main() {
    let rows = table();
    let candidates: [(&str, Encode); 4] = [
        ("floor (zmij alone)", floor),
        ("Csv::rows()", ours),
        ("csv write_record", peer_fields),
        ("csv serialize", peer_serde),
    ];
    // Alternating, so that a busy moment of the machine hits all alike; the first round warms up.
    let mut times = [const { Vec::new() }; 4];
    let mut sizes = [0; 4];
    for round in 0..=ROUNDS {
        for (i, (_, encode)) in candidates.iter().enumerate() {
            let (time, size) = timed(|| encode(&rows));
            sizes[i] = size;
            if round > 0 {
                times[i].push(time);
            }
        }
    }
    let medians = times.map(median);
    println!("{ROWS} rows of {COLUMNS} floats, median of {ROUNDS} rounds");
    for (((name, _), time), size) in candidates.iter().zip(medians).zip(sizes) {
        let rate = (ROWS * COLUMNS) as f64 / time.as_secs_f64() / 1e6;
        let ratio = time.as_secs_f64() / medians[1].as_secs_f64();
        println!("{name:<20} {time:>9.1?} {rate:>6.1} M floats/s {:>4} MB  {ratio:.2} x Csv::rows()", size / 1_000_000);
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn timed(run: impl FnOnce() -> usize) -> (Duration, usize) {
    let start = std::time::Instant::now();
    let size = black_box(run());
    (start.elapsed(), size)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// Numbers between 0 and 1000 with all their digits, the same in each run.
fn table() -> Table {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64 * 1000.0
    };
    (0..ROWS).map(|_| (0..COLUMNS).map(|_| next()).collect()).collect()
}

fn ours(rows: &Table) -> usize {
    Csv::rows().serialize(black_box(rows)).expect("finite rows of one length").len()
}

fn floor(rows: &Table) -> usize {
    let mut out = Vec::new();
    let mut buffer = zmij::Buffer::new();
    for value in black_box(rows).iter().flatten() {
        out.extend_from_slice(buffer.format_finite(*value).as_bytes());
    }
    black_box(&out).len()
}

fn peer_fields(rows: &Table) -> usize {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut buffer = zmij::Buffer::new();
    for row in black_box(rows) {
        for value in row {
            writer.write_field(buffer.format_finite(*value)).expect("a Vec takes all");
        }
        writer.write_record(None::<&[u8]>).expect("a Vec takes all");
    }
    writer.into_inner().expect("a Vec takes all").len()
}

fn peer_serde(rows: &Table) -> usize {
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(Vec::new());
    for row in black_box(rows) {
        writer.serialize(row).expect("a Vec takes all");
    }
    writer.into_inner().expect("a Vec takes all").len()
}
