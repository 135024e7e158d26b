#!/usr/bin/env bash
# The same with the AWS CLI; its endpoint comes from AWS_ENDPOINT_URL.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export AWS_PAGER="" AWS_DEFAULT_REGION=us-east-1 PYTHONPATH="$here"
role=arn:aws:iam::123456789012:role/SageMakerRole
image=683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1
bucket=aws-cli-flow
instances='InstanceType=ml.m5.large,InstanceCount=1'

# Asks until the answer is not one of those that say "wait".
until_ended() {
    for _ in $(seq 60); do
        status=$("$@")
        case $status in InProgress | Stopping | Creating) sleep 0.2 ;; *) echo "$status" && return ;; esac
    done
    echo "never ended"
}

mkdir -p data/train data/validation
python -c 'import data; print(data.csv(400, 1), end="")' >data/train/rows.csv
python -c 'import data; print(data.csv(100, 2), end="")' >data/validation/rows.csv
python -c 'import data; print(data.features_csv(50, 3), end="")' >rows.csv
aws s3 mb "s3://$bucket"
aws s3 sync data "s3://$bucket/data" --no-progress
aws s3 cp rows.csv "s3://$bucket/batch/rows.csv" --no-progress
[ "$(aws s3 ls "s3://$bucket/data/" | wc -l)" = 2 ]

channel() {
    echo "ChannelName=$1,ContentType=text/csv,DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=s3://$bucket/data/$1}}"
}
aws sagemaker create-training-job --training-job-name cli-train --role-arn "$role" \
    --algorithm-specification "TrainingImage=$image,TrainingInputMode=File" \
    --hyper-parameters objective=reg:squarederror,num_round=40,max_depth=4 \
    --input-data-config "$(channel train)" "$(channel validation)" \
    --output-data-config "S3OutputPath=s3://$bucket/models" \
    --resource-config "$instances,VolumeSizeInGB=10" --stopping-condition MaxRuntimeInSeconds=3600 >/dev/null
status=$(until_ended aws sagemaker describe-training-job --training-job-name cli-train --query TrainingJobStatus --output text)
[ "$status" = Completed ] || { echo "training: $status"; exit 1; }
artifacts=$(aws sagemaker describe-training-job --training-job-name cli-train --query ModelArtifacts.S3ModelArtifacts --output text)
aws logs filter-log-events --log-group-name /aws/sagemaker/TrainingJobs --log-stream-name-prefix cli-train/ \
    --query 'events[].message' --output text | grep -q validation-rmse

aws sagemaker create-model --model-name cli-model --execution-role-arn "$role" \
    --primary-container "Image=$image,ModelDataUrl=$artifacts" >/dev/null
aws sagemaker create-endpoint-config --endpoint-config-name cli-config \
    --production-variants "VariantName=AllTraffic,ModelName=cli-model,InitialInstanceCount=1,InstanceType=ml.m5.large" >/dev/null
aws sagemaker create-endpoint --endpoint-name cli-endpoint --endpoint-config-name cli-config >/dev/null
status=$(until_ended aws sagemaker describe-endpoint --endpoint-name cli-endpoint --query EndpointStatus --output text)
[ "$status" = InService ] || { echo "endpoint: $status"; exit 1; }
aws sagemaker-runtime invoke-endpoint --endpoint-name cli-endpoint --content-type text/csv --body fileb://rows.csv out.csv >/dev/null
python - <<'PY'
import data
predictions = [float(x) for x in open("out.csv").read().replace("\n", ",").split(",") if x]
assert data.rmse(predictions, data.labels(50, 3)) < 0.4
PY

aws sagemaker create-transform-job --transform-job-name cli-transform --model-name cli-model \
    --transform-input "DataSource={S3DataSource={S3DataType=S3Prefix,S3Uri=s3://$bucket/batch/}},ContentType=text/csv,SplitType=Line" \
    --transform-output "S3OutputPath=s3://$bucket/scores,AssembleWith=Line" --transform-resources "$instances" >/dev/null
status=$(until_ended aws sagemaker describe-transform-job --transform-job-name cli-transform --query TransformJobStatus --output text)
[ "$status" = Completed ] || { echo "transform: $status"; exit 1; }
aws s3 cp "s3://$bucket/scores/rows.csv.out" scores.csv --no-progress
[ "$(wc -l <scores.csv)" -ge 49 ]

cat >tune.json <<JSON
{"HyperParameterTuningJobName": "cli-tune",
 "HyperParameterTuningJobConfig": {"Strategy": "Random",
  "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
  "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 3},
  "ParameterRanges": {"ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.05", "MaxValue": "0.5"}]}},
 "TrainingJobDefinition": {"RoleArn": "$role",
  "AlgorithmSpecification": {"TrainingImage": "$image", "TrainingInputMode": "File"},
  "StaticHyperParameters": {"objective": "reg:squarederror", "num_round": "20"},
  "InputDataConfig": [
   {"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://$bucket/data/train"}}},
   {"ChannelName": "validation", "ContentType": "text/csv", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://$bucket/data/validation"}}}],
  "OutputDataConfig": {"S3OutputPath": "s3://$bucket/tuned"},
  "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
  "StoppingCondition": {"MaxRuntimeInSeconds": 3600}}}
JSON
aws sagemaker create-hyper-parameter-tuning-job --cli-input-json file://tune.json >/dev/null
status=$(until_ended aws sagemaker describe-hyper-parameter-tuning-job --hyper-parameter-tuning-job-name cli-tune \
    --query HyperParameterTuningJobStatus --output text)
[ "$status" = Completed ] || { echo "tuning: $status"; exit 1; }

aws sagemaker delete-endpoint --endpoint-name cli-endpoint
aws sagemaker delete-endpoint-config --endpoint-config-name cli-config
aws sagemaker delete-model --model-name cli-model
aws s3 rb "s3://$bucket" --force >/dev/null
if aws sagemaker describe-model --model-name cli-model 2>error.txt; then
    echo "the model is still there"
    exit 1
fi
grep -q 'Could not find model' error.txt
echo "AWS CLI: train, deploy, predict, transform, tune, delete"
