"""The same with the SageMaker Python SDK, as its documentation has it; its endpoint comes from AWS_ENDPOINT_URL."""

import pathlib
import tempfile

import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.inputs import TrainingInput
from sagemaker.serializers import CSVSerializer
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

import data

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"

# The SDK asks STS at its public address for the account that a default bucket is named after, whatever the endpoint is.
session = sagemaker.Session(default_bucket="python-sdk-flow")
folder = pathlib.Path(tempfile.mkdtemp())
for name, text in [("train", data.csv(400, 1)), ("validation", data.csv(100, 2)), ("batch", data.features_csv(50, 3))]:
    (folder / name).mkdir()
    (folder / name / "rows.csv").write_text(text)
prefix = "plane"
uploaded = {name: session.upload_data(str(folder / name), key_prefix=f"{prefix}/{name}") for name in ["train", "validation", "batch"]}

xgboost = sagemaker.estimator.Estimator(
    image_uri=sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"),
    role=ROLE,
    instance_count=1,
    instance_type="ml.m5.large",
    output_path=f"s3://{session.default_bucket()}/{prefix}/models",
    sagemaker_session=session,
    hyperparameters={"objective": "reg:squarederror", "num_round": 40, "max_depth": 4},
)
channels = {name: TrainingInput(uploaded[name], content_type="text/csv") for name in ["train", "validation"]}
xgboost.fit(channels)
assert xgboost.latest_training_job.describe()["TrainingJobStatus"] == "Completed"

predictor = xgboost.deploy(
    initial_instance_count=1,
    instance_type="ml.m5.large",
    serializer=CSVSerializer(),
    deserializer=CSVDeserializer(),
)
answer = predictor.predict([[*features] for _, features in data.rows(50, 3)])
predictions = [float(value) for row in answer for value in row]
error = data.rmse(predictions, data.labels(50, 3))
assert error < 0.4, error

transformer = xgboost.transformer(instance_count=1, instance_type="ml.m5.large", assemble_with="Line", accept="text/csv")
transformer.transform(uploaded["batch"], content_type="text/csv", split_type="Line", wait=True)
bucket, key = transformer.output_path.removeprefix("s3://").split("/", 1)
scores = [float(line) for line in session.read_s3_file(bucket, f"{key}/rows.csv.out").split()]
assert data.rmse(scores, predictions) < 1e-4

tuner = HyperparameterTuner(
    xgboost,
    "validation:rmse",
    {"eta": ContinuousParameter(0.05, 0.5), "max_depth": IntegerParameter(2, 6)},
    objective_type="Minimize",
    max_jobs=4,
    max_parallel_jobs=2,
)
tuner.fit(channels)
table = tuner.analytics().dataframe()
assert len(table) == 4 and table["FinalObjectiveValue"].notna().all(), table
best = table.loc[table["FinalObjectiveValue"].idxmin(), "TrainingJobName"]
assert tuner.best_training_job() == best

predictor.delete_model()
predictor.delete_endpoint()
transformer.delete_model()
print("Python SDK: train, deploy, predict, transform, tune, delete")
