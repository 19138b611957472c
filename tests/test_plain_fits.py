"""Fits that ask for nothing beside their epochs: the way of one call makes what the way of every other fit makes."""

import _thread
import math
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import ganglion as gg
from batch_cases import CONVERTED, ONE_HOT, READ_AS_THEY_ARE, trainer_of
from bits import assert_same_bits
from ganglion import plain_fit
from ganglion.callbacks import Monitor
from small_models import LABELS, VALUES, X, regressor

FIT = plain_fit.fit


@pytest.fixture
def plain(monkeypatch):
    """What the fits of this test gave, or raised, that took the way of one call."""
    taken = []

    def counted(*arguments, **options):
        try:
            result = FIT(*arguments, **options)
        except BaseException as error:
            taken.append(error)
            raise
        if result is not None:
            taken.append(result)
        return result

    monkeypatch.setattr(plain_fit, "fit", counted)
    return taken


@pytest.fixture
def by_the_other_way(monkeypatch):
    """A call during which no fit takes the way of one call."""

    def call(function):
        with monkeypatch.context() as patch:
            patch.setattr(plain_fit, "fit", lambda *arguments, **options: None)
            return function()

    return call


def assert_same_state(one, other):
    """Weights, counters and history; that of the moments shows in the weights of the next fit."""
    for a, b in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        assert_same_bits(a, b)
    for name in ("step", "epoch", "position"):
        assert getattr(one._latest, name) == getattr(other._latest, name)
    assert (one.history.history, one.history.epoch) == (other.history.history, other.history.epoch)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize(("case", "way"), [(c, True) for c in READ_AS_THEY_ARE] + [(c, False) for c in CONVERTED])
def test_same_epochs(case, way, shuffle, plain, by_the_other_way):
    loss, x, y = (READ_AS_THEY_ARE | CONVERTED)[case]
    trainer, other = trainer_of(loss), trainer_of(loss)
    options = {"epochs": 3, "batch_size": 16, "shuffle": shuffle, "verbose": 0}
    trainer.fit(x, y, **options)
    assert not plain  # there is nothing yet to take an epoch
    by_the_other_way(lambda: other.fit(x, y, **options))
    for epochs in (1, 4):
        history = trainer.fit(x, y, **{**options, "epochs": epochs})
        by_the_other_way(lambda epochs=epochs: other.fit(x, y, **{**options, "epochs": epochs}))
        assert_same_state(trainer, other)
        assert history is trainer.history and len(history.epoch) == epochs
        assert history.report.steps == other.history.report.steps == 4 * epochs
        assert 0 < history.seconds < 60
    assert len(plain) == (2 if way else 0)


# What a plain fit does not do, and a form of what it does that it leaves to others.
MORE = [
    {"validation_split": 0.2},
    {"validation_data": (X, LABELS)},
    {"sample_weight": np.linspace(0, 1, len(X))},
    {"class_weight": {1: 2.0}},
    {"callbacks": [lambda epoch, logs: None]},
    {"callbacks": []},
    {"initial_epoch": 1},
    {"verbose": 2},
    {"epochs": np.int64(2)},
    {"shuffle": np.bool_(False)},
    {"epochs": 0},
]


@pytest.mark.parametrize("more", MORE, ids=lambda more: next(iter(more)))
def test_what_asks_for_more_goes_the_other_way(more, plain, by_the_other_way):
    trainer, other = trainer_of("cross_entropy"), trainer_of("cross_entropy")
    options = {"epochs": 2, "verbose": 0} | more
    for one in (trainer, other):
        by_the_other_way(lambda one=one: one.fit(X, LABELS, verbose=0))
    trainer.fit(X, LABELS, **options)
    assert not plain
    by_the_other_way(lambda: other.fit(X, LABELS, **options))
    assert_same_state(trainer, other)


WRONG_ARGUMENTS = [
    {"epochs": -1},
    {"epochs": True},
    {"epochs": 2**31},
    {"batch_size": 0},
    {"batch_size": 2**31},
    {"batch_size": True},
    {"shuffle": 1},
    {"validation_split": False},
    {"validation_split": np.zeros(2)},
    {"callbacks": None},
    {"callbacks": np.zeros(2)},
    {"initial_epoch": False},
    {"verbose": np.zeros(2)},
    {"epoch": 2},
]
WRONG_DATA = [
    (X[:, :3], LABELS),
    (X, LABELS[:9]),
    (X[:0], LABELS[:0]),
    (X, LABELS + 1),
    (X, LABELS - 1),
    (X, ONE_HOT * 2),
    (X, ONE_HOT - 1),
    (X, np.where(ONE_HOT, np.nan, ONE_HOT)),
    (X, None),
    (X[0], LABELS),
    (LABELS, X),
    (np.where(X > 1, np.nan, X), LABELS),
    (np.where(X > 1, np.inf, X).astype(np.float64), LABELS),
    (np.where(X > 1, 1e300, X.astype(np.float64)), LABELS),
]
WRONG = [(X, LABELS, options) for options in WRONG_ARGUMENTS] + [(x, y, {}) for x, y in WRONG_DATA]


