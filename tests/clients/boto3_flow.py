"""Train, deploy, predict, transform, tune and delete with boto3; its endpoint comes from AWS_ENDPOINT_URL."""

import time

import boto3
from botocore.exceptions import ClientError

import data

REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
IMAGE = f"683313688378.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:1.7-1"
BUCKET = "boto3-flow"

s3 = boto3.client("s3", region_name=REGION)
sagemaker = boto3.client("sagemaker", region_name=REGION)
runtime = boto3.client("sagemaker-runtime", region_name=REGION)
logs = boto3.client("logs", region_name=REGION)


def until(describe, member, ends):
    for _ in range(600):
        answer = describe()
        if answer[member] in ends:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"never ended: {answer[member]}")


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        return error.response["Error"]["Message"]
    raise AssertionError("was not refused")


def channel(name):
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/data/{name}", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}


RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}


def data_in_s3():
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="data/train/part-0.csv", Body=data.csv(400, 1))
    s3.put_object(Bucket=BUCKET, Key="data/validation/part-0.csv", Body=data.csv(100, 2))
    s3.put_object(Bucket=BUCKET, Key="batch/rows.csv", Body=data.features_csv(50, 3))
    listed = s3.list_objects_v2(Bucket=BUCKET, Delimiter="/")
    assert [entry["Prefix"] for entry in listed["CommonPrefixes"]] == ["batch/", "data/"]
    assert "no such key" not in s3.get_object(Bucket=BUCKET, Key="batch/rows.csv")["Body"].read().decode()


def train():
    sagemaker.create_training_job(
        TrainingJobName="boto3-train",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        HyperParameters={"objective": "reg:squarederror", "num_round": "40", "max_depth": "4"},
        InputDataConfig=[channel("train"), channel("validation")],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig=RESOURCES,
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
        Tags=[{"Key": "team", "Value": "clients"}],
    )
    describe = lambda: sagemaker.describe_training_job(TrainingJobName="boto3-train")
    job = until(describe, "TrainingJobStatus", {"Completed", "Failed", "Stopped"})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [step["Status"] for step in job["SecondaryStatusTransitions"]][-1] == "Completed"
    assert any(metric["MetricName"] == "validation:rmse" for metric in job["FinalMetricDataList"])
    assert sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"] == [{"Key": "team", "Value": "clients"}]
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="boto3-train/")
    name = streams["logStreams"][0]["logStreamName"]
    lines = logs.get_log_events(logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=name, startFromHead=True)
    assert any("validation-rmse" in event["message"] for event in lines["events"])
    message = refused("ResourceInUse", sagemaker.create_training_job, TrainingJobName="boto3-train",
                      AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"}, RoleArn=ROLE,
                      InputDataConfig=[channel("train")], OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
                      ResourceConfig=RESOURCES, StoppingCondition={"MaxRuntimeInSeconds": 3600})
    assert "must be unique" in message, message
    return job["ModelArtifacts"]["S3ModelArtifacts"]


def deploy_and_predict(artifacts):
    container = {"Image": IMAGE, "ModelDataUrl": artifacts}
    sagemaker.create_model(ModelName="boto3-model", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "AllTraffic", "ModelName": "boto3-model", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="boto3-config", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="boto3-endpoint", EndpointConfigName="boto3-config")
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName="boto3-endpoint", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    answer = runtime.invoke_endpoint(EndpointName="boto3-endpoint", ContentType="text/csv", Body=data.features_csv(50, 3))
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    predictions = [float(x) for x in answer["Body"].read().decode().replace("\n", ",").split(",") if x]
    error = data.rmse(predictions, data.labels(50, 3))
    assert error < 0.4, error
    refused("ValidationError", runtime.invoke_endpoint, EndpointName="nobody", Body=b"1")
    refused("ModelError", runtime.invoke_endpoint, EndpointName="boto3-endpoint", ContentType="text/csv", Body=b"no,number")
    return predictions


def transform(predictions):
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/batch/"}}
    sagemaker.create_transform_job(
        TransformJobName="boto3-transform",
        ModelName="boto3-model",
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/scores", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    describe = lambda: sagemaker.describe_transform_job(TransformJobName="boto3-transform")
    job = until(describe, "TransformJobStatus", {"Completed", "Failed", "Stopped"})
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    body = s3.get_object(Bucket=BUCKET, Key="scores/rows.csv.out")["Body"].read().decode()
    scores = [float(line) for line in body.split()]
    assert data.rmse(scores, predictions) < 1e-5


def tune():
    definition = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "StaticHyperParameters": {"objective": "reg:squarederror", "num_round": "20"},
        "InputDataConfig": [channel("train"), channel("validation")],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/tuned"},
        "ResourceConfig": RESOURCES,
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    config = {
        "Strategy": "Bayesian",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
        "ParameterRanges": {
            "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"}],
            "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "2", "MaxValue": "6"}],
        },
    }
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="boto3-tune", HyperParameterTuningJobConfig=config, TrainingJobDefinition=definition
    )
    describe = lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="boto3-tune")
    job = until(describe, "HyperParameterTuningJobStatus", {"Completed", "Failed", "Stopped"})
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="boto3-tune", SortBy="FinalObjectiveMetricValue", SortOrder="Ascending"
    )["TrainingJobSummaries"]
    values = [entry["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for entry in listed]
    assert len(values) == 4 and values == sorted(values), values
    assert job["BestTrainingJob"]["TrainingJobName"] == listed[0]["TrainingJobName"]


def delete():
    sagemaker.delete_endpoint(EndpointName="boto3-endpoint")
    waiter = sagemaker.get_waiter("endpoint_deleted")
    waiter.wait(EndpointName="boto3-endpoint", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    sagemaker.delete_endpoint_config(EndpointConfigName="boto3-config")
    sagemaker.delete_model(ModelName="boto3-model")
    message = refused("ValidationException", sagemaker.describe_endpoint, EndpointName="boto3-endpoint")
    assert message.startswith("Could not find endpoint"), message
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": entry["Key"]} for entry in page["Contents"]]})
    s3.delete_bucket(Bucket=BUCKET)


data_in_s3()
artifacts = train()
predictions = deploy_and_predict(artifacts)
transform(predictions)
tune()
delete()
print("boto3: train, deploy, predict, transform, tune, delete")
