"""sample_weight and class_weight: what they do to training, evaluation and validation, and what is refused."""

import numpy as np
import pytest

import ganglion as gg
from ganglion import reference
from small_models import LABELS, RANDOM, VALUES, X, assert_same, classifier, regressor, weights_after

WEIGHTS = RANDOM.uniform(0.0, 3.0, 50)
WEIGHTS[4] = 0.0
BY_CLASS = {0: 0.5, 2: 4.0}  # 1 counts once
OF_CLASSES = np.array([0.5, 1.0, 4.0])[LABELS]


def fitted(**options):
    return weights_after(classifier(), {"epochs": 2, "batch_size": 20, **options})


def test_weights_are_those_of_the_formula():
    x, y, w = np.array([[2.0], [1.0]]), np.array([3.0, -1.0]), np.array([0.25, 2.0])
    model = gg.Sequential(gg.Dense(1, kernel_initializer="zeros", input_shape=(1,)), dtype="float64")
    trainer = gg.Trainer(model, "mse", gg.SGD(0.5))
    history = trainer.fit(x, y, sample_weight=w, verbose=0)
    assert history.history["loss"] == [(0.25 * 9 + 2 * 1) / 2]
    d = w * 2 * (0 - y) / 2
    assert model.parameters()[0].item() == -0.5 * (d @ x).item()
    assert model.parameters()[1].item() == -0.5 * d.sum()
    left = w * (model.predict(x)[:, 0] - y) ** 2
    assert trainer.evaluate(x, y, sample_weight=w)["loss"] == pytest.approx(left.sum() / 2, rel=1e-14)


def test_training_is_that_of_the_reference():
    model = gg.Sequential(gg.Dense(5, "tanh", input_shape=(4,)), gg.Dense(3), dtype="float64", seed=3)
    kernel, bias, *last = model.get_weights()
    twin = reference.Sequential([reference.Dense(kernel, bias), reference.Activation("tanh"), reference.Dense(*last)])
    options = {"loss": "cross_entropy", "optimizer": reference.SGD(0.1), "epochs": 3, "batch_size": 16, "seed": 3}
    expected = reference.train(twin, X, LABELS, weights=WEIGHTS, **options)
    trainer = gg.Trainer(model, "cross_entropy", gg.SGD(0.1))
    history = trainer.fit(X, LABELS, epochs=3, batch_size=16, sample_weight=WEIGHTS, verbose=0)
    np.testing.assert_allclose(history.history["loss"], expected.epochs, rtol=1e-12)
    unweighted = gg.Trainer(model.copy(), "cross_entropy").evaluate(X, LABELS)["loss"]
    assert abs(expected.epochs[-1] - unweighted) > 0.01


def test_ones_are_no_weights_and_zeros_are_no_rows():
    assert_same(fitted(), fitted(sample_weight=np.ones(50)))
    some = np.where(np.arange(50) < 30, 1.0, 0.0)
    zeroed = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    zeroed.fit(X, LABELS, batch_size=50, shuffle=False, sample_weight=some, verbose=0)
    fewer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.06))  # the mean is over 50 rows still
    fewer.fit(X[:30], LABELS[:30], batch_size=30, shuffle=False, verbose=0)
    for one, other in zip(zeroed.model.get_weights(), fewer.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "y",
    [LABELS, LABELS[:, None], np.eye(3)[LABELS], LABELS.astype(float)],
    ids=["labels", "column", "one-hot", "whole floats"],
)
@pytest.mark.parametrize("keys", [int, np.int64])
def test_class_weights_are_weights_of_their_rows(y, keys):
    by_class = {keys(label): weight for label, weight in BY_CLASS.items()}
    expected = fitted(sample_weight=OF_CLASSES)
    assert_same(expected, weights_after(classifier(), {"epochs": 2, "batch_size": 20, "class_weight": by_class}, y=y))
    assert not np.array_equal(expected[0], fitted()[0])


def test_class_weights_of_one_output():
    y = (LABELS > 0).astype(float)
    model = gg.Sequential(gg.Dense(1, input_shape=(4,)))
    gg.Trainer(model, "mse").fit(X, y, class_weight={1: 3.0}, verbose=0)
    same = gg.Sequential(gg.Dense(1, input_shape=(4,)))
    gg.Trainer(same, "mse").fit(X, y, sample_weight=1 + 2 * y, verbose=0)
    assert_same(same.get_weights(), model.get_weights())


def test_weights_of_rows_and_classes_multiply():
    exact = np.round(WEIGHTS * 4) / 4
    assert_same(fitted(sample_weight=exact * OF_CLASSES), fitted(sample_weight=exact, class_weight=BY_CLASS))


