"""Data that a model can learn: a plane with four sides, label first, as the built-in XGBoost reads CSV."""


def rows(count, seed):
    state = seed
    for _ in range(count):
        features = []
        for _ in range(4):
            state = (state * 1103515245 + 12345) % 2**31
            features.append(state / 2**31)
        label = 3 * features[0] - 2 * features[1] + features[2] * features[3]
        yield label, features


def csv(count, seed):
    return "".join(",".join(f"{x:.6f}" for x in (label, *features)) + "\n" for label, features in rows(count, seed))


def features_csv(count, seed):
    return "".join(",".join(f"{x:.6f}" for x in features) + "\n" for _, features in rows(count, seed))


def labels(count, seed):
    return [label for label, _ in rows(count, seed)]


def rmse(predictions, truth):
    assert len(predictions) == len(truth), (len(predictions), len(truth))
    return (sum((p - t) ** 2 for p, t in zip(predictions, truth)) / len(truth)) ** 0.5
