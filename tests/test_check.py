"""The pre-flight check: it changes nothing, says nothing against what is sound, and finds rates that are good."""

import dataclasses
import math
import threading
import time

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_digits

import ganglion as gg
from check_cases import BYTES, LABELS, VALUES, YES, X, check, found, regress
from ganglion import Dense
from ganglion.preflight import Check, Finding, trials
from small_models import assert_same

ORDER = ["inputs", "constant features", "targets", "layers", "last layer", "first loss", "gradients"]
ORDER += ["learning rate", "overfits a batch"]
RISING = np.linspace(-2, 2, 50)[:, np.newaxis]


@pytest.mark.parametrize(
    "sound",
    [
        check,
        lambda: regress(optimizer=gg.Adam(0.01)),
        lambda: check(Dense(16, "relu"), Dense(1), loss="binary_cross_entropy", y=YES),
        lambda: check(Dense(16, "relu"), Dense(1, "sigmoid"), loss="binary_crossentropy", y=YES),
        lambda: check(Dense(16, "relu"), Dense(3, "softmax"), loss="sparse_categorical_crossentropy"),
        lambda: check(Dense(16, "relu"), gg.Dropout(0.5), Dense(3), y=np.eye(3)[LABELS]),
        lambda: check(Dense(16, "relu"), Dense(3), y=0.8 * np.eye(3)[LABELS] + 0.2 / 3),
        lambda: check(gg.Rescale(1 / 255), Dense(16, "relu"), Dense(3), x=BYTES),
        lambda: check(gg.BatchNormalization(), Dense(16, "relu"), Dense(3), x=1000 * X),
        lambda: check(gg.Flatten(), Dense(16, "relu"), Dense(3), x=X.reshape(200, 2, 2)),
        lambda: check(Dense(16, "tanh", kernel_regularizer="l2"), Dense(3), x=X.tolist(), y=LABELS.tolist()),
        lambda: check(optimizer=gg.SGD(0.1, momentum=0.9, clip_norm=1.0), metrics=["accuracy"]),
        lambda: check(optimizer=gg.Adam(gg.OneCycle(0.01, 1000))),
        lambda: check(optimizer=gg.Adam(lambda step: 0.01)),
        lambda: regress(Dense(13, "tanh"), Dense(1), x=RISING, y=np.sin(RISING), optimizer=gg.Adam(0.01)),
    ],
)
def test_nothing_is_said_against_what_is_sound(sound):
    result = sound()
    assert [(finding.name, finding.level, finding.remedy) for finding in result.findings] == [
        (name, "ok", "") for name in ORDER
    ]
    assert result.ok
    low, high = result.learning_rates
    assert 1e-6 <= low < high <= 10


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
def test_polars_labels_are_looked_at(dtype):
    result = check(x=pl.DataFrame(X), y=pl.Series(LABELS.astype(dtype)))
    assert result.ok and found(result, "targets").level == "ok"


def test_a_model_too_large_for_many_steps_may_be_on_its_way(monkeypatch):
    monkeypatch.setattr(trials, "WORK_BY_HEART", 1.0)
    assert found(check(Dense(2, "relu"), Dense(3)), "overfits a batch").level == "ok"
    stuck = check(Dense(2, "relu", kernel_initializer="zeros"), Dense(3))
    assert found(stuck, "overfits a batch").level == "warning"


@pytest.mark.parametrize("seed", range(3))
def test_rare_answers_are_learned_by_heart_too(seed):
    # the rate that lowers the loss most says no at once, and turns all units off
    x = load_digits().data / 16
    model = gg.Sequential(Dense(8, "relu"), Dense(1), seed=seed)
    result = gg.Trainer(model, "binary_cross_entropy").check(x, np.arange(len(x)) % 50 == 0, verbose=False)
    assert found(result, "overfits a batch").level == "ok"


# What must stay as it is


def network():
    layers = [Dense(12, "relu"), gg.BatchNormalization(), gg.Dropout(0.3), Dense(3)]
    return gg.Sequential(layers, seed=5)


