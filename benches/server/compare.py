"""`sagemaker-local` beside `moto_server`, in one run: requests a second from the same clients, start-up and memory.

Usage: python benches/server/compare.py SAGEMAKER_LOCAL RUST_CLIENT [--objects 100000] [--jobs 10000]
SAGEMAKER_LOCAL is the program, RUST_CLIENT the built bench `server` (`cargo bench --bench server --no-run`), both
release builds. Needs boto3 and moto[server] in the Python that runs it.
"""

import argparse
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request

import boto3
from botocore.config import Config

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
BUCKET = "bench"
URL = r"http://[\d.]+:\d+"


def start(command, url_in_output):
    """The process, its URL and the seconds until its first answer."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while True:
        line = process.stdout.readline()
        assert line, f"{command[0]} ended"
        found = re.search(url_in_output, line)
        if found:
            break
    url = found.group(0)
    while True:
        try:
            urllib.request.urlopen(url + "/moto-api/reset", data=b"").read()
            return process, url, time.monotonic() - began
        except OSError:
            time.sleep(0.001)


def client(name, url):
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    return boto3.client(name, endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b", config=config)


def job(sagemaker, name):
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/none:1", "TrainingInputMode": "File"},
        RoleArn=ROLE,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    sagemaker.describe_training_job(TrainingJobName=name)


def rate(action, seconds=4.0):
    """Times that `action(i)` is done in a second."""
    for i in range(20):
        action(i)
    count, began = 20, time.monotonic()
    while time.monotonic() - began < seconds:
        action(count)
        count += 1
    return (count - 20) / (time.monotonic() - began)


def boto3_rates(url):
    s3, sagemaker = client("s3", url), client("sagemaker", url)
    s3.create_bucket(Bucket=BUCKET)
    body = os.urandom(1024)

    def put_get(i):
        s3.put_object(Bucket=BUCKET, Key=f"k{i}", Body=body)
        assert s3.get_object(Bucket=BUCKET, Key=f"k{i}")["Body"].read() == body

    return {"job": rate(lambda i: job(sagemaker, f"python-{i}")), "object": rate(put_get)}


def rust_rates(program, url):
    text = subprocess.run([program, "--bench"], env={**os.environ, "SERVER_URL": url}, check=True, capture_output=True, text=True).stdout
    found = re.findall(r"^(\w+) (\d+) ([\d.]+)$", text, re.M)
    return {at_once: {name: float(value) for name, number, value in found if number == at_once} for _, at_once, _ in found}


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read()).group(1)) / 1024


def fill(url, objects, jobs):
    s3, sagemaker = client("s3", url), client("sagemaker", url)
    s3.create_bucket(Bucket=BUCKET)
    body, payload = os.urandom(1024), 0
    for i in range(objects):
        s3.put_object(Bucket=BUCKET, Key=f"small/{i}", Body=body)
        payload += len(body)
    length = []
    sagemaker.meta.events.register("before-send.sagemaker.CreateTrainingJob", lambda request, **_: length.append(len(request.body)) and None)
    for i in range(jobs):
        job(sagemaker, f"fill-{i}")
    return (payload + sum(length)) / 2**20


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("sagemaker_local")
    arguments.add_argument("rust_client")
    arguments.add_argument("--objects", type=int, default=100_000)
    arguments.add_argument("--jobs", type=int, default=10_000)
    arguments = arguments.parse_args()

    ours_command = [arguments.sagemaker_local, "--port", "0"]
    ours, our_url, cold = start(ours_command, URL)
    at_rest = resident(ours.pid)
    moto_server = os.path.join(os.path.dirname(sys.executable), "moto_server")
    theirs, their_url, moto_cold = start([moto_server, "--host", "127.0.0.1", "--port", "0"], r"http://[\d.]+:\d+")
    # Both write a line a request or nothing: read it away.
    for process in (ours, theirs):
        threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        print(f"cold start to first answer   {cold * 1000:8.0f} ms   moto {moto_cold * 1000:8.0f} ms")
        print(f"resident after start         {at_rest:8.1f} MiB  moto {resident(theirs.pid):8.1f} MiB")
        boto_ours, boto_theirs = boto3_rates(our_url), boto3_rates(their_url)
        rust_ours, rust_theirs = rust_rates(arguments.rust_client, our_url), rust_rates(arguments.rust_client, their_url)
        for name, text in (("job", "Create + Describe job"), ("object", "Put + Get of 1 KiB")):
            rust = [(f"Rust, {n} at once", rust_ours[n], rust_theirs[n]) for n in rust_ours]
            for who, mine, other in [("boto3", boto_ours, boto_theirs), *rust]:
                print(f"{text:22} {who:16}  {mine[name]:8.0f} /s   moto {other[name]:8.0f} /s   ratio {mine[name] / other[name]:6.1f}")
    finally:
        ours.kill()
        theirs.kill()
    filled, url, _ = start(ours_command, URL)
    try:
        payload = fill(url, arguments.objects, arguments.jobs)
        after = resident(filled.pid)
        print(f"{arguments.objects} objects of 1 KiB, {arguments.jobs} jobs: {payload:.1f} MiB of payload, resident {after:.1f} MiB, ratio {after / payload:.2f}")
    finally:
        filled.kill()


main()
