"""Losses and metrics written in Python: they train like the core's own, and what goes wrong in them is raised."""

import threading

import numpy as np
import pytest

import ganglion as gg
from bits import DTYPES, SETS, assert_same_bits
from small_models import LABELS, VALUES, X, classifier, regressor


class Squares(gg.CustomLoss):
    """The core's sum of squares, ½ Σ (z - t)², in NumPy."""

    def values(self, output, target):
        return ((output - target) ** 2).sum(axis=1) / 2

    def gradient(self, output, target):
        return output - target


class Logistic(gg.CustomLoss):
    """Cross-entropy from logits and labels."""

    takes_labels = True

    def values(self, output, target):
        shifted = output - output.max(axis=1, keepdims=True)
        return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(target)), target]

    def gradient(self, output, target):
        powers = np.exp(output - output.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True) - np.eye(output.shape[1])[target]


class Right(gg.CustomMetric):
    """The core's accuracy."""

    def values(self, output, target):
        return output.argmax(axis=1) == target


class Wrong(Squares):
    """Does something else in the given method from the given call on."""

    def __init__(self, method, act, after=0):
        self.method, self.act, self.left = method, act, after

    def values(self, output, target):
        return self._now("values", super().values(output, target))

    def gradient(self, output, target):
        return self._now("gradient", super().gradient(output, target))

    def _now(self, method, value):
        if method != self.method:
            return value
        self.left -= 1
        return value if self.left >= 0 else self.act(value)


def fail(_):
    raise OSError("no such luck")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("own", "loss", "y"), [(Squares(), "sum_squares_error", VALUES), (Logistic(), "cross_entropy", LABELS)]
)
def test_training_like_the_core_s_own(own, loss, y, dtype):
    make = classifier if loss == "cross_entropy" else regressor
    weights = np.linspace(0, 2, len(X))
    results = []
    for each in (own, loss):
        model = make(seed=2, dtype=dtype)
        history = gg.Trainer(model, each, gg.SGD(0.05)).fit(
            X, y, epochs=5, batch_size=16, sample_weight=weights, verbose=0
        )
        results.append((history.history["loss"], model.get_weights()))
    (losses, found), (expected_losses, expected) = results
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(losses, expected_losses, rtol=tolerance)
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=100 * tolerance, atol=tolerance)
    assert losses[-1] < losses[0]


def test_the_same_bits_on_every_set_team_and_plan():
    x, y = np.tile(X, (6, 1)), np.tile(VALUES, (6, 1))
    expected = None
    try:
        for kernel_set in SETS:
            gg.use_kernel_set(kernel_set)
            for threads in (1, 2, 3):
                model = regressor(seed=2)
                trainer = gg.Trainer(model, Squares(), "adam", threads=threads)
                history = trainer.fit(x, y, epochs=2, batch_size=150, verbose=0)
                assert history.report.team == threads
                found = [*model.get_weights(), np.array(history.history["loss"]), trainer.evaluate(x, y)["loss"]]
                for one, two in zip(found, expected or found, strict=True):
                    assert_same_bits(one, two)
                expected = found
    finally:
        gg.use_kernel_set(None)


def test_a_metric_of_ones_own():
    trainer = gg.Trainer(classifier(), "cross_entropy", "adam", metrics=["accuracy", Right()])
    history = trainer.fit(X, LABELS, epochs=4, batch_size=16, validation_split=0.2, verbose=0).history
    assert history["right"] == history["accuracy"] and history["val_right"] == history["val_accuracy"]
    result = trainer.evaluate(X, LABELS)
    assert result["right"] == result["accuracy"]
    assert trainer.step_on_batch(X, LABELS)["right"] == result["right"]


