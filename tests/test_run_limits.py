"""What stops a run of the core, what it leaves behind, and what else may go on in the process."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from ganglion import _ganglion_core as core
from run_cases import PLANS, SETS, data, digest, network, train, training


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
    """x of 2⁶⁰ breaks the bound of the fast path, while every gradient, moment and weight stays finite."""
    x, y = data(200)
    x = x * np.float32(2.0**60)
    digests = set()
    for kernel_set, team in [(SETS[0], 1), (SETS[0], 3), ("scalar", 1)]:
        net = network(activation="tanh")
        run = training(net, optimizer="sgd", rate=2.0**-60)
        report = run.run(
            core.Context(kernel_set, team), core.Feed(x, y), batch_size=100, steps=4, shuffle=True, plan=plan
        )
        assert (report.steps, run.step, report.epochs.shape) == (4, 4, (2, 2))
        digests.add(digest(net))
    assert len(digests) == 1
    assert digests != {digest(network())}


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
        (lambda: core.Context(None, 0), "threads must be at least 1, not 0"),
        (lambda: network([0, 3]), "at least one input feature, not 0"),
        (lambda: network([4, 0]), "layer 'dense_0': units must be at least 1, not 0"),
        (lambda: network([4, 3, 2], "cubic"), "layer 'dense_0': unknown activation 'cubic'; known: 'identity'"),
        (lambda: network([2**40, 2**40]), "has more elements than any memory holds"),
        (lambda: network(dtype="float16"), "unknown dtype 'float16'; known: 'float32', 'float64'"),
        (lambda: training(network(), loss="hinge"), "unknown loss 'hinge'; known: 'cross_entropy', 'mse'"),
        (
            lambda: training(network(), optimizer="lion"),
            "unknown optimizer 'lion'; known: 'sgd', 'momentum', 'nesterov', 'adam'",
        ),
        (lambda: training(network(), metrics=["auc"]), "unknown metric 'auc'; known: 'accuracy'"),
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
