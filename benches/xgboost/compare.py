"""Compares the local XGBoost engine with Python's XGBoost on the same data.

Run it in a virtual environment with ``xgboost`` and ``numpy``. All CSV files have the label in the first column and no
header.

    compare.py prepare --data Bikeshare.csv --out DIR
        writes train.csv, validation.csv and test.csv (70, 15 and 15 of 100 rows), predicting ``bikers``
    compare.py train --data-dir DIR [name=value ..]
        trains with the quickstart's hyperparameters, prints the RMSE on the test data and the seconds
    compare.py check --model model.tar.gz --test test.csv --predictions predictions.csv
        predicts with a model that the local backend made, prints the largest difference to its predictions
    compare.py make --data-dir DIR --out DIR [name=value ..]
        trains, writes model.tar.gz and predictions.csv for the local backend to serve and compare
"""

import argparse
import csv
import io
import os
import random
import sys
import tarfile
import tempfile
import time

import numpy as np
import xgboost as xgb

QUICKSTART = {
    "objective": "reg:squarederror",
    "num_round": "200",
    "max_depth": "6",
    "eta": "0.1",
    "subsample": "0.8",
}
LABEL = "bikers"
PARTS_OF_LABEL = ("casual", "registered")


def prepare(arguments):
    with open(arguments.data, newline="") as file:
        table = list(csv.DictReader(file))
    names = [name for name in table[0] if name != LABEL and name not in PARTS_OF_LABEL]
    columns = []
    for name in names:
        values = [row[name] for row in table]
        try:
            columns.append([repr(float(value)) for value in values])
        except ValueError:
            for category in sorted(set(values)):
                columns.append(["1" if value == category else "0" for value in values])
    labels = [row[LABEL] for row in table]
    rows = [",".join(row) for row in zip(labels, *columns)]
    random.Random(20240601).shuffle(rows)
    first, second = int(len(rows) * 0.7), int(len(rows) * 0.85)
    os.makedirs(arguments.out, exist_ok=True)
    for name, part in (("train", rows[:first]), ("validation", rows[first:second]), ("test", rows[second:])):
        with open(os.path.join(arguments.out, name + ".csv"), "w") as file:
            file.write("\n".join(part) + "\n")
        print(f"{name}.csv: {len(part)} rows, {len(part[0].split(',')) - 1} features")


def read(path):
    data = np.genfromtxt(path, delimiter=",", dtype=np.float32)
    return data[:, 1:], data[:, 0]


def train_model(directory, settings):
    parameters = dict(QUICKSTART)
    parameters.update(setting.split("=", 1) for setting in settings)
    rounds = int(parameters.pop("num_round"))
    features, labels = read(os.path.join(directory, "train.csv"))
    validation_features, validation_labels = read(os.path.join(directory, "validation.csv"))
    start = time.perf_counter()
    matrix = xgb.DMatrix(features, label=labels)
    validation = xgb.DMatrix(validation_features, label=validation_labels)
    evaluations = [(matrix, "train"), (validation, "validation")]
    booster = xgb.train(parameters, matrix, rounds, evals=evaluations, verbose_eval=False)
    return booster, time.perf_counter() - start


def predict(booster, path):
    features, labels = read(path)
    return booster.predict(xgb.DMatrix(features)), labels


def rmse(predictions, labels):
    return float(np.sqrt(np.mean((predictions.astype(np.float64) - labels) ** 2)))


def train(arguments):
    booster, seconds = train_model(arguments.data_dir, arguments.settings)
    predictions, labels = predict(booster, os.path.join(arguments.data_dir, "test.csv"))
    print(f"python test rmse {rmse(predictions, labels):.5f}   train {seconds:.3f} s   (xgboost {xgb.__version__})")


def check(arguments):
    booster = xgb.Booster()
    with tempfile.TemporaryDirectory() as directory:
        with tarfile.open(arguments.model) as archive:
            content = archive.extractfile("xgboost-model").read()
        path = os.path.join(directory, "xgboost-model")
        with open(path, "wb") as file:
            file.write(content)
        booster.load_model(path)
    predictions, labels = predict(booster, arguments.test)
    theirs = np.genfromtxt(arguments.predictions, delimiter=",", dtype=np.float64)
    if predictions.shape != theirs.shape:
        sys.exit(f"shapes differ: {predictions.shape} and {theirs.shape}")
    difference = float(np.max(np.abs(predictions.astype(np.float64) - theirs)))
    scale = float(np.max(np.abs(theirs)))
    print(f"largest difference {difference:.3g} (relative {difference / max(scale, 1e-30):.3g}), {len(theirs)} rows")
    if not difference <= arguments.tolerance * max(scale, 1.0):
        sys.exit("the predictions differ")


def make(arguments):
    booster, _ = train_model(arguments.data_dir, arguments.settings)
    os.makedirs(arguments.out, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "xgboost-model")
        booster.save_model(path)
        with tarfile.open(os.path.join(arguments.out, "model.tar.gz"), "w:gz") as archive:
            archive.add(path, arcname="xgboost-model")
    predictions, _ = predict(booster, os.path.join(arguments.data_dir, "test.csv"))
    text = io.StringIO()
    for row in np.atleast_1d(predictions):
        text.write(",".join(repr(float(value)) for value in np.atleast_1d(row)) + "\n")
    with open(os.path.join(arguments.out, "predictions.csv"), "w") as file:
        file.write(text.getvalue())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("prepare")
    command.add_argument("--data", required=True)
    command.add_argument("--out", required=True)
    command.set_defaults(run=prepare)
    command = commands.add_parser("train")
    command.add_argument("--data-dir", required=True)
    command.add_argument("settings", nargs="*")
    command.set_defaults(run=train)
    command = commands.add_parser("check")
    command.add_argument("--model", required=True)
    command.add_argument("--test", required=True)
    command.add_argument("--predictions", required=True)
    command.add_argument("--tolerance", type=float, default=1e-5, help="relative to the largest prediction")
    command.set_defaults(run=check)
    command = commands.add_parser("make")
    command.add_argument("--data-dir", required=True)
    command.add_argument("--out", required=True)
    command.add_argument("settings", nargs="*")
    command.set_defaults(run=make)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
