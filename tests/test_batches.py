"""Iterables of batches: the same steps as from arrays, in the same order, whatever the thread that reads ahead does."""

import gc
import itertools
import math
import os
import signal
import threading
import time

import numpy as np
import pytest

import ganglion as gg
from ganglion.errors import TrainingDivergedError
from ganglion.read_ahead import DEPTH, ReadAhead
from small_models import LABELS, VALUES, X, assert_same, classifier, regressor, weights_after

ROWS = [slice(i, i + 20) for i in range(0, 50, 20)]
PAIRS = [(X[rows], LABELS[rows]) for rows in ROWS]
IN_ORDER = {"batch_size": 20, "shuffle": False}


class Again:
    """Begins anew each time."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


class Indexed:
    """What Keras's data sets and others are like: a length and items."""

    def __len__(self):
        return len(PAIRS)

    def __getitem__(self, index):
        return PAIRS[index]


def generator(pairs=PAIRS):
    yield from pairs


ITERABLES = {
    "list of tuples": PAIRS,
    "object": Again(PAIRS),
    "lists in place of tuples": Again([list(pair) for pair in PAIRS]),
    "length and items": Indexed(),
    "lists of numbers": [(x.tolist(), y.tolist()) for x, y in PAIRS],
}


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = threading.active_count()
    yield
    gc.collect()
    until = time.monotonic() + 5  # where Ctrl-C came at a bad time its thread is told to end, and nobody waited for it
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() == before


@pytest.mark.parametrize("kind", ITERABLES)
@pytest.mark.parametrize("verbose", [0, 2])
@pytest.mark.parametrize("optimizer", ["adam", gg.SGD(gg.LinearDecay(0.1, 0.0, 7), momentum=0.9)])
def test_batches_are_the_steps_of_arrays(kind, verbose, optimizer, capsys):
    arrays, batches = (gg.Trainer(classifier(), "cross_entropy", optimizer, ["accuracy"]) for _ in range(2))
    expected = arrays.fit(X, LABELS, epochs=3, verbose=0, **IN_ORDER)
    history = batches.fit(ITERABLES[kind], epochs=3, verbose=verbose)
    assert_same(arrays.model.get_weights(), batches.model.get_weights())
    assert history.history == expected.history
    assert history.epoch == [0, 1, 2]
    assert capsys.readouterr().out.count("samples/s") == (3 if verbose else 0)
    assert (arrays._latest.epoch, arrays._latest.step) == (batches._latest.epoch, batches._latest.step)
    for trainer in (arrays, batches):  # and so they go on
        trainer.fit(X, LABELS, epochs=2, verbose=0)
    assert_same(arrays.model.get_weights(), batches.model.get_weights())


def test_a_generator_is_an_epoch():
    trainer = gg.Trainer(classifier(), "cross_entropy")
    for _ in range(3):
        trainer.fit(generator(), verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 3, **IN_ORDER}), trainer.model.get_weights())
    trainer.fit(generator(), epochs=7, initial_epoch=6, verbose=0)
    assert (trainer.history.epoch, trainer._latest.epoch) == ([6], 7)


def test_batches_of_all_sizes():
    cuts = [0, 7, 8, 30, 31, 33, 50]
    sizes = [slice(a, b) for a, b in itertools.pairwise(cuts)]
    trainer = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"])
    history = trainer.fit([(X[rows], LABELS[rows]) for rows in sizes], epochs=2, verbose=0)
    same = gg.Trainer(classifier(), "cross_entropy", metrics=["accuracy"])
    losses = []
    for rows in sizes * 2:
        before = same.evaluate(X[rows], LABELS[rows])
        same.train_on_batch(X[rows], LABELS[rows])
        losses.append([before[name] * (rows.stop - rows.start) / 50 for name in before])
    assert_same(same.model.get_weights(), trainer.model.get_weights())
    means = np.reshape(losses, (2, len(sizes), 2)).sum(axis=1)
    np.testing.assert_allclose(np.transpose(list(history.history.values())), means, rtol=1e-6)


def test_kinds_of_targets_may_change_within_an_epoch():
    mixed = [(x, np.eye(3)[y] if i % 2 else y) for i, (x, y) in enumerate(PAIRS)]
    trainer = gg.Trainer(classifier(), "cross_entropy")
    history = trainer.fit(mixed, epochs=2, verbose=0)
    assert_same(weights_after(classifier(), {"epochs": 2, **IN_ORDER}), trainer.model.get_weights())
    plain = gg.Trainer(classifier(), "cross_entropy").fit(PAIRS, epochs=2, verbose=0)
    assert history.history == plain.history


def test_an_open_model_gets_its_sizes_from_the_first_batch():
    model = gg.Sequential(gg.Dense(8, "tanh"), gg.Dense(3))
    gg.Trainer(model, "cross_entropy").fit(generator(), verbose=0)
    assert_same(weights_after(classifier(), IN_ORDER), model.get_weights())


