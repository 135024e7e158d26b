#!/usr/bin/env bash
# Runs the flow of each client against `sagemaker-local`, all at the same time on one backend.
# Usage: tests/clients/run.sh PATH_OF_SAGEMAKER_LOCAL FOLDER_OF_THE_VIRTUAL_ENVIRONMENT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
server=$1
environment=$2
work=$(mktemp -d)

"$server" --port 0 >"$work/server.log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null; rm -rf "$work"' EXIT
for _ in $(seq 100); do
    [ -s "$work/server.log" ] && break
    sleep 0.1
done

# Nothing of the caller's own set-up may reach the clients.
for name in $(env | grep -o '^AWS_[A-Z_]*' || true); do unset "$name"; done
AWS_ENDPOINT_URL=$(head -n 1 "$work/server.log")
export AWS_ENDPOINT_URL AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_DEFAULT_REGION=us-east-1
export AWS_CONFIG_FILE="$work/none" AWS_SHARED_CREDENTIALS_FILE="$work/none" HOME="$work"
export PATH="$environment/bin:$PATH" PYTHONWARNINGS=ignore PYTHONDONTWRITEBYTECODE=1

cd "$here"
declare -A flows=([boto3]="python boto3_flow.py" [aws-cli]="bash aws_cli_flow.sh" [python-sdk]="python python_sdk_flow.py")
declare -A pids=()
for name in "${!flows[@]}"; do
    ${flows[$name]} >"$work/$name.log" 2>&1 &
    pids[$name]=$!
done
failed=0
for name in "${!pids[@]}"; do
    if wait "${pids[$name]}"; then
        tail -n 1 "$work/$name.log"
    else
        echo "== $name failed"
        tail -n 40 "$work/$name.log"
        failed=1
    fi
done
exit $failed
