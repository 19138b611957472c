"""Losses, metrics and layers written in Python: they train like the core's own; what goes wrong in them is raised."""

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


def test_no_failure_is_kept_for_the_next_call():
    """NaN in x is what ends these calls, not the exception that it causes on the way, nor that of a second part."""

    class Finite(gg.CustomLayer):
        def forward(self, x):
            if not np.isfinite(x).all():
                raise ArithmeticError("not finite")
            return x

        def backward(self, x, output, gradient):
            return gradient

    bad = X.copy()
    bad[5, 1] = np.nan
    model = gg.Sequential(Finite(), gg.Dense(4), Finite(), gg.Dense(3), seed=0)
    trainer = gg.Trainer(model, "cross_entropy")
    torch_like = gg.nn.Sequential(Finite(), gg.nn.Linear(X.shape[1], 3))
    calls = (
        trainer.fit,
        trainer.evaluate,
        trainer.train_on_batch,
        lambda x, y: model.predict(x),
        lambda x, y: torch_like(x),
    )
    for act in calls:
        act(X, LABELS)
        with pytest.raises(ValueError, match=r"x\[5, 1\] is nan"):
            act(bad, LABELS)
        act(X, LABELS)


def test_targets_are_checked_as_for_other_losses():
    with pytest.raises(ValueError, match=r"y must have the shape of the outputs, \(n, 2\); given \(50,\)"):
        gg.Trainer(regressor(), Squares()).fit(X, LABELS, verbose=0)
    with pytest.raises(ValueError, match="y must hold labels 0 to 2, as the model has 3 outputs"):
        gg.Trainer(classifier(), Logistic()).fit(X, LABELS + 2, verbose=0)
    for y in (1, np.stack([LABELS, LABELS], axis=1)):
        with pytest.raises(ValueError, match=r"^y must hold labels of shape \(n,\); given \("):
            gg.Trainer(classifier(), Logistic()).fit(X, y, verbose=0)


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
        ValueError,
        match="the reference has no Squares to compare with: verify the model with the core's losses and layers",
    ):
        gg.verify(regressor(), X, VALUES, loss=Squares())


class Tanh(gg.CustomLayer):
    """The core's, in NumPy."""

    def forward(self, x):
        return np.tanh(x)

    def backward(self, x, output, gradient):
        return gradient * (1 - output**2)


class Softmax(gg.CustomLayer):
    """A layer that looks at whole rows."""

    def forward(self, x):
        powers = np.exp(x - x.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def backward(self, x, output, gradient):
        return output * (gradient - (gradient * output).sum(axis=1, keepdims=True))


class Broken(gg.CustomLayer):
    """Does something else in the given method."""

    def __init__(self, method, act):
        self.method, self.act = method, act

    def forward(self, x):
        return self.act(x) if self.method == "forward" else x

    def backward(self, x, output, gradient):
        return self.act(gradient) if self.method == "backward" else gradient


def with_layer(layer, dtype="float32", **options):
    return gg.Sequential(
        gg.Dense(40, input_shape=(4,)), layer, gg.Dense(40), gg.ReLU(), gg.Dense(2), seed=5, dtype=dtype
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("own", "layer"), [(Tanh, gg.Tanh), (Softmax, gg.Softmax)])
def test_a_layer_trains_like_the_core_s_own(own, layer, dtype):
    results = []
    for each in (own(), layer()):
        model = with_layer(each, dtype)
        history = gg.Trainer(model, "mse", gg.SGD(0.05)).fit(X, VALUES, epochs=5, batch_size=16, verbose=0)
        results.append((history.history["loss"], model.get_weights(), model.predict(X)))
    tolerance = 1e-11 if dtype == "float64" else 1e-4
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=tolerance)
    np.testing.assert_allclose(results[0][2], results[1][2], rtol=tolerance, atol=tolerance)
    for one, two in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_allclose(one, two, rtol=100 * tolerance, atol=tolerance)


def test_a_layer_has_the_same_bits_on_every_set_and_team():
    x, y = np.tile(X, (6, 1)), np.tile(VALUES, (6, 1))
    expected = None
    try:
        for kernel_set in SETS:
            gg.use_kernel_set(kernel_set)
            for threads, batch_size in ((1, 150), (2, 150), (3, 150), (2, 10)):
                model = with_layer(Softmax())
                trainer = gg.Trainer(model, "mse", "adam", threads=threads)
                trainer.fit(x, y, epochs=1, batch_size=batch_size, verbose=0)
                found = [*model.get_weights(), model.predict(x, threads=threads), model.predict(x[:2], threads=threads)]
                assert_same_bits(found[-1], found[-2][:2])
                if batch_size == 150:
                    expected = expected or found
                    for one, two in zip(found, expected, strict=True):
                        assert_same_bits(one, two)
    finally:
        gg.use_kernel_set(None)


@pytest.mark.parametrize("at", [0, 2])
def test_a_layer_may_stand_first_and_last(at):
    layers = [gg.Dense(4), gg.Dense(2)]
    layers.insert(at, Tanh())
    model = gg.Sequential(layers, seed=1)
    history = gg.Trainer(model, "mse", gg.SGD(0.1)).fit(X, VALUES, epochs=20, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    twin = [gg.Dense(4), gg.Dense(2)]
    twin.insert(at, gg.Tanh())
    model.summary()
    other = gg.Sequential(twin, seed=1)
    gg.Trainer(other, "mse", gg.SGD(0.1)).fit(X, VALUES, epochs=20, verbose=0)
    np.testing.assert_allclose(model.predict(X), other.predict(X), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(
    ("method", "act", "error", "text"),
    [
        ("forward", fail, OSError, "no such luck"),
        ("backward", fail, OSError, "no such luck"),
        (
            "forward",
            lambda x: x[:, :1],
            ValueError,
            r"Broken.forward must return shape \(50, 40\), .* it returned \(50, 1\)",
        ),
        ("backward", lambda x: x.T, ValueError, r"Broken.backward must return shape \(50, 40\)"),
        ("forward", lambda x: x * np.nan, gg.errors.TrainingDivergedError, "layer 'broken': the output of step 1"),
    ],
)
def test_what_goes_wrong_in_a_layer_is_raised(method, act, error, text):
    model = with_layer(Broken(method, act))
    before = model.get_weights()
    with pytest.raises(error, match=text):
        gg.Trainer(model, "mse", threads=1).fit(X, VALUES, batch_size=50, verbose=0)
    for one, two in zip(model.get_weights(), before, strict=True):
        assert_same_bits(one, two)
    if method == "forward" and error is not gg.errors.TrainingDivergedError:
        with pytest.raises(error, match=text):
            model.predict(X, threads=1)
    gg.Trainer(with_layer(Tanh()), "mse").fit(X, VALUES, verbose=0)


def test_no_file_holds_a_layer_of_ones_own(tmp_path):
    with pytest.raises(
        ValueError, match="layer 'tanh' is a Tanh, written in Python, which no file or copy of a model can hold"
    ):
        with_layer(Tanh()).save(tmp_path / "model.safetensors")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="the reference has no Tanh"):
        gg.verify(with_layer(Tanh()), X, VALUES, loss="mse")