def test_a_metric_sees_the_model_s_outputs():
    """Also where the loss has taken over the last softmax."""
    seen = []

    class Sums(gg.CustomMetric):
        def values(self, output, target):
            seen.append(output)
            return output.sum(axis=1)

    model = gg.Sequential(gg.Dense(3, "softmax", input_shape=(4,)))
    assert gg.Trainer(model, "cross_entropy", metrics=[Sums()]).evaluate(X, LABELS)["sums"] == pytest.approx(1)
    np.testing.assert_array_equal(np.concatenate(seen), model.predict(X))


WRONG = [
    ("values", fail, OSError, "no such luck"),
    ("gradient", fail, OSError, "no such luck"),
    (
        "values",
        lambda v: v[:, None],
        ValueError,
        r"Wrong.values must return shape \(50,\), a value for each row; it returned \(50, 1\)",
    ),
    (
        "gradient",
        lambda g: g[:, :1],
        ValueError,
        r"Wrong.gradient must return shape \(50, 2\), a value for each output of each row",
    ),
    ("values", lambda _: "many", TypeError, "Wrong.values must be an array of real numbers"),
    ("values", lambda v: v * np.nan, gg.errors.TrainingDivergedError, "the loss of step 3 is not a finite number"),
    ("gradient", lambda g: g * np.inf, gg.errors.TrainingDivergedError, "the gradient of step 3"),
]


@pytest.mark.parametrize(("method", "act", "error", "text"), WRONG)
@pytest.mark.parametrize("way", ["fit", "train_on_batch"])
def test_what_goes_wrong_is_raised_before_the_weights_change(way, method, act, error, text):
    model, good = regressor(seed=2), regressor(seed=2)
    trainer = gg.Trainer(model, Wrong(method, act, after=2), gg.SGD(0.05), threads=1)
    two = gg.Trainer(good, Squares(), gg.SGD(0.05), threads=1)
    two.fit(X, VALUES, epochs=2, batch_size=50, shuffle=False, verbose=0)

    def train():
        if way == "fit":
            trainer.fit(X, VALUES, epochs=5, batch_size=50, shuffle=False, verbose=0)
        for _ in range(5):
            trainer.train_on_batch(X, VALUES)

    with pytest.raises(error, match=text):
        train()
    for one, other in zip(model.get_weights(), good.get_weights(), strict=True):
        assert_same_bits(one, other)


def test_a_failing_metric_is_raised():
    class Never(gg.CustomMetric):
        def values(self, output, target):
            raise LookupError("not today")

    trainer = gg.Trainer(classifier(), "cross_entropy", metrics=[Never()])
    for act in (trainer.fit, trainer.evaluate, trainer.train_on_batch):
        with pytest.raises(LookupError, match="not today"):
            act(X, LABELS)
    trainer = gg.Trainer(classifier(), "cross_entropy")
    trainer.evaluate(X, LABELS)


def test_targets_are_checked_as_for_other_losses():
    with pytest.raises(ValueError, match=r"y must have the shape of the outputs, \(n, 2\); given \(50,\)"):
        gg.Trainer(regressor(), Squares()).fit(X, LABELS, verbose=0)
    with pytest.raises(ValueError, match="y must hold labels 0 to 2, as the model has 3 outputs"):
        gg.Trainer(classifier(), Logistic()).fit(X, LABELS + 2, verbose=0)


def test_two_trainings_at_once():
    """Each has the errors of its own loss."""
    found = {}

    def train(name, loss):
        try:
            gg.Trainer(regressor(), loss, threads=2).fit(
                np.tile(X, (40, 1)), np.tile(VALUES, (40, 1)), epochs=3, verbose=0
            )
            found[name] = None
        except OSError as error:
            found[name] = error

    callers = [
        threading.Thread(target=train, args=(name, loss))
        for name, loss in (("good", Squares()), ("bad", Wrong("values", fail, after=30)))
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert found["good"] is None and isinstance(found["bad"], OSError)


def test_verify_says_that_it_does_not_know_it():
    with pytest.raises(
        ValueError, match="the reference has no Squares to compare with: verify the model with a loss of the core's"
    ):
        gg.verify(regressor(), X, VALUES, loss=Squares())
