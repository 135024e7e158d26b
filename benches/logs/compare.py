"""Counts the calls that following one training job takes: the Python SDK's and this crate's, on the same server.

    python benches/logs/compare.py LOGS_BENCH

LOGS_BENCH is what `cargo bench --bench logs --no-run` builds, which is server and follower; in a virtual environment
with `sagemaker` (2.257.7). The job trains for ten minutes, of which each takes six seconds, and every instance logs a
line a minute. Three of ten reads of CloudWatch are throttled. Both sides wait as long as they do on
AWS, divided by ten. The calls are those that the server has counted.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request

SCALE = 10
MINUTES = 10
# What a minute of the job takes.
MINUTE = 60 / SCALE
GROUP = "/aws/sagemaker/TrainingJobs"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/slow:1"
READS = ("DescribeLogStreams", "GetLogEvents")
FAULTS = {"seed": 7, "faults": [{"fault": "throttle", "service": "logs", "operation": operation, "probability": 0.3}
                                for operation in READS]}
ENVIRONMENT = dict(os.environ, AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b", AWS_DEFAULT_REGION="us-east-1",
                   SAGEMAKER_SUPPRESS_V2_WARNING="1")
# The Python SDK has no end above 50 streams: it is stopped after so many seconds.
LONGEST = 2 * MINUTES * MINUTE


class Server:
    def __init__(self, binary):
        environment = dict(os.environ, TIME_SCALE=str(SCALE), SECONDS=str(round(MINUTES * MINUTE)), FAULTS=json.dumps(FAULTS))
        self.process = subprocess.Popen([binary], env=environment, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        self.begun = time.time()

    def now(self):
        return self.begun + (time.time() - self.begun) * SCALE

    def calls(self):
        counts = {}
        for service in ("logs", "sagemaker"):
            with urllib.request.urlopen(self.url + "/_local/requests?service=" + service) as answer:
                found = json.load(answer)
            for request in found["requests"] if isinstance(found, dict) else found:
                counts[request["operation"]] = counts.get(request["operation"], 0) + 1
        return counts

    def stop(self):
        self.process.terminate()
        self.process.wait()


def start(server, instances):
    import boto3

    clients = {name: boto3.client(name, endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="a",
                                  aws_secret_access_key="b") for name in ("s3", "sagemaker", "logs")}
    clients["s3"].create_bucket(Bucket="bench")
    clients["sagemaker"].create_training_job(
        TrainingJobName="followed", RoleArn="arn:aws:iam::123456789012:role/SageMakerRole",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": "s3://bench/out"}, StoppingCondition={"MaxRuntimeInSeconds": 86400},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": instances, "VolumeSizeInGB": 1})
    streams = ["followed/algo-%d-1" % number for number in range(1, instances + 1)]

    def write():
        logs = clients["logs"]
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName=GROUP)
        for stream in streams:
            logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        for minute in range(MINUTES):
            begun = time.time()
            for stream in streams:
                event = {"timestamp": int(server.now() * 1000), "message": "line %d" % minute}
                logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])
            time.sleep(max(0, MINUTE - (time.time() - begun)))

    writer = threading.Thread(target=write)
    writer.start()
    return writer


def follow_in_python(url):
    """Runs in a process of its own."""
    import boto3
    import botocore.endpoint
    import sagemaker.session

    class Scaled:
        begun = time.time()

        @classmethod
        def time(cls):
            return cls.begun + (time.time() - cls.begun) * SCALE

        @staticmethod
        def sleep(seconds):
            time.sleep(seconds / SCALE)

    sagemaker.session.time = Scaled
    botocore.endpoint.time = Scaled
    boto = boto3.Session(region_name="us-east-1")
    session = sagemaker.session.Session(boto, default_bucket="bench",
                                        sagemaker_client=boto.client("sagemaker", endpoint_url=url))
    session.logs_for_job("followed", wait=True)


def run(server, command, environment):
    try:
        ended = subprocess.run(command, env=dict(ENVIRONMENT, **environment), stdout=subprocess.PIPE, text=True,
                               timeout=LONGEST, check=True)
        return ended.stdout, "ended"
    except subprocess.TimeoutExpired as stopped:
        return (stopped.stdout or b"").decode(), "stopped after %d minutes" % (2 * MINUTES)


def main():
    bench = sys.argv[1]
    print("instances  follower    end                       lines   DescribeLogStreams  GetLogEvents  DescribeTrainingJob")
    for instances in (40, 120):
        for follower in ("Python SDK", "this crate"):
            server = Server(bench)
            writer = start(server, instances)
            if follower == "Python SDK":
                command = [sys.executable, __file__, "--follow", server.url]
                output, end = run(server, command, {"AWS_ENDPOINT_URL": server.url})
            else:
                variables = {"SERVER_URL": server.url, "JOB": "followed", "TIME_SCALE": str(SCALE)}
                output, end = run(server, [bench], variables)
            calls = server.calls()
            writer.join()
            server.stop()
            lines = sum("line " in line for line in output.splitlines())
            print("%9d  %-10s  %-24s  %4d/%-4d %17d  %12d  %19d" % (
                instances, follower, end, lines, instances * MINUTES, calls.get("DescribeLogStreams", 0),
                calls.get("GetLogEvents", 0), calls.get("DescribeTrainingJob", 0)), flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "--follow":
        follow_in_python(sys.argv[2])
    else:
        main()