def test_validation_and_callbacks(capsys):
    seen = []
    trainer = gg.Trainer(classifier(), "cross_entropy")
    ends = gg.LambdaCallback(
        on_batch_begin=lambda step, logs: seen.append(("begin", step)),
        on_batch_end=lambda step, logs: seen.append(("end", step, sorted(logs))),
        on_epoch_end=lambda epoch, logs: seen.append((epoch, sorted(logs))),
    )
    history = trainer.fit(Again(PAIRS), epochs=2, validation_data=(X, LABELS), callbacks=[ends], verbose=2)
    batches = [entry for step in range(3) for entry in (("begin", step), ("end", step, ["loss"]))]
    assert seen == [*batches, (0, ["loss", "val_loss"]), *batches, (1, ["loss", "val_loss"])]
    assert history.history["val_loss"][-1] == trainer.evaluate(X, LABELS)["loss"]
    assert_same(weights_after(classifier(), {"epochs": 2, **IN_ORDER}), trainer.model.get_weights())
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_request_to_stop(at):
    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    stop = gg.LambdaCallback(on_batch_end=lambda step, logs: setattr(trainer, "stop_training", step == at))
    history = trainer.fit(Again(PAIRS), epochs=3, callbacks=[stop], verbose=0)
    assert trainer._latest.step == at + 1
    assert history.epoch == []  # nothing says that the third batch is the last
    assert trainer._latest.epoch == 0
    trainer.fit(PAIRS, verbose=0)
    assert trainer.history.epoch == [0]


def test_what_the_iterable_raises_says_where():
    def broken():
        yield from PAIRS[:2]
        raise OSError("the disk is gone")

    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    with pytest.raises(OSError, match=r"^the disk is gone") as caught:
        trainer.fit(broken(), verbose=0)
    assert caught.value.__notes__ == ["raised by x, the iterable of batches, when asked for batch 2 of epoch 0"]
    assert any(entry.name == "broken" for entry in caught.traceback)
    same = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    for x, y in PAIRS[:2]:
        same.train_on_batch(x, y)
    assert_same(same.model.get_weights(), trainer.model.get_weights())
    assert (trainer.history.epoch, trainer._latest.epoch) == ([], 0)
    trainer.fit(PAIRS, epochs=2, verbose=0)


def nan_at(row, column):
    x = PAIRS[1][0].copy()
    x[row, column] = np.nan
    return x


WRONG_BATCHES = [
    (3, TypeError, r"^batch 1 of epoch 0: a batch must be \(x, y\) or \(x, y, sample_weight\); given int$"),
    (X, TypeError, r"^batch 1 of epoch 0: a batch must be \(x, y\) or \(x, y, sample_weight\); given ndarray$"),
    ((X,), ValueError, r"^batch 1 of epoch 0: a batch must be .*; given a tuple of length 1$"),
    ((X, LABELS, LABELS, 0), ValueError, r"^batch 1 of epoch 0: a batch must be .*; given a tuple of length 4$"),
    ((X, None), TypeError, "^batch 1 of epoch 0: y is missing: give one target for each row; given None$"),
    ((X, LABELS[:-1]), ValueError, "^batch 1 of epoch 0: x and y must have as many rows; x has 50, y has 49$"),
    ((X[:0], LABELS[:0]), ValueError, r"^batch 1 of epoch 0: x must have at least one row; given \(0, 4\)$"),
    ((X[:, :3], LABELS), ValueError, r"^batch 1 of epoch 0: x must have shape \(n, 4\).* given \(50, 3\)$"),
    ((X[0], 1), ValueError, r"^batch 1 of epoch 0: x must have .*; for one sample pass x\[None, :\]$"),
    (
        (X, LABELS + 1),
        ValueError,
        r"^batch 1 of epoch 0: y must hold labels 0 to 2.*; if yours start at 1, pass y - 1$",
    ),
    ((nan_at(3, 2), PAIRS[1][1]), ValueError, r"^batch 1 of epoch 0: x\[3, 2\] is nan; every feature must be a finite"),
    ((nan_at(3, 2).tolist(), PAIRS[1][1]), ValueError, r"^batch 1 of epoch 0: x\[3, 2\] is nan; every feature must be"),
    (
        (X, LABELS, LABELS - 1),
        ValueError,
        r"^batch 1 of epoch 0: sample_weight must be at least 0; sample_weight\[\d+\] is -1$",
    ),
    (
        (X, LABELS, 1.0),
        ValueError,
        r"^batch 1 of epoch 0: sample_weight must have one weight a row, shape \(50,\); given",
    ),
]