def trained(checked_after, *, loss="cross_entropy", y=LABELS):
    """Histories and weights of three fits, with a check after one of them."""
    x, y = X.copy(), np.copy(y)
    trainer = gg.Trainer(network(), loss, gg.Adam(gg.Exponential(0.01, 10, 0.9), clip_norm=1.0), metrics=["accuracy"])
    histories = []
    for fit in range(3):
        if fit == checked_after:
            before = trainer.history
            trainer.check(x, y, verbose=False)
            assert trainer.history is before
        if fit == 1:
            trainer.learning_rate = 0.003
        histories.append(trainer.fit(x, y, epochs=2, batch_size=30, validation_split=0.2, verbose=0).history)
    np.testing.assert_array_equal(x, X)
    return histories, trainer.model.get_weights(), trainer.train_on_batch(X[:7], LABELS[:7])


@pytest.mark.parametrize("after", [0, 1, 2])
def test_training_goes_on_as_if_nothing_had_been(after):
    histories, weights, loss = trained(None)
    others, other_weights, other_loss = trained(after)
    assert others == histories
    assert other_loss == loss
    assert_same(weights, other_weights)


def test_a_model_without_sizes_stays_so():
    model = gg.Sequential(Dense(8, "relu"), Dense(3))
    trainer = gg.Trainer(model, "cross_entropy")
    trainer.check(X, LABELS, verbose=False)
    assert model.input_shape is None
    assert trainer.history is None
    trainer.fit(X[:, :3], LABELS, verbose=0)
    assert model.input_shape == (3,)


def test_global_random_numbers_are_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    check()
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_weights_of_ones_own_are_what_is_tried():
    model = gg.Sequential(Dense(1, input_shape=(4,)))
    trainer = gg.Trainer(model, "mse", gg.SGD(0.1))
    model.set_weights([np.array([[1.0], [-1.0], [2.0], [0.5]]), np.zeros(1)])  # those that VALUES are made with
    finding = found(trainer.check(X, VALUES, verbose=False), "learning rate")
    assert finding.level == "ok"
    assert finding.message.endswith("in 100 steps on 128 rows: there is hardly any left")


def test_a_functions_rates_are_not_asked_for():
    asked = []
    result = check(optimizer=gg.Adam(lambda step: asked.append(step) or 0.01))
    assert asked == []
    assert found(result, "learning rate").message.endswith(" suit Adam; a function's rates are not looked at")


def test_the_rate_that_was_set_is_what_is_looked_at():
    model = gg.Sequential(Dense(16, "relu"), Dense(3), seed=1)
    trainer = gg.Trainer(model, "cross_entropy", gg.Adam(gg.Cosine(0.01, 0, 9)))
    assert trainer.check(X, LABELS, verbose=False).ok
    trainer.learning_rate = 1e-7
    finding = found(trainer.check(X, LABELS, verbose=False), "learning rate")
    assert finding.message.startswith(
        "too small: from 1.15 on, the mean loss of 100 steps at 1e-07, the trainer's, is "
    )


# Rates that are known to be good


@pytest.mark.parametrize("size", [0.3, 1.0, 3.0])
def test_the_range_ends_where_descent_becomes_unstable(size):
    # One weight and all x = ±size: L = size² (w − a)², whose descent converges for rates below 1/size².
    x = size * np.tile([[1.0], [-1.0]], (64, 1))
    model = gg.Sequential(Dense(1, use_bias=False))
    result = gg.Trainer(model, "mse", gg.SGD(0.5 / size**2)).check(x, 5 * x, verbose=False)
    low, high = result.learning_rates
    assert found(result, "learning rate").level == "ok"
    assert 0.3 / size**2 <= high < 1 / size**2
    assert 3e-4 / size**2 <= low <= 0.03 / size**2
    too_large = gg.Trainer(model, "mse", gg.SGD(1.1 / size**2)).check(x, 5 * x, verbose=False)
    assert found(too_large, "learning rate").message.startswith("too large: ")


