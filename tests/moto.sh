#!/usr/bin/env bash
# Runs this crate's own flows against `moto_server`. Usage: tests/moto.sh FOLDER_OF_THE_VIRTUAL_ENVIRONMENT
set -euo pipefail
environment=$1
log=$(mktemp)
"$environment/bin/moto_server" --host 127.0.0.1 --port 0 >"$log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null; rm -f "$log"' EXIT
for _ in $(seq 100); do
    MOTO_URL=$(grep -o 'http://127.0.0.1:[0-9]*' "$log" | head -n 1) && break
    sleep 0.1
done
export MOTO_URL
${CARGO:-cargo} test --test it moto:: -- --ignored