def test_what_validation_weighs():
    trainer = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"])
    both = {"sample_weight": WEIGHTS, "class_weight": BY_CLASS}
    history = trainer.fit(X, LABELS, validation_split=0.2, verbose=0, **both)
    rows = trainer.evaluate(X[40:], LABELS[40:], sample_weight=WEIGHTS[40:])
    assert {name: history.history[f"val_{name}"][-1] for name in rows} == rows
    assert rows["loss"] != trainer.evaluate(X[40:], LABELS[40:])["loss"]
    history = trainer.fit(X, LABELS, validation_data=(X, LABELS), verbose=0, **both)
    assert history.history["val_loss"][-1] == trainer.evaluate(X, LABELS)["loss"]


def test_batches_bring_their_weights():
    cuts = [slice(i, i + 20) for i in range(0, 50, 20)]
    batches = [(X[rows], LABELS[rows], WEIGHTS[rows]) for rows in cuts]
    trainer = gg.Trainer(classifier(), "cross_entropy")
    history = trainer.fit(batches, epochs=2, class_weight=BY_CLASS, verbose=0)
    arrays = gg.Trainer(classifier(), "cross_entropy")
    options = {"batch_size": 20, "shuffle": False, "sample_weight": WEIGHTS, "class_weight": BY_CLASS}
    assert arrays.fit(X, LABELS, epochs=2, verbose=0, **options).history == history.history
    assert_same(arrays.model.get_weights(), trainer.model.get_weights())


def test_huge_weights_do_not_spoil_the_model():
    trainer = gg.Trainer(regressor(), "mse", gg.SGD(0.1))
    before = trainer.model.get_weights()
    with pytest.raises(gg.errors.TrainingDivergedError, match=r"of step 1 is not a finite number"):
        trainer.fit(X, VALUES * 100, sample_weight=np.full(50, 3e38), verbose=0)
    assert_same(before, trainer.model.get_weights())


NAN = np.where(np.arange(50) == 3, np.nan, 1.0)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"sample_weight": WEIGHTS[:-1]},
            ValueError,
            r"^sample_weight must have one weight a row, shape \(50,\); given \(49,\)$",
        ),
        (
            {"sample_weight": WEIGHTS[:, None]},
            ValueError,
            r"^sample_weight must have .* given \(50, 1\); pass sample_weight.reshape\(50\)$",
        ),
        ({"sample_weight": 2.0}, ValueError, r"^sample_weight must have one weight a row, shape \(50,\); given \(\)$"),
        (
            {"sample_weight": ["a"] * 50},
            TypeError,
            "^sample_weight must be an array of real numbers; given list of dtype",
        ),
        (
            {"sample_weight": NAN},
            ValueError,
            r"^sample_weight must be finite; sample_weight\[3\] is nan; give such rows the weight 0, or remove them$",
        ),
        (
            {"sample_weight": np.where(np.isnan(NAN), -0.5, 1.0)},
            ValueError,
            r"^sample_weight must be at least 0; sample_weight\[3\] is -0.5$",
        ),
        (
            {"sample_weight": np.full(50, 1e39)},
            ValueError,
            r"^sample_weight .* is 1e\+39; too large for float32: rescale",
        ),
        (
            {"class_weight": "balanced"},
            TypeError,
            r"^class_weight must be a dictionary like {0: 1.0, 1: 5.0}; given 'balanced'; balanced are "
            r"dict\(enumerate\(len\(y\) / \(classes \* np.bincount\(y\)\)\)\), for labels y$",
        ),
        ({"class_weight": [1.0, 2.0]}, TypeError, r"^class_weight must be a dictionary like .*; given \[1.0, 2.0\]$"),
        (
            {"class_weight": {"cat": 1.0}},
            TypeError,
            "^class_weight must have the classes' numbers, 0 to 2, as keys; given 'cat'$",
        ),
        (
            {"class_weight": {1.0: 1.0}},
            TypeError,
            "^a key of class_weight must be an integer; given 1.0 of type float$",
        ),
        (
            {"class_weight": {3: 1.0}},
            ValueError,
            "^class_weight must have keys from 0 to 2, the model's classes; given 3$",
        ),
        ({"class_weight": {1: -1.0}}, ValueError, r"^class_weight\[1\] must be finite and >= 0; given -1.0$"),
        ({"class_weight": {1: 1e39}}, ValueError, r"^class_weight\[1\] must be finite in float32; given 1e\+39$"),
        ({"class_weight": {1: "2"}}, TypeError, r"^class_weight\[1\] must be a number; given '2' of type str$"),
        (
            {"class_weight": {1: 2.0}, "y": np.full((50, 3), 1 / 3)},
            ValueError,
            "^class_weight needs classes: labels, one-hot rows, or 0 and 1 in one column; y holds other values: weigh "
            "the rows by sample_weight$",
        ),
    ],
)
def test_wrong_weights(options, error, message):
    model = gg.Sequential(gg.Dense(3))
    with pytest.raises(error, match=message):
        gg.Trainer(model, "cross_entropy").fit(**{"x": X, "y": LABELS, "verbose": 0, **options})
    assert model.input_shape is None
