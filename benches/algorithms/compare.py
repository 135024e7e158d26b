"""Compares the built-in algorithms of the local backend with scikit-learn, on the same rows of real data.

Run it in a virtual environment:

    python -m venv venv && venv/bin/pip install scikit-learn numpy
    cargo build --release --example numeric_algorithms
    venv/bin/python benches/algorithms/compare.py target/release/examples/numeric_algorithms

The data is the bike-sharing data of the quickstart, split in order of time. Each algorithm trains through the public API on
the local backend, answers requests at an endpoint, and its answers are scored beside those of scikit-learn's estimator of
the same model. It fails if a score is more than 5 % worse. scikit-learn has no factorization machine: the one of Rendle
(2010) is a linear model with products of features, so a ridge regression with all products is the reference. It has no
random cut forest either: its isolation forest is the nearest that it has; the anomalies are rows of the test data of which
one number was replaced with one out of its range.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

TOLERANCE = 0.05
CSV = "text/csv;label_size=1"
UNLABELLED = "text/csv;label_size=0"
RECORDS = "application/x-recordio-protobuf"


class Local:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def run(self, algorithm, content_type, train, test, as_json=False, **hyperparameters):
        """The answer to the rows `test` of a model trained on `train` (label first, if the content type says so)."""
        place = lambda name: os.path.join(self.folder, name)
        np.savetxt(place("train.csv"), train, delimiter=",", fmt="%.7g")
        asked = place("test.json" if as_json else "test.csv")
        if as_json:
            with open(asked, "w") as file:
                json.dump({"instances": [{"features": row} for row in test.tolist()]}, file)
        else:
            np.savetxt(asked, test, delimiter=",", fmt="%.7g")
        pairs = [f"{name}={value}" for name, value in hyperparameters.items()]
        command = [self.program, algorithm, content_type, place("train.csv"), asked, place("answer.json"), *pairs]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with open(place("answer.json")) as file:
            return json.load(file)

    def values(self, name, *arguments, **hyperparameters):
        answer = self.run(*arguments, **hyperparameters)
        (rows,) = answer.values()
        return np.array([row[name] for row in rows])


def r2(labels, said):
    return 1 - np.sum((labels - said) ** 2) / np.sum((labels - labels.mean()) ** 2)


def msd(points, centers):
    return float(((points[:, None, :] - centers[None]) ** 2).sum(axis=2).min(axis=1).mean())


def one_hot(rows):
    """Hours, months and weather as columns of their own: they are names, not amounts."""
    columns = [rows]
    for at in range(rows.shape[1]):
        values = np.unique(rows[:, at])
        if 2 < len(values) <= 31 and np.all(values == values.round()):
            columns.append((rows[:, at][:, None] == values[None]).astype(float))
    return np.hstack(columns)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--data", default=os.path.join(os.path.dirname(__file__), "../../examples/data/bike-sharing"))
    arguments = parser.parse_args()
    read = lambda name: np.loadtxt(os.path.join(arguments.data, name), delimiter=",")
    train, test = np.vstack([read("train.csv"), read("validation.csv")]), read("test.csv")
    count = len(train)
    # Names of the two parts together, so that both have the same columns.
    features = one_hot(np.vstack([train[:, 1:], test[:, 1:]]))
    scaled = StandardScaler().fit(features[:count]).transform(features)
    label, test_label = train[:, 0], test[:, 0]
    labelled = lambda rows, labels: np.column_stack([labels, rows[:count]])
    busy, test_busy = (label > np.median(label)).astype(int), (test_label > np.median(label)).astype(int)
    thirds = np.quantile(label, [1 / 3, 2 / 3])
    level, test_level = np.digitize(label, thirds), np.digitize(test_label, thirds)
    width = features.shape[1]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        local = Local(arguments.program, folder)

        def compare(what, score, ours, theirs, lower_is_better=False):
            ratio = theirs / ours if lower_is_better else ours / theirs
            results.append(ratio)
            print(f"| {what} | {score} | {ours:.4f} | {theirs:.4f} | {ratio:.3f} |", flush=True)

        # Linear Learner
        said = local.values("score", "linear-learner", CSV, labelled(features, label), features[count:],
                            predictor_type="regressor", mini_batch_size=200, epochs=30)
        reference = LinearRegression().fit(features[:count], label).predict(features[count:])
        compare("Linear Learner, regression", "R2", r2(test_label, said), r2(test_label, reference))
        said = local.values("predicted_label", "linear-learner", CSV, labelled(features, busy), features[count:],
                            predictor_type="binary_classifier", mini_batch_size=200, epochs=30)
        logistic = lambda labels: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(features[:count], labels)
        compare("Linear Learner, two classes", "accuracy", np.mean(said == test_busy),
                logistic(busy).score(features[count:], test_busy))
        said = local.values("predicted_label", "linear-learner", CSV, labelled(features, level), features[count:],
                            predictor_type="multiclass_classifier", num_classes=3, mini_batch_size=200, epochs=30)
        compare("Linear Learner, three classes", "accuracy", np.mean(said == test_level),
                logistic(level).score(features[count:], test_level))

        # K-Means
        k = 8
        distances = local.values("distance_to_cluster", "kmeans", UNLABELLED, scaled[:count], scaled[count:], k=k,
                                 feature_dim=width, mini_batch_size=500)
        theirs = np.mean([msd(scaled[count:], KMeans(k, n_init=1, random_state=seed).fit(scaled[:count]).cluster_centers_)
                          for seed in range(5)])
        compare(f"K-Means, k = {k}", "mean square distance", float(np.mean(distances**2)), theirs, lower_is_better=True)

        # PCA
        components = 10
        for mode in ["regular", "randomized"]:
            projected = local.values("projection", "pca", UNLABELLED, scaled[:count], scaled[count:], feature_dim=width,
                                     num_components=components, mini_batch_size=500, algorithm_mode=mode)
            theirs = PCA(components).fit(scaled[:count]).transform(scaled[count:])
            compare(f"PCA, {mode}, {components} components", "variance of the projections",
                    float((projected**2).mean(axis=0).sum()), float((theirs**2).mean(axis=0).sum()))

        # k-NN
        common = dict(feature_dim=width, k=5, sample_size=count)
        said = local.values("predicted_label", "knn", CSV, labelled(scaled, label), scaled[count:],
                            predictor_type="regressor", **common)
        theirs = KNeighborsRegressor(5).fit(scaled[:count], label).predict(scaled[count:])
        compare("k-NN, regression", "R2", r2(test_label, said), r2(test_label, theirs))
        said = local.values("predicted_label", "knn", CSV, labelled(scaled, level), scaled[count:],
                            predictor_type="classifier", **common)
        theirs = KNeighborsClassifier(5).fit(scaled[:count], level).score(scaled[count:], test_level)
        compare("k-NN, three classes", "accuracy", np.mean(said == test_level), theirs)

        # Random Cut Forest
        amounts = train[:, 1:][:, -4:]
        random = np.random.default_rng(0)
        usual = test[:, 1:][:, -4:]
        strange = usual[random.permutation(len(usual))[:60]].copy()
        for row in strange:
            at = random.integers(4)
            low, high = amounts[:, at].min(), amounts[:, at].max()
            row[at] = high + (high - low) * random.uniform(0.2, 1.0)
        rows, truth = np.vstack([usual, strange]), np.repeat([0, 1], [len(usual), len(strange)])
        scores = local.values("score", "randomcutforest", UNLABELLED, amounts, rows, feature_dim=4)
        theirs = np.mean([roc_auc_score(truth, -IsolationForest(random_state=seed).fit(amounts).score_samples(rows))
                          for seed in range(5)])
        compare("Random Cut Forest beside an isolation forest", "ROC AUC", roc_auc_score(truth, scores), theirs)

        # Factorization Machines
        rate = label / label.std()
        said = local.values("score", "factorization-machines", RECORDS, labelled(scaled, rate), scaled[count:],
                            as_json=True, predictor_type="regressor", feature_dim=width, num_factors=8, epochs=60,
                            mini_batch_size=100, linear_lr=0.003, factors_lr=0.003, factors_init_sigma=0.01,
                            factors_wd=0.01)
        products = make_pipeline(PolynomialFeatures(2, interaction_only=True), Ridge(3000.0))
        theirs = products.fit(scaled[:count], rate).predict(scaled[count:])
        truth = test_label / label.std()
        compare("Factorization Machines beside all products", "R2", r2(truth, said), r2(truth, theirs))
        said = local.values("predicted_label", "factorization-machines", RECORDS, labelled(scaled, busy), scaled[count:],
                            as_json=True, predictor_type="binary_classifier", feature_dim=width, num_factors=8, epochs=30,
                            mini_batch_size=100, linear_lr=0.003, factors_lr=0.003, factors_init_sigma=0.01,
                            factors_wd=0.01)
        products = make_pipeline(PolynomialFeatures(2, interaction_only=True), LogisticRegression(C=0.001, max_iter=2000))
        theirs = products.fit(scaled[:count], busy).score(scaled[count:], test_busy)
        compare("Factorization Machines, two classes", "accuracy", np.mean(said == test_busy), theirs)
    worst = min(results)
    print(f"worst ratio {worst:.3f}")
    return 0 if worst >= 1 - TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
