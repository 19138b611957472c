"""Metrics: the core's beside the reference's, the same bits everywhere, over epochs and data sets."""

import importlib.util
import math

import numpy as np
import pytest

from bits import DTYPES, SETS
from ganglion import _ganglion_core as core
from ganglion import reference
from run_cases import PLANS, TEAMS, data, network, training
from tolerance import assert_refused, assert_within

CLASS_METRICS = ["accuracy", "precision", "recall", "f1"]
CONTEXT = core.Context(None, 2)


def measured(outputs, targets, *metrics, context=CONTEXT, last="identity", loss="mse"):
    """What metrics make of exactly these outputs of a network."""
    outputs = np.asarray(outputs)
    net = core.Network(outputs.shape[1], [core.Activation("last", last, 0.0)], str(outputs.dtype), 0)
    labels = np.asarray(targets).ndim == 1
    if labels:
        feed, loss = core.Feed(outputs, np.asarray(targets, np.int32)), "cross_entropy"
    else:
        feed = core.Feed(outputs, None, np.asarray(targets, outputs.dtype))
    optimizer, schedule = core.Optimizer("sgd"), core.Schedule("constant", 1e-3)
    run = core.Training(net, loss, "labels" if labels else "values", optimizer, schedule, list(metrics))
    return run.evaluate(context, feed).metrics


def outputs_and_targets(rows, columns, kind, seed):
    """Outputs on a coarse grid, so that many are equal, and targets that follow them now and then.

    By the project's own random numbers: stored results must not hang on NumPy's generators.
    """

    def integers(count, limit, index):
        return (reference.uniform(count, seed, kind=4, index=index) * limit).astype(np.int64)

    outputs = (integers(rows * columns, 17, 0) / 8 - 0.5).reshape(rows, columns)
    steps = integers(rows * columns, 17, 1).reshape(rows, columns) / 8 - 1
    if kind == "numbers":
        return outputs, outputs + steps / 4
    if kind == "yes or no":
        return outputs, (outputs + steps > 0.5).astype(float)
    labels = np.where(integers(rows, 2, 2) == 0, integers(rows, columns, 3), outputs.argmax(axis=1))
    return outputs, labels if kind == "labels" else np.eye(columns)[labels]


