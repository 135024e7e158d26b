#!/usr/bin/env python3
"""Encodes 100,000 rows of 50 float32 with the SageMaker Python SDK and with this crate, in one run.

    pip install sagemaker==2.257.7
    cargo bench --bench recordio --no-run
    python3 benches/recordio/compare.py target/release/deps/recordio-*

Exits with 1 unless this crate is at least 50 times as fast and at a quarter of the rate of a copy in memory.
"""

import io
import os
import re
import subprocess
import sys
import time

import numpy as np
from sagemaker.amazon.common import write_numpy_to_dense_tensor

ROWS, COLUMNS = 100_000, 50


def python_seconds():
    numbers = (np.arange(ROWS * COLUMNS) * 0.37 % 1000).astype("float32").reshape(ROWS, COLUMNS)
    times = []
    for _ in range(3):
        file = io.BytesIO()
        start = time.perf_counter()
        write_numpy_to_dense_tensor(file, numbers)
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    programs = [path for path in sys.argv[1:] if os.access(path, os.X_OK) and not path.endswith(".d")]
    program = max(programs, key=os.path.getmtime)
    text = subprocess.run([program, "--bench"], check=True, capture_output=True, text=True).stdout
    print(text, end="")
    ours = {name: float(seconds) for name, seconds in re.findall(r"^(\w+) ([\d.]+) s", text, re.M)}
    python = python_seconds()
    print(f"python {python:.6f} s")
    times, share = python / ours["encode"], ours["copy"] / ours["encode"]
    print(f"{times:.0f} x the Python SDK's rate (at least 50), {share:.2f} of a copy's (at least 0.25)")
    return 0 if times >= 50 and share >= 0.25 else 1


if __name__ == "__main__":
    sys.exit(main())
