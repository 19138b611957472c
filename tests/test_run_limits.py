"""What stops a run of the core, what it leaves behind, and what else may go on in the process."""

import os
import subprocess
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest

from ganglion import _ganglion_core as core
from run_cases import PLANS, SETS, data, digest, network, train, training

DIVIDES_NOT = ("sgd", "momentum", "nesterov")


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (np.nan, "float32", r"x\[210, 4\] is nan; every feature must be a finite number"),
        (np.inf, "float64", r"x\[210, 4\] is inf"),
        (-np.inf, "float32", r"x\[210, 4\] is -inf"),
        (
            1e40,
            "float64",
            r"x\[210, 4\] is too large for float32; scale the feature, or build the model with dtype=\"float64\"",
        ),
    ],
)
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("plan", PLANS)
def test_a_feature_that_is_not_finite_stops_before_its_step(value, dtype, message, shuffle, plan):
    x, y = data(300)
    x = x.astype(dtype)
    x[210, 4] = value
    net = network()
    run = training(net)
    with pytest.raises(ValueError, match=message):
        run.run(core.Context(None, 2), core.Feed(x, y), batch_size=300, steps=1, shuffle=shuffle, plan=plan)
    assert run.step == 0
    assert digest(net) == digest(network())
    with pytest.raises(ValueError, match=message):
        net.predict(core.Context(), x)
    with pytest.raises(ValueError, match=message):
        run.evaluate(core.Context(), core.Feed(x, y))


def test_the_report_outlives_what_ends_the_run():
    x, y = data(300)
    run = training(network())
    assert (run.report.steps, run.report.epochs.shape) == (0, (0, 2))

    def interrupt(epoch, step, loss, metrics):
        del epoch, step, loss, metrics
        raise KeyError("stop")

    with pytest.raises(KeyError, match="stop"):
        run.run(core.Context(None, 1), core.Feed(x, y), batch_size=100, steps=10**7, shuffle=True, stop=interrupt)
    assert run.report.stopped
    assert len(run.report.epochs) == run.epoch
    assert run.report.steps == run.step == 3 * run.epoch + run.position
    run.begin_epoch()
    x[250, 1] = np.nan
    with pytest.raises(ValueError, match="is nan"):
        run.run(core.Context(None, 1), core.Feed(x, y), batch_size=300, steps=1, shuffle=False)
    assert (run.report.steps, len(run.report.epochs)) == (0, 0)


@pytest.mark.parametrize("plan", PLANS)
def test_a_diverging_step_is_not_made(plan):
    x, y = data(300)
    net = network()
    run = training(net, optimizer="sgd", rate=1e38)
    with pytest.raises(
        core.TrainingDivergedError, match=r"layer 'dense_\d': the \w+ of step \d+ is not a finite number"
    ):
        run.run(core.Context(None, 2), core.Feed(x, y), batch_size=300, steps=50, shuffle=True, plan=plan)
    assert issubclass(core.TrainingDivergedError, FloatingPointError)
    assert all(np.isfinite(p).all() for p in net.parameters())
    assert run.step < 50


@pytest.mark.parametrize("plan", PLANS)
def test_gradients_that_might_overflow_are_tested_before_they_are_kept(plan):
    """x of 2⁶⁴ breaks the bound of the fast path, while every gradient, moment and weight stays finite."""
    x, y = data(200)
    x = x * np.float32(2.0**64)
    digests = set()
    for kernel_set, team in [(SETS[0], 1), (SETS[0], 3), ("scalar", 1)]:
        net = network(activation="relu")
        run = training(net, optimizer="sgd", rate=2.0**-64)
        report = run.run(
            core.Context(kernel_set, team), core.Feed(x, y), batch_size=100, steps=4, shuffle=True, plan=plan
        )
        assert (report.steps, report.careful_steps, run.step, report.epochs.shape) == (4, 4, 4, (2, 2))
        digests.add(digest(net))
    assert len(digests) == 1
    assert digests != {digest(network(activation="relu"))}


