#!/bin/sh
# Stands in for rustc (RUSTC_WRAPPER): what a fuzzer needs to see goes into this crate and the parsers below it, not into
# the AWS SDK, which takes most of the time to build. See README.md.
rustc=$1
shift
seen=' sagemaker hessboost s3s ciborium csv csv_core tar serde_json aws_smithy_xml '
name=
previous=
for argument in "$@"; do
    [ "$previous" = --crate-name ] && name=$argument
    previous=$argument
done
case "$seen" in
*" $name "*)
    exec "$rustc" "$@" --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
*) exec "$rustc" "$@" --cfg fuzzing ;;
esac