CASES = [
    *((metric, kind, columns) for metric in CLASS_METRICS for kind in ("labels", "one-hot") for columns in (2, 3, 17)),
    *((metric, "yes or no", 1) for metric in [*CLASS_METRICS, "auc"]),
    *(("auc", kind, 2) for kind in ("labels", "one-hot")),
    *(("top_k_accuracy", kind, 17) for kind in ("labels", "one-hot")),
    *((metric, "numbers", columns) for metric in ("mae", "mse", "r2") for columns in (1, 3, 8, 9, 17, 40)),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("rows", [1, 2, 127, 128, 129, 700])
@pytest.mark.parametrize(("metric", "kind", "columns"), CASES)
def test_against_the_reference(metric, kind, columns, rows, dtype):
    """The numbers are exact in both types: where a metric is a quotient of counts, so is the result."""
    outputs, targets = outputs_and_targets(rows, columns, kind, seed=0)
    (found,) = measured(outputs.astype(dtype), targets, metric)
    expected = reference.METRICS[metric](outputs, targets)
    if math.isnan(expected):
        assert math.isnan(found)
        assert metric == "auc" and len(np.unique(targets, axis=0)) == 1
        return
    assert found == pytest.approx(expected, rel=1e-13, abs=1e-14)
    if rows > 100:
        moved = reference.METRICS[metric](np.roll(outputs, 1, axis=0), targets)
        assert_refused(moved, expected, 1e-9, "rows that are not those of the targets")


def lane_sum(terms):
    """Term j goes to lane j % 16; then lanes are added by halves."""
    lanes = np.zeros(16)
    for j, term in enumerate(terms):
        lanes[j % 16] += term
    while len(lanes) > 1:
        lanes = lanes[: len(lanes) // 2] + lanes[len(lanes) // 2 :]
    return lanes[0]


def test_errors_of_a_row_are_summed_in_lanes():
    """Bit for bit, whatever the number of columns; a running sum gives other bits."""
    running = []
    for columns in range(1, 50):
        y, t = np.sqrt(reference.uniform(2 * columns, 3, kind=4, index=columns)).reshape(2, 1, columns)
        e = (y - t)[0]
        assert measured(y, t, "mae", "mse") == (lane_sum(abs(e)) / columns, lane_sum(e * e) / columns)
        running.append(sum(abs(e)) / columns == lane_sum(abs(e)) / columns)
    assert not all(running)


def test_every_metric_has_cases():
    assert {metric for metric, *_ in CASES} == set(core.metrics()) == set(reference.METRICS)


@pytest.mark.parametrize("metric", CLASS_METRICS)
@pytest.mark.parametrize("columns", [1, 2, 5])
def test_columns_that_say_yes_or_no(metric, columns):
    outputs, targets = outputs_and_targets(300, columns, "yes or no", seed=1)
    for threshold in (0.0, 0.5, 0.75):
        (found,) = measured(outputs, targets, core.Metric(metric, threshold, columns=True))
        expected = reference.METRICS[metric](outputs, targets, threshold=threshold, columns=True)
        assert found == pytest.approx(expected, rel=1e-14)
    assert found != pytest.approx(reference.METRICS[metric](outputs, targets, columns=True), rel=1e-3)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_the_k_largest(k):
    outputs, targets = outputs_and_targets(500, 7, "labels", seed=2)
    found, first = measured(outputs, targets, core.Metric("top_k_accuracy", k=k), "accuracy")
    assert found == reference.top_k_accuracy(outputs, targets, k)
    assert (found == first) == (k == 1)


def test_metrics_of_few_rows_by_hand():
    outputs = np.array([[0.1], [0.4], [0.4], [0.8]])
    targets = np.array([[0.0], [0], [1], [1]])
    assert measured(outputs, targets, "auc", "precision", "recall", "f1") == (0.875, 1.0, 0.5, 2 / 3)
    assert measured(outputs, 1 - targets, "auc") == (0.125,)
    assert measured(outputs, targets, "mae", "mse") == pytest.approx((0.325, 0.1425), rel=1e-15)
    assert math.isnan(measured(outputs, np.ones((4, 1)), "auc")[0])
    assert measured(outputs, np.zeros((4, 1)), "precision", "recall", "f1") == (0.0, 0.0, 0.0)


def test_the_area_under_a_curve_of_numbers_that_are_none():
    outputs = np.array([[0.5], [np.finfo(np.float64).max], [0.7]])
    net = core.Network(
        1, [core.Dense("dense", 1, True, "identity", 0.0, core.Initializer("constant", 1e10), "zeros")], "float64", 0
    )
    run = core.Training(net, "mse", "values", core.Optimizer("sgd"), core.Schedule("constant", 1.0), ["auc", "r2"])
    ranked, _ = run.evaluate(CONTEXT, core.Feed(outputs, None, np.array([[0.0], [1], [1]]))).metrics
    assert ranked == 1.0  # infinity is above all
    layer = core.Dense("dense", 2, True, "identity", 0.0, core.Initializer("constant", 1e10), "zeros")
    net = core.Network(1, [layer], "float64", 0)
    optimizer, schedule = core.Optimizer("sgd"), core.Schedule("constant", 1.0)
    run = core.Training(net, "cross_entropy", "labels", optimizer, schedule, ["auc", "accuracy"])
    ranked, share = run.evaluate(CONTEXT, core.Feed(outputs, np.array([0, 1, 1], np.int32))).metrics
    assert math.isnan(ranked)  # infinity less infinity
    assert share == 1 / 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_determination_of_targets_far_from_zero(dtype):
    """Σ t² − (Σ t)² / n would have no digit left; relative to the first row it has."""
    random = np.random.default_rng(3)
    targets = (2.0**20 + random.integers(0, 8, (400, 2))).astype(dtype)
    outputs = targets + random.integers(-1, 2, (400, 2)).astype(dtype)
    (found,) = measured(outputs, targets, "r2")
    assert found == pytest.approx(reference.r2(outputs.astype(float), targets.astype(float)), rel=1e-12)
    assert 0.5 < found < 0.95


def test_the_determination_of_constant_targets():
    constant = np.full((5, 2), 0.1)
    assert measured(constant, constant, "r2") == (1.0,)
    assert measured(np.add(constant, [[0, 1]]), constant, "r2") == (0.5,)
    assert measured(constant + 1, constant, "r2") == (0.0,)


def test_errors_are_those_of_the_model_s_output():
    """The softmax that the loss takes over is the model's: its probabilities are compared, not the logits."""
    outputs, targets = outputs_and_targets(200, 4, "one-hot", seed=4)
    probabilities = reference.softmax(outputs)
    plain = measured(outputs, targets, "mae", "mse", "r2", loss="cross_entropy")
    fused = measured(outputs, targets, "mae", "mse", "r2", "accuracy", loss="cross_entropy", last="softmax")
    for metric, logits, found in zip(("mae", "mse", "r2"), plain, fused, strict=False):
        assert found == pytest.approx(reference.METRICS[metric](probabilities, targets), rel=1e-13)
        assert logits == pytest.approx(reference.METRICS[metric](outputs, targets), rel=1e-13)
    assert fused[3] == reference.accuracy(outputs, targets)


ALL = {
    "labels": ["accuracy", core.Metric("top_k_accuracy", k=3), "precision", "recall", "f1"],
    "values": ["accuracy", core.Metric("top_k_accuracy", k=3), "precision", "recall", "f1", "mae", "mse", "r2"],
}


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_on_every_set_and_team_and_plan(dtype):
    x, y = data(500, dtype)
    values = np.random.default_rng(5).standard_normal((500, 7)).astype(dtype)
    for kind, feed, loss in [
        ("labels", core.Feed(x, y), "cross_entropy"),
        ("values", core.Feed(x, None, values), "mse"),
    ]:
        trained, evaluated = set(), set()
        for kernel_set, team, plan in [
            ("scalar", 1, "rows"),
            *((s, t, p) for s in SETS for t, p in zip(TEAMS, PLANS, strict=False)),
        ]:
            run = training(network(dtype=dtype), loss=loss, metrics=ALL[kind])
            context = core.Context(kernel_set, team)
            report = run.run(context, feed, batch_size=150, steps=6, shuffle=True, plan=plan)
            trained.add((report.epochs.tobytes(), report.running))
            evaluated.add((run.evaluate(context, feed).loss, run.evaluate(context, feed).metrics))
        assert len(trained) == len(evaluated) == 1


@pytest.mark.parametrize("metric", ["auc", "r2", "f1", "mae"])
def test_the_same_bits_of_one_output(metric):
    x, _ = data(500)
    targets = (x[:, :1] + 0.3 * x[:, 1:2] > 0).astype(np.float32)
    found = set()
    for kernel_set, team, plan in [
        ("scalar", 1, "rows"),
        *((s, t, p) for s in SETS for t, p in zip(TEAMS, PLANS, strict=False)),
    ]:
        run = training(network([37, 9, 1]), loss="mse", metrics=[metric])
        report = run.run(
            core.Context(kernel_set, team),
            core.Feed(x, None, targets),
            batch_size=150,
            steps=8,
            shuffle=True,
            plan=plan,
        )
        found.add(report.epochs.tobytes())
    assert len(found) == 1


@pytest.mark.parametrize("cuts", [[8], [1] * 8, [3, 5], [4, 4]])
def test_an_epoch_in_pieces_has_the_metrics_of_one(cuts):
    """A snapshot in between takes what the metrics have seen along."""
    x, _ = data(500)
    targets = (x[:, :1] + 0.3 * x[:, 1:2] > 0).astype(np.float32)
    feed, run = core.Feed(x, None, targets), training(network([37, 9, 1]), loss="mse", metrics=["auc", "r2", "f1"])
    epochs = []
    for steps in cuts:
        kept = run.snapshot()
        run.run(CONTEXT, feed, batch_size=150, steps=1, shuffle=True)
        run.restore(kept)
        epochs.append(run.run(CONTEXT, feed, batch_size=150, steps=steps, shuffle=True).epochs)
    whole = training(network([37, 9, 1]), loss="mse", metrics=["auc", "r2", "f1"])
    np.testing.assert_array_equal(
        np.concatenate(epochs), whole.run(CONTEXT, feed, batch_size=150, steps=8, shuffle=True).epochs
    )


def test_an_epoch_of_a_network_that_stands_still_is_an_evaluation():
    """Batches of 150 of 500 rows in a random order: counts and ranks agree exactly, sums to their rounding."""
    x, y = data(500)
    targets = np.eye(7, dtype=np.float32)[y]
    still = core.Schedule("constant", 0.0)
    metrics = [*ALL["values"]]
    run = core.Training(network(), "mse", "values", core.Optimizer("sgd"), still, metrics)
    feed = core.Feed(x, None, targets)
    epoch = run.run(CONTEXT, feed, batch_size=150, steps=4, shuffle=True).epochs[0, 1:]
    found = np.array(run.evaluate(CONTEXT, feed).metrics)
    np.testing.assert_array_equal(epoch[:5], found[:5])
    assert_within(epoch, found, 1e-13 * np.abs(found))


# Other libraries. What scikit-learn gives for the rows of `outputs_and_targets(200, …, seed=6)`.
GOLDEN = {
    "accuracy 1": 0.72,
    "precision 1": 0.7263157894736842,
    "recall 1": 0.696969696969697,
    "f1 1": 0.711340206185567,
    "auc 1": 0.8242324232423243,
    "accuracy 4": 0.64,
    "precision 4": 0.6416488461413273,
    "recall 4": 0.6410990677550292,
    "f1 4": 0.6404599179923517,
    "mae 3": 0.12531250000000002,
    "mse 3": 0.021666666666666667,
    "r2 3": 0.9431132463672119,
}


def from_sklearn():
    """The same metrics by scikit-learn's functions."""
    from sklearn import metrics

    found = {}
    for kind, columns in (("yes or no", 1), ("labels", 4)):
        outputs, targets = outputs_and_targets(200, columns, kind, seed=6)
        binary = columns == 1
        said = outputs[:, 0] > 0.5 if binary else outputs.argmax(axis=1)
        true = targets[:, 0] if binary else targets
        average = {"average": "binary" if binary else "macro"}
        found[f"accuracy {columns}"] = metrics.accuracy_score(true, said)
        found[f"precision {columns}"] = metrics.precision_score(true, said, **average)
        found[f"recall {columns}"] = metrics.recall_score(true, said, **average)
        found[f"f1 {columns}"] = metrics.f1_score(true, said, **average)
        if binary:
            found["auc 1"] = metrics.roc_auc_score(true, outputs[:, 0])
    outputs, targets = outputs_and_targets(200, 3, "numbers", seed=6)
    found["mae 3"] = metrics.mean_absolute_error(targets, outputs)
    found["mse 3"] = metrics.mean_squared_error(targets, outputs)
    found["r2 3"] = metrics.r2_score(targets, outputs)
    return {name: float(value) for name, value in found.items()}


@pytest.mark.parametrize("name", GOLDEN)
def test_against_stored_numbers_of_scikit_learn(name):
    metric, columns = name.split()
    kind = {"1": "yes or no", "4": "labels", "3": "numbers"}[columns]
    outputs, targets = outputs_and_targets(200, int(columns), kind, seed=6)
    assert measured(outputs, targets, metric)[0] == pytest.approx(GOLDEN[name], rel=1e-12)


@pytest.mark.skipif(importlib.util.find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_the_stored_numbers_are_scikit_learn_s():
    assert from_sklearn() == pytest.approx(GOLDEN, rel=1e-12)