def test_careful_steps_are_counted_and_are_the_exception():
    x, y = data(200)
    for optimizer in core.optimizers():
        run = training(network(), optimizer=optimizer, epsilon=0.0 if optimizer in DIVIDES_NOT else 1e-8)
        report = run.run(core.Context(), core.Feed(x, y), batch_size=100, steps=4, shuffle=True)
        assert (report.plan, report.steps, report.careful_steps) == (PLANS["rows"], 4, 0)
    run = training(network(activation="relu"), optimizer="sgd", rate=2.0**-64)
    report = run.run(core.Context(), core.Feed(x * np.float32(2.0**64), y), batch_size=100, steps=4, shuffle=True)
    assert (report.steps, report.careful_steps) == (4, 4)


def test_stop_is_asked_between_careful_steps_too():
    x, y = data(200)
    run = training(network(activation="relu"), optimizer="sgd", rate=2.0**-140)
    feed = core.Feed(x * np.float32(2.0**64), y)
    report = run.run(core.Context(), feed, batch_size=100, steps=10**9, shuffle=True, stop=lambda *_: True)
    assert report.stopped
    assert report.careful_steps == report.steps


@pytest.mark.parametrize(("first", "second"), [(2, 1), (3, 2), (1, 3)])
@pytest.mark.parametrize("spoiler", [np.nan, 3e38])
def test_a_refused_batch_leaves_nothing_behind_for_a_smaller_team(first, second, spoiler):
    x, y = data(300)
    bad = x.copy()
    bad[200:, :3] = spoiler
    net = network(activation="relu")
    run = training(net)
    with pytest.raises((ValueError, FloatingPointError)):
        run.run(core.Context(None, first), core.Feed(bad, y), batch_size=300, steps=3, shuffle=False)
    assert digest(net) == digest(network(activation="relu"))
    report = run.run(core.Context(None, second), core.Feed(x, y), batch_size=300, steps=3, shuffle=False)
    assert (report.team, report.steps, report.careful_steps) == (second, 3, 0)


@pytest.mark.parametrize("optimizer", core.optimizers())
def test_weight_decay_of_huge_weights_does_not_reach_the_moments(optimizer):
    """1e24 · 0.01 squared overflows float32: the step is refused or harmless, and the moments work afterwards."""
    feed = core.Feed(*data(64))
    net = network()
    run = training(net, optimizer=optimizer, weight_decay=0.01, momentum=0.9)
    start = [parameter.copy() for parameter in net.parameters()]
    net.assign(0, np.full((37, 50), 1e24, np.float32))
    try:
        run.run(core.Context(), feed, batch_size=64, steps=1, shuffle=False)
    except core.TrainingDivergedError:
        assert run.step == 0
    for index, value in enumerate(start):
        net.assign(index, value)
    run.run(core.Context(), feed, batch_size=64, steps=30, shuffle=False)
    assert all(np.isfinite(parameter).all() for parameter in net.parameters())
    assert not np.array_equal(net.parameters()[0], start[0])


def test_a_step_that_was_not_made_is_in_no_mean():
    """All outputs are finite, but x of 2⁸⁰ times dz of 2⁵² is not: found among the stored gradients, after the loss."""
    x, y = data(200)
    x[100:] *= np.float32(2.0**80)
    running = []
    for steps in (1, 2):
        net = network([37, 9, 7])
        first, _, last, _ = (parameter.copy() for parameter in net.parameters())
        net.assign(0, first * np.float32(2.0**-80))
        net.assign(2, last * np.float32(2.0**60))
        run = training(net, optimizer="sgd", rate=2.0**-140)
        fails = pytest.raises(core.TrainingDivergedError, match="layer 'dense_0': the gradient of step 2")
        with fails if steps == 2 else nullcontext():
            run.run(core.Context(), core.Feed(x, y), batch_size=100, steps=steps, shuffle=False)
        assert (run.step, run.position) == (1, 1)
        report = run.run(core.Context(), core.Feed(*data(300)), batch_size=100, steps=1, shuffle=False)
        running.append(report.running)
    assert running[0] == running[1]


@pytest.mark.parametrize(
    ("optimizer", "width", "stays"), [("sgd", 2048, True), ("adam", 1024, True), ("adam", 1400, False)]
)
def test_large_copies_are_not_kept(optimizer, width, stays):
    """16 MiB are 2²² float32 numbers: of weights and, of Adam, two moments."""
    net = network([width - 40, width, 7])
    run = training(net, optimizer=optimizer)
    before = digest(net)
    run.keep()
    net.assign(0, np.zeros((width - 40, width), np.float32))
    run.let_go()
    if stays:
        run.go_back()
        assert digest(net) == before
    else:
        with pytest.raises(ValueError, match="nothing was kept"):
            run.go_back()