@pytest.mark.parametrize(("x", "y", "options"), WRONG)
def test_what_is_wrong_is_told_as_by_the_other_way(x, y, options, plain, by_the_other_way):
    trainer, other = trainer_of("cross_entropy"), trainer_of("cross_entropy")
    good = ONE_HOT if np.shape(y) == ONE_HOT.shape else LABELS  # of the same kind, so that nothing else is unusual
    for one in (trainer, other):
        by_the_other_way(lambda one=one: one.fit(X, good, epochs=2, verbose=0))
        one.stop_training = True
    history = trainer.history
    fit = {"verbose": 0, "batch_size": 8, "shuffle": False} | options
    with pytest.raises((TypeError, ValueError)) as told:
        trainer.fit(x, y, **fit)
    with pytest.raises(type(told.value)) as expected:
        by_the_other_way(lambda: other.fit(x, y, **fit))
    assert str(told.value) == str(expected.value)
    assert told.value.__cause__ is None and told.value.__suppress_context__ == expected.value.__suppress_context__
    assert trainer.stop_training == other.stop_training
    assert trainer.history is history
    assert_same_state(trainer, other)
    seen_by_the_core = re.search(r"x\[\d+, \d+\] is (nan|inf|too large)", str(told.value)) is not None
    assert plain == ([told.value] if seen_by_the_core else [])
    trainer.fit(X, good, verbose=0)
    by_the_other_way(lambda: other.fit(X, good, verbose=0))
    assert plain[-1] is trainer.history
    assert_same_state(trainer, other)


def test_more_by_position_is_refused(plain):
    trainer = trainer_of("cross_entropy")
    trainer.fit(X, LABELS, verbose=0)
    with pytest.raises(TypeError, match="fit takes x and y by position and all else by name, like epochs=5; given 5"):
        trainer.fit(X, LABELS, 5, verbose=0)
    assert not plain


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_on_the_trainers_threads_and_kernel_set(threads, plain):
    trainer = trainer_of("cross_entropy", threads=threads)
    for _ in range(2):
        report = trainer.fit(X, LABELS, verbose=0).report
        assert (report.team, report.kernel_set) == (threads, gg.machine.info().kernel_set)
    assert len(plain) == 1


def test_a_divergence_leaves_finished_epochs(plain, by_the_other_way):
    trainers = [gg.Trainer(regressor(seed=3), "mse", gg.SGD(0.1)) for _ in range(2)]
    for trainer in trainers:
        by_the_other_way(lambda trainer=trainer: trainer.fit(X, VALUES, verbose=0))
        trainer.learning_rate = 40.0
    fits = [lambda trainer=trainer: trainer.fit(X, VALUES, epochs=1000, verbose=0) for trainer in trainers]
    with pytest.raises(gg.errors.TrainingDivergedError) as told:
        fits[0]()
    with pytest.raises(gg.errors.TrainingDivergedError) as expected:
        by_the_other_way(fits[1])
    assert str(told.value) == str(expected.value)
    assert plain == [told.value]
    assert trainers[0].history.seconds > 0
    assert 1 < len(trainers[0].history.epoch) < 1000
    assert_same_state(*trainers)


def test_stopped_by_another_thread(plain):
    trainer = trainer_of("cross_entropy")
    trainer.fit(X, LABELS, verbose=0)
    trainer.stop_training = True  # of a fit before
    timer = threading.Timer(0.3, setattr, (trainer, "stop_training", True))
    timer.start()
    history = trainer.fit(X, LABELS, epochs=10**8, batch_size=10, verbose=0)
    timer.join()
    assert len(plain) == 1
    assert trainer.stop_training
    assert 0 < len(history.epoch) == trainer._latest.epoch - 1 < 10**8
    assert history.report.stopped and history.seconds > 0.2


def test_ctrl_c_keeps_the_finished_epochs(plain):
    trainer = trainer_of("cross_entropy")
    trainer.fit(X, LABELS, verbose=0)

    def interrupt():
        time.sleep(0.3)
        _thread.interrupt_main()

    sender = threading.Thread(target=interrupt)
    sender.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(X, LABELS, epochs=10**8, batch_size=10, verbose=0)
    sender.join()
    finished = len(trainer.history.epoch)
    assert 0 < finished == len(trainer.history.history["loss"]) == trainer._latest.epoch - 1
    assert trainer.history.seconds > 0.2
    assert [type(end) for end in plain] == [KeyboardInterrupt]
    trainer.fit(X, LABELS, verbose=0)
    assert len(plain) == 2 and trainer._latest.epoch == finished + 2
    assert math.isfinite(trainer.evaluate(X, LABELS)["loss"])


