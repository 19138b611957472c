"""Loops over `train_on_batch`: the quick way in and the careful one make the same steps, and neither keeps memory."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import ganglion as gg
from batch_cases import CONVERTED, ONE_HOT, READ_AS_THEY_ARE, trainer_of
from bits import assert_same_bits
from ganglion import _ganglion_core as core
from ganglion import single_batch
from run_cases import data, network
from small_models import LABELS, VALUES, X, regressor


@pytest.fixture
def quick_steps(monkeypatch):
    """Counts the steps that took the quick way in."""
    made = []
    inner = single_batch.quick_step

    def counted(trainer, x, y):
        means = inner(trainer, x, y)
        if means is not None:
            made.append(means)
        return means

    monkeypatch.setattr(single_batch, "quick_step", counted)
    return made


@pytest.mark.parametrize(("case", "quick"), [(c, True) for c in READ_AS_THEY_ARE] + [(c, False) for c in CONVERTED])
def test_same_steps(case, quick, quick_steps):
    loss, x, y = (READ_AS_THEY_ARE | CONVERTED)[case]
    trainer, other = trainer_of(loss), trainer_of(loss)
    first = trainer.train_on_batch(x, y)
    assert not quick_steps  # there is nothing yet to take a step
    losses = [first, *(trainer.train_on_batch(x, y) for _ in range(4))]
    assert len(quick_steps) == (4 if quick else 0)
    expected = []
    for _ in range(5):
        history = other.fit(x, y, batch_size=len(X), shuffle=False, verbose=0)
        expected.append(history.history["loss"][0])
    assert losses == expected
    for one, two in zip(trainer.model.get_weights(), other.model.get_weights(), strict=True):
        assert_same_bits(one, two)


def test_metrics_and_epochs(quick_steps):
    trainer, other = trainer_of("cross_entropy"), trainer_of("cross_entropy")
    trainer.fit(X, LABELS, epochs=2, verbose=0)
    other.fit(X, LABELS, epochs=2, verbose=0)
    one, two = trainer.step_on_batch(X, LABELS), other.step_on_batch(X.tolist(), LABELS.tolist())
    assert len(quick_steps) == 1
    assert one == two and list(one) == ["loss", "accuracy"]
    trainer.fit(X, LABELS, verbose=0)
    other.fit(X, LABELS, verbose=0)
    assert trainer.history.history["loss"] == other.history.history["loss"]


WRONG = [
    ("mse", X[:, :3], VALUES, ValueError, r"x must have shape \(n, 4\)"),
    ("mse", X, VALUES[:9], ValueError, "x and y must have as many rows; x has 50, y has 9"),
    ("mse", X, VALUES[:, :1], ValueError, r"y must have the shape of the outputs, \(n, 2\)"),
    ("mse", X[:0], VALUES[:0], ValueError, "x must have at least one row"),
    ("mse", X, np.where(VALUES > 1, np.nan, VALUES), ValueError, r"y\[\d+, \d+\] is nan"),
    ("mse", np.where(X > 1, np.inf, X), VALUES, ValueError, r"x\[\d+, \d+\] is inf"),
    ("mse", np.ma.masked_greater(X, 1), VALUES, TypeError, "a masked array"),
    ("cross_entropy", X, LABELS + 1, ValueError, "if yours start at 1, pass y - 1"),
    ("cross_entropy", X, LABELS - 1, ValueError, r"y\[\d+\] is -1"),
    ("cross_entropy", X, ONE_HOT * 2, ValueError, "sums to 2, not 1"),
    ("cross_entropy", X, ONE_HOT - 1, ValueError, "must hold one-hot rows or distributions"),
]


@pytest.mark.parametrize(("loss", "x", "y", "error", "text"), WRONG)
def test_wrong_batches(loss, x, y, error, text, quick_steps):
    trainer = trainer_of(loss)
    good = ONE_HOT if loss == "cross_entropy" and np.ndim(y) == 2 else LABELS if loss == "cross_entropy" else VALUES
    trainer.train_on_batch(X, good)
    before = trainer.model.get_weights()
    with pytest.raises(error, match=text):
        trainer.train_on_batch(x, y)
    assert not quick_steps
    for one, two in zip(trainer.model.get_weights(), before, strict=True):
        assert_same_bits(one, two)
    trainer.train_on_batch(X, good)
    assert len(quick_steps) == 1


def test_other_kind_of_targets(quick_steps):
    """Moments go along when one-hot rows follow labels."""
    trainer, other = trainer_of("cross_entropy"), trainer_of("cross_entropy")
    losses = [trainer.train_on_batch(X, y) for y in (LABELS, ONE_HOT, ONE_HOT, LABELS)]
    assert len(quick_steps) == 1
    assert losses == [other.step_on_batch(X.tolist(), LABELS.tolist())["loss"] for _ in range(4)]


def test_divergence_leaves_the_model():
    trainer = gg.Trainer(regressor(seed=3), "mse", gg.SGD(1e-3))
    trainer.train_on_batch(X, VALUES)
    before = trainer.model.get_weights()
    with pytest.raises(gg.errors.TrainingDivergedError, match="step 2"):
        trainer.train_on_batch(X, np.full_like(VALUES, 3e38))
    for one, two in zip(trainer.model.get_weights(), before, strict=True):
        assert_same_bits(one, two)


def test_one_call_at_a_time():
    trainer = trainer_of("mse")
    trainer.train_on_batch(X, VALUES)
    with trainer.model.exclusively("fit"), pytest.raises(RuntimeError, match="cannot train_on_batch: this model is"):
        trainer.train_on_batch(X, VALUES)
    trainer.train_on_batch(X, VALUES)


def test_schedules_of_ones_own():
    rates = []
    trainer = gg.Trainer(regressor(), "mse", gg.SGD(lambda step: rates.append(step) or 0.1 / (1 + step)))
    for _ in range(3):
        trainer.train_on_batch(X, VALUES)
    assert rates[-3:] == [0, 1, 2]


# In a process of its own: memory that other tests freed would take what is kept here.
GROWTH = """
import gc, sys
from pathlib import Path
import numpy as np
from batch_cases import trainer_of
from small_models import LABELS, X