def test_a_snapshot_of_another_training_is_refused():
    net = network()
    adam = training(net)
    for other in (training(net, optimizer="sgd"), training(net, metrics=[]), training(network([37, 9, 7]))):
        with pytest.raises(ValueError, match="the snapshot is of another network, optimizer or list of metrics"):
            adam.restore(other.snapshot())


def test_an_epoch_under_way_does_not_go_on_in_smaller_data():
    run = training(network())
    run.run(core.Context(), core.Feed(*data(1000)), batch_size=10, steps=90, shuffle=True)
    with pytest.raises(ValueError, match="the epoch under way is past step 5, where an epoch of this data ends"):
        run.run(core.Context(), core.Feed(*data(50)), batch_size=10, steps=1, shuffle=True)
    run.begin_epoch()
    run.run(core.Context(), core.Feed(*data(50)), batch_size=10, steps=1, shuffle=True)
    assert run.position == 1


def test_stop_ends_a_run_at_a_step_and_keeps_what_it_learned():
    calls = []

    def stop(epoch, position, loss, metrics):
        calls.append((epoch, position, loss, metrics))
        return len(calls) == 2

    net = network()
    run = training(net)
    report = run.run(core.Context(), core.Feed(*data(1000)), batch_size=10, steps=10**9, shuffle=True, stop=stop)
    assert report.stopped
    assert run.step == report.steps == calls[-1][0] * 100 + calls[-1][1]
    assert all(0 < loss < 3 and 0 <= metrics[0] <= 1 for _, _, loss, metrics in calls)
    other = network()
    training(other).run(core.Context(), core.Feed(*data(1000)), batch_size=10, steps=report.steps, shuffle=True)
    assert digest(net) == digest(other)


def test_an_exception_in_stop_comes_out_and_the_network_stays_usable():
    def stop(*_):
        raise LookupError("enough")

    run = training(network())
    feed = core.Feed(*data(1000))
    with pytest.raises(LookupError, match="enough"):
        run.run(core.Context(), feed, batch_size=10, steps=10**9, shuffle=True, stop=stop)
    made = run.step
    run.run(core.Context(), feed, batch_size=10, steps=5, shuffle=True)
    assert run.step == made + 5


def test_a_network_is_trained_by_one_run_at_a_time():
    net = network()
    started, finish = threading.Event(), threading.Event()

    def stop(*_):
        started.set()
        return finish.is_set()

    feed = core.Feed(*data(1000))
    thread = threading.Thread(
        target=lambda: training(net).run(core.Context(), feed, batch_size=10, steps=10**9, shuffle=True, stop=stop)
    )
    thread.start()
    try:
        assert started.wait(30)
        with pytest.raises(RuntimeError, match="being trained already"):
            training(net).run(core.Context(), feed, batch_size=10, steps=1, shuffle=True)
        with pytest.raises(RuntimeError, match="being trained in another thread"):
            net.assign(1, np.zeros(50, np.float32))
    finally:
        finish.set()
        thread.join()