@pytest.mark.parametrize(
    ("optimizer", "usual"), [(gg.Adam, 1e-3), (gg.SGD, 0.1), (gg.RMSprop, 1e-3), (gg.AdaGrad, 0.01)]
)
def test_usual_rates_are_in_the_range(optimizer, usual):
    x = RANDOM.normal(size=(500, 50)).astype(np.float32)
    y = (x[:, :10] @ RANDOM.normal(size=(10, 5))).argmax(axis=1)
    result = check(Dense(64, "relu"), Dense(5), optimizer=optimizer(usual), x=x, y=y)
    low, high = result.learning_rates
    assert low <= usual <= high
    assert result.ok


RANDOM = np.random.default_rng(8)


# Reports


REPORT = """\
check of 4 rows of 2 features, CrossEntropy()
ok       inputs             x is 0 to 1
ok       constant features  none
ok       targets            2 classes, of 2 to 2 rows each
ok       layers             no hidden layer: such a model learns what is linear, and nothing else
ok       last layer         ends in logits, which the loss takes; predict gives logits"""


def test_the_report_is_printed(capsys):
    trainer = gg.Trainer(gg.Sequential(Dense(2), seed=1), "cross_entropy", gg.SGD(1e4))
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), [0, 1, 1, 0]
    result = trainer.check(x, y)
    assert capsys.readouterr().out == f"{result}\n"
    text = str(result)
    assert text.startswith(REPORT)
    assert "\nwarning  learning rate      too large: " in text
    assert f"\n{' ' * 28}→ lower it to about " in text
    assert text.endswith("\n1 warning")
    assert max(map(len, text.splitlines())) <= 130
    assert trainer.check(x, y, verbose=False) == result
    assert capsys.readouterr().out == ""
    assert repr(result) == "Check(ok=False, 1 warning)"


def test_a_check_is_a_frozen_value():
    sound, note = Finding("inputs", "ok", "x is 0 to 1"), Finding("order", "note", "sorted", "shuffle")
    assert Check((sound, note)).ok
    assert not Check((sound, dataclasses.replace(note, level="warning"))).ok
    assert not Check((sound, dataclasses.replace(note, level="error"))).ok
    assert repr(Check((sound,))) == "Check(ok=True, nothing to object to)"
    assert (
        str(Check((sound, note))) == "ok    inputs  x is 0 to 1\nnote  order   sorted\n              → shuffle\n1 note"
    )
    with pytest.raises(dataclasses.FrozenInstanceError):
        sound.level = "note"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_same_data_gives_the_same_report(threads):
    assert str(check(threads=threads)) == str(check())


def test_verbose_is_yes_or_no():
    trainer = gg.Trainer(gg.Sequential(Dense(3)), "cross_entropy")
    with pytest.raises(TypeError, match=r"^verbose must be True or False; given 2 of type int$"):
        trainer.check(X, LABELS, verbose=2)


# Whatever is given

GIVEN_X = {
    "numbers": X,
    "bytes": BYTES,
    "half": X.astype(np.float16),
    "wide": np.ones((200, 300)),
    "a row": X[:1],
    "a column": X[:, :1],
    "huge": 1e200 * X.astype(np.float64),
    "infinite": np.where(X > 2, np.inf, X),
    "of objects": X.astype(object),
    "a list": X.tolist(),
    "deep": X.reshape(200, 2, 2),
    "nothing": None,
    "empty": [],
    "text": "x",
    "a set": {1, 2},
    "a function": np.sum,
}
GIVEN_Y = {
    "labels": LABELS,
    "a column": LABELS[:, None],
    "one-hot": np.eye(3)[LABELS],
    "equal chances": np.full((200, 3), 1 / 3),
    "values": VALUES,
    "other labels": LABELS + 7,
    "infinite": np.full(200, np.inf),
    "zeros": np.zeros(200),
    "huge": 1e300 * VALUES.astype(np.float64),
    "a number": 1,
    "nothing": None,
    "text": ["a"] * 200,
}
LAYERS = {
    "classifier": [Dense(4, "relu"), Dense(3)],
    "built": [Dense(4, "relu", input_shape=(4,)), Dense(3, "softmax")],
    "regressor": [gg.BatchNormalization(), Dense(4, "tanh"), gg.Dropout(0.2), Dense(1)],
    "no weights": [gg.Flatten(), gg.ReLU()],
    "dropout": [gg.Dropout(0.5)],
}


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_crossentropy", "mse"])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("x", GIVEN_X)
def test_bad_data_is_never_raised(x, layers, loss):
    for y in GIVEN_Y.values():
        result = check(*LAYERS[layers], loss=loss, x=GIVEN_X[x], y=y, threads=1)
        assert result.findings
        assert all(finding.message in " ".join(str(result).split()) for finding in result.findings)


