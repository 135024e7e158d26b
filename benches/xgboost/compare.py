"""Compares training on the local backend with Python's xgboost: error, time, and each other's models.

Run it in a virtual environment:

    python -m venv venv && venv/bin/pip install xgboost numpy
    cargo build --release --example xgboost_interop
    venv/bin/python benches/xgboost/compare.py target/release/examples/xgboost_interop

It trains both on the bike-sharing data of the quickstart, with its hyperparameters and several seeds, on one thread each,
and fails if the mean test error of the local backend is more than 3 % above Python's, if it takes more than 1.5 times
as long, or if a model made on one side predicts something else on the other (by more than 1e-5 of the largest
prediction). Both times include reading the data: the local backend's is that of the whole job, from `fit` to the end of
`wait`, Python's that of reading the CSV files and training.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

import numpy as np
import xgboost as xgb

HYPERPARAMETERS = {
    "objective": "reg:squarederror",
    "max_depth": 6,
    "eta": 0.1,
    "subsample": 0.8,
    "colsample_bytree": 0.8,
    "tree_method": "hist",
    "eval_metric": "rmse",
    "nthread": 1,
}
ROUNDS = 200
PATIENCE = 20
TOLERANCE = 1e-5


def read(path):
    data = np.loadtxt(path, delimiter=",", dtype=np.float32)
    return data[:, 1:], data[:, 0]


def rmse(predictions, labels):
    return float(np.sqrt(np.mean((predictions.astype(np.float64) - labels) ** 2)))


def train(data, seed):
    """As the container does: early stopping on the validation data, and the best model is the one that is kept."""
    start = time.perf_counter()
    features, labels = read(os.path.join(data, "train.csv"))
    matrix = xgb.DMatrix(features, label=labels, nthread=1)
    features, labels = read(os.path.join(data, "validation.csv"))
    validation = xgb.DMatrix(features, label=labels, nthread=1)
    stop = xgb.callback.EarlyStopping(rounds=PATIENCE, data_name="validation", metric_name="rmse", save_best=True)
    booster = xgb.train(
        dict(HYPERPARAMETERS, seed=seed),
        matrix,
        ROUNDS,
        evals=[(matrix, "train"), (validation, "validation")],
        callbacks=[stop],
        verbose_eval=False,
    )
    return booster, time.perf_counter() - start


def run(example, *arguments):
    """The words of the last line that the Rust half prints, as a dictionary."""
    done = subprocess.run([example, *arguments], check=True, stdout=subprocess.PIPE, text=True)
    words = done.stdout.split()
    return dict(zip(words[::2], map(float, words[1::2])))


def difference(ours, theirs):
    if ours.shape != theirs.shape:
        sys.exit(f"FAILED: {ours.shape} predictions and {theirs.shape}")
    scale = max(1.0, float(np.max(np.abs(theirs))))
    return float(np.max(np.abs(ours.astype(np.float64) - theirs.astype(np.float64)))) / scale


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("example", help="the built example xgboost_interop")
    parser.add_argument("--data", default=os.path.join(here, "..", "..", "examples", "data", "bike-sharing"))
    parser.add_argument("--seeds", type=int, default=9)
    arguments = parser.parse_args()
    test = os.path.join(arguments.data, "test.csv")
    features, labels = read(test)
    matrix = xgb.DMatrix(features)

    errors, times, worst = ([], []), ([], []), [0.0, 0.0]
    with tempfile.TemporaryDirectory() as folder:
        archive, predictions = (os.path.join(folder, name) for name in ("model.tar.gz", "predictions.csv"))
        for seed in range(1, arguments.seeds + 1):
            ours = run(arguments.example, "train", arguments.data, folder, str(seed))
            errors[0].append(ours["rmse"])
            times[0].append(ours["seconds"])
            with tarfile.open(archive) as packed:
                model = bytearray(packed.extractfile("xgboost-model").read())
            loaded = xgb.Booster(model_file=model)
            worst[0] = max(worst[0], difference(np.loadtxt(predictions), loaded.predict(matrix)))

            booster, seconds = train(arguments.data, seed)
            predicted = booster.predict(matrix)
            errors[1].append(rmse(predicted, labels))
            times[1].append(seconds)
            path = os.path.join(folder, "xgboost-model")
            booster.save_model(path)
            with tarfile.open(archive, "w:gz") as packed:
                packed.add(path, arcname="xgboost-model")
            run(arguments.example, "serve", archive, test, predictions)
            worst[1] = max(worst[1], difference(np.loadtxt(predictions), predicted))

    error_ratio = statistics.mean(errors[0]) / statistics.mean(errors[1])
    time_ratio = statistics.median(times[0]) / statistics.median(times[1])
    print(f"xgboost {xgb.__version__}, {arguments.seeds} seeds, test rmse mean (least to most), seconds median")
    for name, error, seconds in zip(("local backend", "python"), errors, times):
        spread = f"({min(error):.2f} to {max(error):.2f})"
        print(f"  {name:<14} rmse {statistics.mean(error):.3f} {spread:<18} {statistics.median(seconds):.3f} s")
    print(f"  error {error_ratio:.4f} x, time {time_ratio:.2f} x")
    print(f"  a local model in Python differs by {worst[0]:.1e}, a Python model served locally by {worst[1]:.1e}")
    failed = [
        text
        for text, holds in (
            ("the error is more than 3 % above Python's", error_ratio <= 1.03),
            ("it takes more than 1.5 times as long", time_ratio <= 1.5),
            ("a model predicts something else on the other side", max(worst) <= TOLERANCE),
        )
        if not holds
    ]
    if failed:
        sys.exit("FAILED: " + "; ".join(failed))


if __name__ == "__main__":
    main()