def test_two_networks_train_at_once_with_teams_of_their_own():
    alone = train(SETS[0], 1, "rows", steps=50)[0]
    found = {}

    def work(team):
        found[team] = train(SETS[0], team, "rows", steps=50)[0]

    threads = [threading.Thread(target=work, args=(team,)) for team in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys((1, 2, 3), alone)


FORK = """
import os, sys
import numpy as np
sys.path[:0] = {path!r}
import run_cases as t
expected, _ = t.train(t.SETS[0], 2, "rows", steps=5)
child = os.fork()
if child == 0:
    net = t.network()
    report = t.training(net).run(
        t.core.Context(t.SETS[0], 2), t.core.Feed(*t.data(1000)), batch_size=300, steps=5, shuffle=True)
    os._exit(0 if (report.team, t.digest(net)) == (1, expected) else 1)
assert os.waitpid(child, 0)[1] == 0
assert t.train(t.SETS[0], 2, "rows", steps=5)[0] == expected
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_works_serially_with_the_same_bits():
    script = FORK.format(path=[str(Path(__file__).parent), *sys.path])
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


ROUNDING = """
import ctypes, sys
sys.path[:0] = {path!r}
import run_cases as t
def losses(x, y):
    run = t.training(t.network())
    report = run.run(t.core.Context(None, 2), t.core.Feed(x, y), batch_size=300, steps=8, shuffle=True)
    return report.epochs.tobytes(), run.evaluate(t.core.Context(), t.core.Feed(x, y)).loss, t.digest(t.network())
x, y = t.data(1000)
expected = losses(x, y)
libm = ctypes.CDLL("libm.so.6")
assert libm.fesetround(0x400) == 0          # towards -infinity, for this thread
found = losses(x, y)
assert libm.fegetround() == 0x400           # and it is the caller's again
assert found == expected
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc by name")
def test_the_callers_rounding_mode_does_not_reach_the_bits_and_comes_back():
    script = ROUNDING.format(path=[str(Path(__file__).parent), *sys.path])
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: core.Context("neon"), "unknown kernel set 'neon'; known: 'avx512', 'avx2', 'sse2', 'scalar'"),
        (lambda: core.Context(None, 0), "threads must be from 1 to 1024, not 0"),
        (lambda: core.Context(None, 1025), "threads must be from 1 to 1024, not 1025"),
        (lambda: network([0, 3]), "at least one input feature, not 0"),
        (lambda: network([4, 0]), "layer 'dense_0': units must be at least 1, not 0"),
        (lambda: network([4, 3, 2], "cubic"), "layer 'dense_0': unknown activation 'cubic'; known: 'identity'"),
        (lambda: network([2**40, 2**40]), "has more elements than any memory holds"),
        (lambda: network([1] + [2**28] * 40), "has more elements than any memory holds"),
        (
            lambda: training(network(), epsilon=1e-60),
            "epsilon must be at least the smallest normal number of the model's dtype",
        ),
        (lambda: network(dtype="float16"), "unknown dtype 'float16'; known: 'float32', 'float64'"),
        (
            lambda: training(network(), loss="hinge"),
            "unknown loss 'hinge'; known: 'cross_entropy', 'categorical_crossentropy', 'mse'",
        ),
        (
            lambda: training(network(), optimizer="lion"),
            "unknown optimizer 'lion'; known: 'sgd', 'momentum', 'nesterov', 'adam', 'adamw', 'rmsprop', 'rmsprop_mom",
        ),
        (lambda: training(network(), metrics=["hits"]), "unknown metric 'hits'; known: 'accuracy', 'top_k_accuracy'"),
    ],
)
def test_unknown_names_and_impossible_sizes(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("x", "labels", "batch", "message"),
    [
        (np.ones((4, 36), np.float32), [0] * 4, 2, "x has 36 features; the network was built for 37"),
        (
            np.ones((4, 37), np.float32),
            [0, 1, 7, 2],
            2,
            "y has the label 7, but the network has 7 outputs: labels must lie in 0 … 6",
        ),
        (np.ones((4, 37), np.float32), [0, 1, -1, 2], 2, r"y\[2\] is -1; labels count from 0"),
        (np.ones((0, 37), np.float32), [], 2, "x has no rows"),
        (np.ones((4, 37), np.float32), [0] * 4, 0, "batch_size must be at least 1, not 0"),
        (np.ones((4, 37), np.float32), [0] * 3, 2, "x has 4 rows but there are 3 labels"),
    ],
)
def test_data_that_does_not_fit(x, labels, batch, message):
    run = training(network())
    with pytest.raises(ValueError, match=message):
        run.run(core.Context(), core.Feed(x, np.array(labels, np.int32)), batch_size=batch, steps=1, shuffle=True)
    assert run.step == 0


def test_parameters_are_live_read_only_views():
    net = network()
    kernel, bias = net.parameters()[:2]
    assert (kernel.shape, bias.shape, kernel.flags.writeable) == ((37, 50), (50,), False)
    before, version = kernel.copy(), net.version
    training(net).run(core.Context(), core.Feed(*data(100)), batch_size=50, steps=2, shuffle=True)
    assert not np.array_equal(kernel, before)
    assert net.version > version
    net.assign(0, before)
    np.testing.assert_array_equal(kernel, before)
    with pytest.raises(ValueError, match="layer 'dense_0': the value at \\[3, 2\\] is not a finite number"):
        net.assign(0, np.where(np.arange(37 * 50).reshape(37, 50) == 152, np.nan, before).astype(np.float32))
    np.testing.assert_array_equal(kernel, before)
