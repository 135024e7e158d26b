"""Packing and uploading a source tree of 500 MiB: this crate beside the Python SDK, to the same local server, in one run.

Usage: python benches/source_dir/compare.py SAGEMAKER_LOCAL RUST_CLIENT [--mib 500] [--times 3]
SAGEMAKER_LOCAL is the program, RUST_CLIENT the built bench `source_dir` (`cargo bench --bench source_dir --no-run`), both
release builds. Needs sagemaker 2.257.7 and boto3 in the Python that runs it.

Half of the tree is text (Python's own library, over and over), half is noise, as the weights of a model are.
"""

import argparse
import os
import pathlib
import random
import re
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time

MIB = 1024 * 1024


def make_tree(root, size):
    (root / "train.py").write_text("print('training')\n")
    library = sorted(pathlib.Path(sysconfig.get_path("stdlib")).glob("*.py"))
    texts = [path.read_bytes() for path in library]
    written, round_ = 0, 0
    while written < size // 2:
        folder = root / f"package{round_}"
        folder.mkdir()
        for path, text in zip(library, texts):
            (folder / path.name).write_bytes(text)
            written += len(text)
        round_ += 1
    noise = random.Random(1)
    for number in range(size // 2 // (10 * MIB)):
        (root / f"weights{number}.bin").write_bytes(noise.randbytes(10 * MIB))


def python_side(url, folder):
    """Run in a process of its own: prints seconds and MiB above start."""
    import boto3
    from botocore.config import Config
    from sagemaker.fw_utils import tar_and_upload_dir

    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
    s3 = session.resource("s3", endpoint_url=url, config=Config(s3={"addressing_style": "path"}))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    tar_and_upload_dir(session, "bench", f"python-{os.getpid()}", "train.py", folder, s3_resource=s3)
    seconds = time.monotonic() - began
    print(f"{seconds:.3f} {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.1f}")


def measured(command, env):
    done = subprocess.run(command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, check=True)
    seconds, memory = done.stdout.split()[-2:]
    return float(seconds), float(memory)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("client")
    parser.add_argument("--mib", type=int, default=500)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()

    server = subprocess.Popen([options.server, "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        url = None
        while url is None:
            line = server.stdout.readline()
            assert line, "the server ended"
            found = re.search(r"http://[0-9.]+:\d+", line)
            url = found and found.group(0)
        with tempfile.TemporaryDirectory() as folder:
            make_tree(pathlib.Path(folder), options.mib * MIB)
            size = sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*") if path.is_file())
            rust, python = [], []
            for _ in range(options.times):
                rust.append(measured([options.client], {"SERVER_URL": url, "SOURCE_DIR": folder}))
                python.append(measured([sys.executable, __file__, "--python-side", url, folder], {}))
    finally:
        server.terminate()
    print(f"{size / MIB:.0f} MiB, median of {options.times}")
    for name, runs in [("Rust", rust), ("Python", python)]:
        seconds, memory = statistics.median(s for s, _ in runs), max(m for _, m in runs)
        print(f"{name:7} {seconds:7.2f} s  {size / MIB / seconds:6.1f} MiB/s  {memory:6.1f} MiB above start")
    ratio = statistics.median(s for s, _ in python) / statistics.median(s for s, _ in rust)
    print(f"rate over the Python SDK's: {ratio:.1f}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--python-side"]:
        python_side(*sys.argv[2:])
    else:
        main()