@pytest.mark.parametrize(("batch", "error", "message"), WRONG_BATCHES)
@pytest.mark.parametrize("build", [True, False])
def test_a_wrong_batch_leaves_the_model_as_the_step_before_did(batch, error, message, build):
    model = classifier() if build else gg.Sequential(gg.Dense(8, "tanh"), gg.Dense(3))
    trainer = gg.Trainer(model, "cross_entropy", gg.SGD(0.1))
    with pytest.raises(error, match=message):
        trainer.fit(Again([PAIRS[0], batch]), verbose=0)
    same = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.1))
    same.train_on_batch(*PAIRS[0])
    assert_same(same.model.get_weights(), model.get_weights())
    trainer.fit(PAIRS, verbose=0)
    same.fit(PAIRS, verbose=0)
    assert_same(same.model.get_weights(), model.get_weights())


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (
            generator(),
            {"epochs": 2},
            ValueError,
            "^x is a generator, which can be gone through only once, and 2 epochs were asked for: give an object whose "
            "__iter__ begins anew, or call fit once for each epoch with a new one$",
        ),
        (
            zip(X, LABELS, strict=True),
            {"epochs": 5, "initial_epoch": 2},
            ValueError,
            "^x is a zip, .* and 3 epochs were asked for",
        ),
        (
            generator,
            {},
            TypeError,
            r"^x must be an array of real numbers; given a function; pass what it gives, x\(\)$",
        ),
        (generator(()), {}, ValueError, "^x gave no batch in epoch 0; an iterator that has been gone through gives"),
        (
            Again(PAIRS),
            {"y": LABELS},
            TypeError,
            r"^x is an iterable of batches \(x, y\), which bring their targets: leave out y$",
        ),
        (
            PAIRS,
            {"validation_split": 0.1},
            ValueError,
            "^validation_split needs arrays; with an iterable of batches give validation_data$",
        ),
        (
            PAIRS,
            {"sample_weight": np.ones(50)},
            ValueError,
            r"^sample_weight needs arrays; a batch of an iterable brings its own: \(x, y, sample_weight\)$",
        ),
        (PAIRS, {"class_weight": {3: 1.0}}, ValueError, "^batch 0 of epoch 0: class_weight must have keys from 0 to 2"),
        (X.tolist(), {}, TypeError, "^y is missing: give one target for each row; given None$"),
        ({"x": X}, {}, TypeError, "^x must be an array of real numbers; given dict of dtype object"),
    ],
)
def test_wrong_iterables(x, options, error, message):
    trainer = gg.Trainer(classifier(), "cross_entropy")
    with pytest.raises(error, match=message):
        trainer.fit(x, **{"verbose": 0, **options})
    assert_same(classifier().get_weights(), trainer.model.get_weights())


def test_divergence_keeps_the_last_good_step():
    pairs = [(X[rows], VALUES[rows]) for rows in ROWS]
    trainer = gg.Trainer(regressor(), "mse", gg.SGD(1e20), ["accuracy"])
    with pytest.raises(
        TrainingDivergedError, match=r"^layer 'dense\w*': the \w+ of step (\d+) is not a finite"
    ) as caught:
        trainer.fit(pairs, epochs=100, verbose=0)
    step = int(str(caught.value).split(" of step ")[1].split(" ")[0])
    assert trainer._latest.step == step - 1
    assert len(trainer.history.epoch) == (step - 1) // 3
    assert all(np.isfinite(weights).all() for weights in trainer.model.get_weights())


def test_an_interrupt_leaves_a_usable_model():
    trainer = gg.Trainer(classifier(), "cross_entropy")
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        trainer.fit(PAIRS, epochs=10**7, verbose=0)
    timer.join()
    assert 0 < len(trainer.history.epoch) < 10**7
    assert math.isfinite(trainer.evaluate(X, LABELS)["loss"])
    trainer.fit(PAIRS, verbose=0)


def test_an_interrupt_while_the_iterable_is_waited_for():
    release = threading.Event()

    def slow():
        yield PAIRS[0]
        release.wait(30)

    timers = [threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)), threading.Timer(0.5, release.set)]
    for timer in timers:
        timer.start()
    with pytest.raises(KeyboardInterrupt):
        gg.Trainer(classifier(), "cross_entropy").fit(slow(), verbose=0)
    for timer in timers:
        timer.join()


def test_a_few_batches_are_read_ahead_and_no_more():
    asked = []

    def counted():
        for i, pair in enumerate(PAIRS * 4):
            asked.append(i)
            yield pair

    ahead = []

    def wait(step, logs):
        del logs
        until = time.monotonic() + 5
        while len(asked) < min(12, step + 2 + DEPTH) and time.monotonic() < until:
            time.sleep(0.001)
        time.sleep(0.01)  # for one too many to come
        ahead.append(asked[-1] - step)

    gg.Trainer(classifier(), "cross_entropy").fit(
        counted(), callbacks=[gg.LambdaCallback(on_batch_begin=wait)], verbose=0
    )
    assert ahead == [DEPTH + 1] * (12 - DEPTH - 1) + list(range(DEPTH, -1, -1))


def test_read_ahead_closes_the_iterable_it_leaves():
    closed = threading.Event()

    def items():
        try:
            yield from itertools.count()
        finally:
            closed.set()

    source = items()
    with ReadAhead(source) as ahead:
        assert list(itertools.islice(ahead, 5)) == [0, 1, 2, 3, 4]
    source.close()
    assert closed.wait(5)


def test_read_ahead_raises_in_its_turn():
    def items():
        yield 1
        yield 2
        raise KeyError("three")

    taken = []
    with pytest.raises(KeyError, match="three"), ReadAhead(items()) as ahead:
        taken.extend(ahead)
    assert taken == [1, 2]
