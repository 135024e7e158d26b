#!/usr/bin/env bash
# Clean debug build of a program that depends on this crate with default features, beside one that depends on the four
# AWS crates alone, in one run. Cargo starts crates of equal rank in an order that differs from run to run, and its luck
# with the largest of them is worth half a minute: so both are built several times in turn, and the least of each counts.
# Needs an idle machine and about five minutes a round. Usage: benches/build_time.sh [rounds, 3 unless told]
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset CARGO_TARGET_DIR
export CARGO_PROFILE_DEV_DEBUG=line-tables-only CARGO_INCREMENTAL=0

# The same versions as this crate is locked to.
program() {
    mkdir -p "$work/$1/src"
    echo 'fn main() {}' >"$work/$1/src/main.rs"
    printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n%s\n' "$1" "$2" >"$work/$1/Cargo.toml"
    cp "$here/Cargo.lock" "$work/$1/Cargo.lock"
    (cd "$work/$1" && cargo fetch --quiet)
}

features='default-features = false, features = ["rt-tokio", "default-https-client", "behavior-version-latest"]'
aws=""
for crate in sagemaker sagemakerruntime s3 cloudwatchlogs; do
    aws+="aws-sdk-$crate = { version = \"1\", $features }"$'\n'
done
program aws-alone "$aws"
program with-this-crate "sagemaker = { path = \"$here\" }"

seconds() {
    local started
    rm -rf "$work/$1/target"
    started=$(date +%s.%N)
    (cd "$work/$1" && cargo build --quiet --offline)
    echo "$(date +%s.%N) - $started" | bc
}

least() {
    sort -n "$work/$1.times" | head -n 1
}

for round in $(seq "${1:-3}"); do
    for program in aws-alone with-this-crate; do
        seconds $program >>"$work/$program.times"
        echo "round $round, $program: $(tail -n 1 "$work/$program.times") s"
    done
done
printf 'four AWS crates alone  %6.1f s\nthis crate             %6.1f s\nratio                  %6.3f\n' \
    "$(least aws-alone)" "$(least with-this-crate)" "$(echo "$(least with-this-crate) / $(least aws-alone)" | bc -l)"