# Code of the user's


class Absolute(gg.CustomLoss):
    def values(self, output, target):
        return np.abs(output - target).sum(axis=1)

    def gradient(self, output, target):
        return np.sign(output - target)


class Broken(Absolute):
    def gradient(self, output, target):
        raise OSError("no gradient today")


class BrokenLater(Absolute):
    calls = 0

    def gradient(self, output, target):
        type(self).calls += 1
        if self.calls > 40:
            raise OSError("no gradient any more")
        return super().gradient(output, target)


class Sine(gg.CustomLayer):
    def forward(self, x):
        return np.sin(x)

    def backward(self, x, output, gradient):
        return gradient * np.cos(x)


def test_losses_and_layers_of_ones_own_are_tried():
    result = check(Dense(16), Sine(), Dense(1), loss=Absolute(), y=VALUES, optimizer=gg.Adam(0.01))
    assert result.ok
    assert [finding.name for finding in result.findings] == ORDER


@pytest.mark.parametrize(
    ("loss", "name", "message"),
    [(Broken, "last layer", "OSError: no gradient today"), (BrokenLater, "trials", "OSError: no gradient any more")],
)
def test_what_they_raise_is_a_finding(loss, name, message):
    finding = found(check(Dense(16, "relu"), Dense(1), loss=loss(), y=VALUES), name)
    assert (finding.level, finding.message) == ("error", message)


# Beside training


def test_a_callback_may_check_and_another_thread_must_wait():
    trainer = gg.Trainer(gg.Sequential(Dense(16, "relu"), Dense(3), seed=1), "cross_entropy")
    seen = []

    def attempt():
        try:
            seen.append(trainer.check(X, LABELS, verbose=False))
        except RuntimeError as error:
            seen.append(error)

    def both(epoch, logs):
        attempt()
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()

    trainer.fit(X, LABELS, callbacks=[both], verbose=0)
    inside, outside = seen
    assert isinstance(inside, Check)
    assert str(outside).startswith("cannot check: this model is being trained or evaluated")


# Large data


def test_large_data_is_looked_at_in_every_kth_row(monkeypatch):
    monkeypatch.setattr("ganglion.preflight.data.SCANNED", 200)
    x = X.copy()
    x[::4, 0] = 1
    result = check(x=x)
    assert found(result, "inputs").message == "x is -3.33 to 2.57 (1 row in 4)"
    said = "in 1 of 4 columns of x (0) all rows are the same (1 row in 4)"
    assert found(result, "constant features").message == said


@pytest.mark.slow
def test_a_large_model_on_mnists_shapes_takes_less_than_two_seconds():
    x = RANDOM.random((60_000, 784), np.float32)
    x[:, ::12] = 0
    y = RANDOM.integers(0, 10, 60_000)
    seconds = math.inf
    for _ in range(3):
        began = time.perf_counter()
        result = check(Dense(512, "relu"), Dense(512, "relu"), Dense(10), x=x, y=y)
        seconds = min(seconds, time.perf_counter() - began)
    assert [finding.name for finding in result.findings] == ORDER
    assert seconds < 2