def grown(*actions):
    def repeat(times):
        for _ in range(times):
            for action in actions:
                action()
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    return -repeat(CALLS // 10) + repeat(CALLS)

CALLS, LEAK = map(int, sys.argv[1:])
trainer, kept = trainer_of("cross_entropy"), []
steps, predictions = lambda: trainer.train_on_batch(X, LABELS), lambda: trainer.model.predict(X[:1])
print(grown(steps, predictions), grown(lambda: kept.extend([None] * (LEAK // 8))))
"""


@pytest.mark.parametrize(("calls", "leak"), [(20_000, 128), pytest.param(1_000_000, 16, marks=pytest.mark.slow)])
def test_memory_is_flat(calls, leak):
    """Calls take less than 1 MiB, which calls that kept so few bytes each would exceed."""
    command = [sys.executable, "-c", GROWTH, str(calls), str(leak)]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    ran = subprocess.run(command, env=paths, capture_output=True, text=True, check=True)
    by_calls, by_what_is_kept = map(int, ran.stdout.split())
    assert by_calls < 1 << 20 < by_what_is_kept


@pytest.mark.parametrize("inner", [False, True])
def test_a_refused_step_leaves_the_batch_of_the_one_under_way(inner):
    """A loss that asks for another step while its own is made: the core refuses before it reads the other batch."""
    x, _ = data(300)  # more than the core hands to a loss at once
    targets, refused = x[:, :7].copy(), []
    net, context, rule = network(), core.Context(None, 1), core.Schedule("constant", 0.1)

    def squares(output, target):
        if inner:
            with pytest.raises(RuntimeError, match="is being trained already"):
                run.try_step(context, np.zeros_like(x), np.full_like(targets, 5), "any")
            refused.append(1)
        return ((output - target) ** 2).sum(axis=1), 2 * (output - target)

    run = core.Training(net, core.Loss(squares), "values", core.Optimizer("sgd"), rule, [])
    (loss,) = run.try_step(context, x, targets, "any")
    assert loss == pytest.approx(np.mean(np.sum((network().predict(context, x) - targets) ** 2, axis=1)), rel=1e-6)
    assert (run.step, len(refused) > 1) == (1, inner)


def test_threads_take_turns(quick_steps):
    """Steps of two threads do not overlap: each is made or refused."""
    trainer = trainer_of("mse")
    trainer.train_on_batch(X, VALUES)
    refused = []

    def train():
        for _ in range(300):
            try:
                trainer.train_on_batch(X, VALUES)
            except RuntimeError:
                refused.append(1)

    others = [threading.Thread(target=train) for _ in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert len(quick_steps) + len(refused) == 600
    assert trainer._latest.step == 1 + len(quick_steps)
