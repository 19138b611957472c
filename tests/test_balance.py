"""What part of a step each thread takes: any give the same bits, a slow thread gets less, others take over from it."""

import os
import threading
import time

import numpy as np
import pytest

import ganglion as gg
from bits import assert_same_bits
from ganglion import _ganglion_core as core
from run_cases import PLANS, SETS, data, digest, network, train, training
from small_models import VALUES, X, regressor


@pytest.mark.parametrize("parts", [((1, 3), (3, 1)), ((9, 1), (2, 8)), ((1, 1e-6), (1e-6, 1)), ((1, 2, 3), (3, 2, 1))])
@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uneven_parts_give_the_same_bits(dtype, plan, parts):
    expected = train(SETS[0], 1, plan, dtype=dtype, steps=40)[0]
    for kernel_set in [name for name in SETS if name not in ("scalar", "sse2")] or SETS[:1]:
        net = network(dtype=dtype)
        report = training(net).run(
            core.Context(kernel_set, len(parts[0])),
            core.Feed(*data(1000, dtype)),
            batch_size=300,
            steps=40,
            shuffle=True,
            plan=plan,
            parts=parts,
        )
        assert digest(net) == expected
        assert np.allclose(report.parts, [np.divide(part, np.sum(part)) for part in parts])


LARGE = [60, 390, 401, 9]  # more than a core's cache holds of W and its transpose: the threads share that


def description(**options):
    optimizer = core.Optimizer("adam")
    for name, value in options.items():
        setattr(optimizer, name, value)
    return optimizer


@pytest.mark.parametrize(
    ("net", "optimizer", "accumulate"),
    [
        (lambda: network(LARGE, "relu"), {}, 1),
        (lambda: network(LARGE, "relu", "float64"), {"clip_value": 1e-3}, 2),
        (lambda: network(), {"clip_norm": 1e-3}, 3),
        (
            lambda: (
                gg.Sequential(
                    gg.BatchNormalization(input_shape=(37,)),
                    gg.Dense(50, "tanh"),
                    gg.BatchNormalization(),
                    gg.Dropout(0.3),
                    gg.Dense(7),
                    seed=3,
                ).network
            ),
            {},
            1,
        ),
    ],
    ids=["large", "large, clipped sums", "clipped norm", "normalized"],
)
def test_plans_and_parts_may_change_between_runs(net, optimizer, accumulate):
    digests = set()
    ways = [(2, "rows", ((1, 3), (3, 1))), (3, "layers", None), (2, "stored", ((2, 1), (1, 2))), (5, "rows", None)]
    for taken in (ways, [(1, "rows", None)] * len(ways)):
        trained = net()
        schedule = core.Schedule("constant", 1e-3, 0.0, 1)
        run = core.Training(
            trained, core.Loss("cross_entropy", 0.0), "labels", description(**optimizer), schedule, [], accumulate
        )
        x, y = data(300, widths=[trained.inputs, 7])
        for threads, plan, parts in taken:
            report = run.run(
                core.Context(None, threads),
                core.Feed(x, y),
                batch_size=120,
                steps=5,
                shuffle=True,
                plan=plan,
                parts=parts,
            )
            assert report.team == threads
            assert parts is None or np.allclose(report.parts, [np.divide(part, np.sum(part)) for part in parts])
        digests.add(digest(trained))
    assert len(digests) == 1


def test_given_parts_end_with_their_run():
    run = training(network())
    for parts in (((1, 9), (1, 9)), None):
        report = run.run(
            core.Context(None, 2),
            core.Feed(*data(300)),
            batch_size=100,
            steps=2,
            shuffle=False,
            plan="rows",
            parts=parts,
        )
        assert np.allclose(report.parts, [[0.1, 0.9]] * 2 if parts else [[0.5, 0.5]] * 2)


@pytest.mark.parametrize(
    ("threads", "plan", "parts", "message"),
    [
        (
            2,
            "rows",
            ((1, 2), (1, 2, 3)),
            "two lists, of rows and of weights, with a positive finite number for each thread",
        ),
        (2, "rows", ((1, 0), (1, 2)), "with a positive finite number for each thread"),
        (2, "rows", ((1, np.nan), (1, 2)), "with a positive finite number for each thread"),
        (2, "rows", ((1, np.inf), (1, 2)), "with a positive finite number for each thread"),
        (1, "rows", ((), ()), "with a positive finite number for each thread"),
        (2, "rows", ((1, 2, 3), (1, 2, 3)), "belong to a plan that is named, and to the context's number of threads"),
        (None, "rows", ((1, 2), (1, 2)), "belong to a plan that is named"),
        (2, "auto", ((1, 2), (1, 2)), "belong to a plan that is named"),
    ],
)
def test_parts_that_no_team_can_take(threads, plan, parts, message):
    feed = core.Feed(*data(300))
    with pytest.raises(ValueError, match=message):
        training(network()).run(
            core.Context(None, threads), feed, batch_size=100, steps=1, shuffle=False, plan=plan, parts=parts
        )


NARROW = [17, 64, 64, 6]  # of the last kernel's columns, of which padding makes 16


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_threads_have_the_parts_that_were_cut(share):
    report = training(network(NARROW)).run(
        core.Context(None, 2),
        core.Feed(*data(64, widths=NARROW)),
        batch_size=64,
        steps=1,
        shuffle=False,
        plan="rows",
        parts=((share, 1 - share), (share, 1 - share)),
    )
    row, block = 0.5 / 64, 0.5 * 4 * 64 / (17 * 64 + 64 * 64 + 64 * 16)  # half of what one thread has or the other
    assert np.allclose(report.allotted[0], report.parts[0], atol=row)
    assert np.allclose(report.allotted[1], report.parts[1], atol=block)