def test_one_call_at_a_time(plain):
    trainer = trainer_of("cross_entropy")
    trainer.fit(X, LABELS, verbose=0)
    with trainer.model.exclusively("evaluate"), pytest.raises(RuntimeError, match="cannot fit: this model is being"):
        trainer.fit(X, LABELS, verbose=0)
    trainer.fit(X, LABELS, verbose=0)
    assert len(plain) == 1


def test_an_epoch_under_way_and_a_look_are_dropped(plain, by_the_other_way):
    trainer, other = trainer_of("cross_entropy"), trainer_of("cross_entropy")
    for one in (trainer, other):
        stop = gg.LambdaCallback(on_batch_end=lambda step, logs, one=one: setattr(one, "stop_training", step == 1))
        one.fit(X, LABELS, batch_size=10, callbacks=[stop, Monitor(1)], verbose=0)
        assert one._latest.position == 2
    trainer.fit(X, LABELS, epochs=2, batch_size=10, verbose=0)
    by_the_other_way(lambda: other.fit(X, LABELS, epochs=2, batch_size=10, verbose=0))
    assert len(plain) == 1
    assert_same_state(trainer, other)
    assert trainer.history.monitored_steps == []


@pytest.mark.parametrize("own", ["rates", "loss"])
def test_what_needs_python_between_steps_goes_the_other_way(own, plain):
    loss = (lambda p, t: (((p - t) ** 2).mean(axis=1), p - t)) if own == "loss" else "mse"
    optimizer = gg.SGD(lambda step: 0.1 / (1 + step)) if own == "rates" else "adam"
    trainer = gg.Trainer(regressor(), loss, optimizer)
    for _ in range(2):
        trainer.fit(X, VALUES, verbose=0)
    assert not plain


def test_another_kind_of_targets(plain, by_the_other_way):
    """Moments go along when one-hot rows follow labels."""
    trainer, other = trainer_of("cross_entropy"), trainer_of("cross_entropy")
    for y in (LABELS, ONE_HOT, ONE_HOT, LABELS, LABELS):
        trainer.fit(X, y, verbose=0)
        by_the_other_way(lambda y=y: other.fit(X, y, verbose=0))
        assert_same_state(trainer, other)
    assert len(plain) == 2


def test_layers_added_since_are_refused(plain):
    trainer = trainer_of("cross_entropy")
    trainer.fit(X, LABELS, verbose=0)
    trainer.model.add(gg.Dense(3))
    with pytest.raises(RuntimeError, match="layers were added to the model after this trainer had seen it"):
        trainer.fit(X, LABELS, verbose=0)
    assert not plain


def test_an_error_before_the_first_step_changes_nothing(plain, monkeypatch):
    trainer = trainer_of("cross_entropy")
    history = trainer.fit(X, LABELS, verbose=0)
    trainer.stop_training = True

    def unknown():
        raise ValueError("kernel_set")

    monkeypatch.setattr(trainer, "_context", unknown)
    with pytest.raises(ValueError, match="kernel_set"):
        trainer.fit(X, LABELS, verbose=0)
    assert trainer.history is history and trainer.stop_training
    assert [type(end) for end in plain] == [ValueError]


# In a process of its own, whose allocator gives large arrays back at once. The label 2 is refused.
LARGE_TARGETS = """
import sys
from pathlib import Path
import numpy as np
import ganglion as gg

def grown(action):
    before = int(Path("/proc/self/statm").read_text().split()[1])
    held = action()
    return (int(Path("/proc/self/statm").read_text().split()[1]) - before) * 4096, held

rows = int(sys.argv[1])
x, labels = np.ones((rows, 1), np.uint8), np.ones(rows, np.uint8)
labels[-1] = int(sys.argv[2])
trainer = gg.Trainer(gg.Sequential(gg.Dense(2, input_shape=(1,))), "cross_entropy", threads=1)
trainer.fit(x[:100], labels[:100], verbose=0)
data = (trainer._context(), x, labels, trainer.loss.value_rule)
memory, report = grown(lambda: trainer._latest.try_epochs(*data, 10_000, 1, False, None))
print(memory, grown(lambda: np.full(rows, 1, np.int32))[0], report is not None)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("last", [1, 2])
def test_large_targets_are_not_kept(last):
    """Four bytes a label, 32 MB here, beside the 16 MiB that are kept."""
    rows = 8_000_000
    script = [sys.executable, "-c", LARGE_TARGETS, str(rows), str(last)]
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "131072"}
    result = subprocess.run(script, capture_output=True, text=True, check=True, env=environment)
    grown, of_labels, taken = result.stdout.split()
    assert int(grown) < rows * 2 < int(of_labels)
    assert taken == str(last == 1)