def balanced(work, seconds_of, parts, rounds):
    """Each thread's seconds after so many rounds of parts that follow them."""
    for _ in range(rounds):
        parts = core.operations.follow_parts(work, parts, seconds_of(np.array(parts)).tolist())
    return seconds_of(np.array(parts))


@pytest.mark.parametrize(
    ("seconds_of", "parts"),
    [
        (lambda parts: parts, [0.9, 0.1]),
        (lambda parts: parts * [7, 1], [0.5, 0.5]),
        (lambda parts: parts * [1, 1, 1, 3], [0.25] * 4),
        (lambda parts: parts * [1, 2, 4, 1, 2, 4, 1, 2], [0.125] * 8),
        (lambda parts: 4 + 13 * parts, [0.95, 0.05]),  # what they fetch from each other is the same at any parts
        (lambda parts: [4, 1, 1] + parts * [9, 10, 12], [0.1, 0.1, 0.8]),
        (lambda parts: parts * [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3.5, 3.5], [1 / 16] * 16),
    ],
)
@pytest.mark.parametrize("work", ["rows", "weights"])
def test_parts_follow_until_threads_take_equally_long(work, seconds_of, parts):
    seconds = balanced(work, seconds_of, parts, rounds=20)
    assert seconds.max() < 1.05 * seconds.mean()


def test_parts_of_equally_long_seconds_stay():
    assert core.operations.follow_parts("rows", [0.7, 0.3], [1.04, 1.0]) == [0.7, 0.3]


def test_no_thread_is_left_without_work():
    assert min(core.operations.follow_parts("rows", [0.9, 0.1], [1.0, 1e6])) > 0.09
    grown = core.operations.follow_parts("rows", [0.5, 0.5, 0.0], [1.0, 1.0, 0.0])
    assert grown[2] > 1 / 3


class Squares(gg.CustomLoss):
    def values(self, output, target):
        return ((output - target) ** 2).sum(axis=1) / 2

    def gradient(self, output, target):
        return output - target


class SlowInTheCaller(Squares):
    """Takes a tenth of a millisecond for each row that the calling thread brings."""

    def __init__(self):
        self.caller = threading.get_ident()

    def values(self, output, target):
        if threading.get_ident() == self.caller:
            time.sleep(1e-4 * len(target))
        return super().values(output, target)


def fitted(loss, epochs):
    trainer = gg.Trainer(regressor(seed=0), loss, gg.SGD(1e-3), threads=2)
    history = trainer.fit(X, VALUES, batch_size=len(X), epochs=epochs, verbose=0, shuffle=False)
    assert history.report.team == 2
    return trainer.model.get_weights(), history.report.parts


def test_a_slow_thread_gets_fewer_rows_and_the_bits_stay():
    assert fitted(SlowInTheCaller(), 1)[1] == ((0.5, 0.5), (0.5, 0.5))
    slow, (rows, _) = fitted(SlowInTheCaller(), 300)
    assert rows[0] < 0.4 < rows[1]
    for one, other in zip(slow, fitted(Squares(), 300)[0], strict=True):
        assert_same_bits(one, other)


def test_units_are_taken_from_both_ends_once():
    assert core.operations.units_taken([0, 1, 5, 2]) == [[], [10], [10, 14, 11, 13, 12], [10, 11]]


@pytest.mark.parametrize("phases", [0, 1, 2**16 - 2, 2**16 - 1, 2**16, 2**17])
def test_a_queue_that_was_empty_for_long_is_full_again(phases):
    assert core.operations.units_taken([3, *[0] * phases, 2])[-1] == [10, 11]


def taken_over(threads, plan, kernel_set=None, dtype="float32", parts=None):
    """(Digest of the weights, units taken over) after some steps whose units are long."""
    net = network(LARGE, "relu", dtype)
    report = training(net).run(
        core.Context(kernel_set, threads),
        core.Feed(*data(2600, dtype, widths=LARGE)),
        batch_size=1200,
        steps=6,  # two epochs with a short last batch
        shuffle=True,
        plan=plan,
        parts=parts,
    )
    assert report.team == threads
    return digest(net), report.taken_over


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_units_taken_over_give_the_same_bits(dtype, plan):
    expected, none = taken_over(1, plan, dtype=dtype)
    assert none == 0
    threads = max(9, 2 * os.cpu_count())  # some always wait for a processor
    runs = [taken_over(threads, plan, dtype=dtype) for _ in range(4)]
    assert {bits for bits, _ in runs} == {expected}
    assert sum(count for _, count in runs) > 0


def test_given_parts_are_kept():
    assert taken_over(9, "rows", parts=([1] * 9, [1] * 9)) == (taken_over(1, "rows")[0], 0)


def test_a_thread_that_is_through_takes_over_from_a_slow_one():
    x, y = data(1200, widths=[60, 3])
    targets = np.eye(3, dtype=np.float32)[y]

    def trained(loss, threads):
        model = gg.Sequential([gg.Dense(300, "relu", input_shape=(60,)), gg.Dense(300, "relu"), gg.Dense(3)], seed=0)
        trainer = gg.Trainer(model, loss, gg.SGD(1e-3), threads=threads)
        history = trainer.fit(x, targets, batch_size=len(x), epochs=1, verbose=0, shuffle=False)
        return model.get_weights(), history.report

    slow, report = trained(SlowInTheCaller(), 2)
    assert report.taken_over >= 1  # of the six panels of the thread that takes a hundredth of a second for each
    for one, other in zip(slow, trained(Squares(), 1)[0], strict=True):
        assert_same_bits(one, other)
