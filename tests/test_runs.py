"""Whole runs of the core: the same bits on every kernel set, team and plan, what was reported, and what stops a run."""

import hashlib
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from ganglion import _ganglion_core as core

SETS = [info.name for info in core.kernel_sets() if info.supported]
TEAMS = [1, 2, 3, 7]
PLANS = {
    "rows": ("rows", "update"),
    "layers": ("gather", "forward", "forward", "forward", "loss", "backward", "backward", "update"),
    "stored": ("rows", "gradients", "apply"),
}
WIDTHS = [37, 50, 40, 7]

# SHA-256 over parameters after 200 steps of batch 300 (the last batch of an epoch has 100 rows), by dtype. The same on
# every machine; a change is a new version of the numerics and belongs into the change log.
GOLDEN = {
    "float32": "54fd98b997d4df91385102b58db0ad63d8c944882f7012acf497702522c2987a",
    "float64": "78216cd4a7a851331160df9b75958eb8ff07e03ba62d0cf015ce5a0b4332280e",
}


def network(widths=WIDTHS, activation="tanh", dtype="float32", last="identity"):
    names = [activation] * (len(widths) - 2) + [last]
    layers = [
        core.Dense(f"dense_{i}", units, True, name, 0.01, "glorot_uniform", "zeros")
        for i, (units, name) in enumerate(zip(widths[1:], names, strict=True))
    ]
    return core.Network(widths[0], layers, dtype, 3)


def training(net, *, loss="cross_entropy", optimizer="adam", rate=1e-3, metrics=("accuracy",), **more):
    target = "labels" if loss == "cross_entropy" else "values"
    schedule = core.Schedule("linear", rate, rate / 10, 150)
    return core.Training(net, loss, target, core.Optimizer(optimizer, **more), schedule, list(metrics))


def data(rows, dtype="float32", widths=WIDTHS):
    """Multiples of 2⁻²³ in [-1, 1) and labels: a golden digest must not hang on NumPy's generators."""
    words = np.arange(1, rows * (widths[0] + 1) + 1, dtype=np.uint64) * 0x9E3779B97F4A7C15
    words = (words ^ (words >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) >> np.uint64(40)
    x = (words[: rows * widths[0]].astype(np.float64) * 2.0**-23 - 1).reshape(rows, widths[0])
    return x.astype(dtype), (words[rows * widths[0] :] % widths[-1]).astype(np.int32)


def digest(net):
    return hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in net.parameters())).hexdigest()


def train(kernel_set, team, plan, *, dtype="float32", rows=1000, batch=300, steps=200, **more):
    net = network(dtype=dtype)
    report = training(net, **more).run(
        core.Context(kernel_set, team), core.Feed(*data(rows, dtype)), batch_size=batch, steps=steps, shuffle=True, plan=plan
    )
    assert (report.kernel_set, report.team, report.steps) == (kernel_set, team, steps)
    assert plan == "auto" or report.plan == PLANS[plan]
    return digest(net), report


@pytest.mark.parametrize("dtype", GOLDEN)
@pytest.mark.parametrize("kernel_set", SETS)
def test_two_hundred_steps_give_the_same_bits_on_every_set_team_and_plan(kernel_set, dtype):
    emulated = kernel_set in ("scalar", "sse2")  # a fused multiply-add in software: a tenth of the speed
    ways = [(1, "rows"), (3, "layers")] if emulated else [(t, p) for t in TEAMS for p in PLANS]
    found = {train(kernel_set, team, plan, dtype=dtype)[0] for team, plan in ways}
    assert found == {GOLDEN[dtype]}


@pytest.mark.parametrize("change", [{"rate": 1.001e-3}, {"beta2": 0.9990001}, {"batch": 299}, {"optimizer": "sgd"}])
def test_the_digest_sees_small_changes(change):
    assert train(SETS[0], 1, "rows", **change)[0] != GOLDEN["float32"]


@pytest.mark.parametrize("rows", [1, 2, 127, 128, 129, 255, 257, 1000])
@pytest.mark.parametrize("batch", [1, 7, 128, 129, 5000])
@pytest.mark.parametrize("activation", [row.name for row in core.activations()])
def test_batches_around_the_leaf_give_the_scalar_bits(rows, batch, activation):
    if rows * batch > 200_000 and batch != 5000:
        pytest.skip("covered by smaller ones")
    digests = set()
    for kernel_set, team, plan in [("scalar", 1, "rows"), *((s, t, p) for s in SETS[:2] for t, p in [(2, "rows"), (3, "layers")])]:
        net = network([5, 9, 3], activation)
        run = training(net, optimizer="momentum", momentum=0.9, weight_decay=1e-3)
        feed = core.Feed(*data(rows, widths=[5, 9, 3]))
        run.run(core.Context(kernel_set, team), feed, batch_size=batch, steps=3, shuffle=True, plan=plan)
        digests.add(digest(net))
    assert len(digests) == 1


@pytest.mark.parametrize("loss", core.losses())
@pytest.mark.parametrize("optimizer", core.optimizers())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_loss_and_optimizer_gives_the_scalar_bits(loss, optimizer, dtype):
    random = np.random.default_rng(5)
    x, y = data(150, dtype)
    values = random.standard_normal((150, 7)).astype(dtype)
    digests = set()
    for kernel_set, team, plan in [("scalar", 1, "rows"), *((s, 2, p) for s in SETS for p in PLANS)]:
        net = network(dtype=dtype)
        feed = core.Feed(x, y) if loss == "cross_entropy" else core.Feed(x, None, values)
        run = training(net, loss=loss, optimizer=optimizer, momentum=0.5, weight_decay=1e-2)
        run.run(core.Context(kernel_set, team), feed, batch_size=64, steps=6, shuffle=True, plan=plan)
        digests.add(digest(net))
    assert len(digests) == 1


def test_one_hot_targets_give_the_bits_of_their_labels():
    x, y = data(200)
    digests = set()
    for feed in (core.Feed(x, y), core.Feed(x, None, np.eye(7, dtype=np.float32)[y])):
        net = network()
        target = "labels" if not digests else "values"
        run = core.Training(net, "cross_entropy", target, core.Optimizer("adam"), core.Schedule("constant", 1e-3), ["accuracy"])
        report = run.run(core.Context(), feed, batch_size=64, steps=8, shuffle=True)
        digests.add((digest(net), report.epochs.tobytes()))
    assert len(digests) == 1


def test_a_final_softmax_is_left_to_the_cross_entropy():
    digests = set()
    for last in ("identity", "softmax"):
        net = network(last=last)
        training(net).run(core.Context(), core.Feed(*data(200)), batch_size=64, steps=8, shuffle=True)
        digests.add(digest(net))
    assert len(digests) == 1


@pytest.mark.parametrize("cuts", [[20], [1] * 20, [3, 8, 9], [4, 16]])
def test_a_run_in_pieces_is_the_run_in_one(cuts):
    x, y = data(1000)
    net = network()
    run = training(net)
    epochs = []
    for steps in cuts:  # four steps are an epoch
        epochs.append(run.run(core.Context(None, 2), core.Feed(x, y), batch_size=300, steps=steps, shuffle=True).epochs)
    whole_net = network()
    whole = training(whole_net).run(core.Context(None, 1), core.Feed(x, y), batch_size=300, steps=20, shuffle=True)
    assert digest(net) == digest(whole_net)
    assert (run.step, run.epoch, run.position) == (20, 5, 0)
    np.testing.assert_array_equal(np.concatenate(epochs), whole.epochs)


def test_a_snapshot_brings_everything_back():
    feed = core.Feed(*data(500))
    net = network()
    run = training(net)
    run.run(core.Context(), feed, batch_size=100, steps=7, shuffle=True)
    kept = run.snapshot()
    digests = []
    for _ in range(2):
        run.restore(kept)
        assert (run.step, run.epoch, run.position) == (7, 1, 2)
        run.run(core.Context(), feed, batch_size=100, steps=9, shuffle=True)
        digests.append(digest(net))
    assert digests[0] == digests[1]


@pytest.mark.parametrize("kernel_set", SETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_predicts_the_same_alone_and_in_any_batch(kernel_set, dtype):
    net = network(dtype=dtype, activation="sigmoid", last="softmax")
    x, _ = data(300, dtype)
    whole = net.predict(core.Context(kernel_set, 3), x)
    assert whole.shape == (300, 7)
    for rows in (slice(0, 1), slice(7, 9), slice(120, 140), slice(299, 300)):
        np.testing.assert_array_equal(net.predict(core.Context(kernel_set, 1), x[rows]), whole[rows])
    np.testing.assert_array_equal(net.predict(core.Context("scalar", 1), x), whole)
    np.testing.assert_array_equal(net.predict(core.Context(kernel_set), x[::3]), whole[::3])


def test_evaluation_has_the_same_bits_everywhere():
    x, y = data(1000)
    run = training(network())
    found = set()
    for kernel_set in SETS:
        for team in TEAMS:
            evaluation = run.evaluate(core.Context(kernel_set, team), core.Feed(x, y))
            found.add((evaluation.loss, evaluation.metrics, evaluation.rows))
    assert len(found) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_x_is_read_in_the_type_it_has(dtype, shuffle):
    x, y = data(256)
    x = (x * 20 + 100).clip(0, 255).astype(np.uint8)
    digests = set()
    for array in (x.astype(np.float32), x.astype(dtype), np.repeat(x.astype(dtype), 2, axis=0)[::2]):
        net = network()
        training(net).run(core.Context(), core.Feed(array, y), batch_size=100, steps=4, shuffle=shuffle)
        digests.add(digest(net))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (np.nan, "float32", r"x\[210, 4\] is nan; every feature must be a finite number"),
        (np.inf, "float64", r"x\[210, 4\] is inf"),
        (-np.inf, "float32", r"x\[210, 4\] is -inf"),
        (1e40, "float64", r"x\[210, 4\] is too large for float32; scale the feature, or build the model with dtype=\"float64\""),
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
    with pytest.raises(core.TrainingDivergedError, match=r"layer 'dense_\d': the \w+ of step \d+ is not a finite number"):
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
        report = run.run(core.Context(kernel_set, team), core.Feed(x, y), batch_size=100, steps=4, shuffle=True, plan=plan)
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
import test_runs as t
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
    script = FORK.format(path=[os.path.dirname(__file__), *sys.path])
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


ROUNDING = """
import ctypes, sys
sys.path[:0] = {path!r}
import test_runs as t
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
    script = ROUNDING.format(path=[os.path.dirname(__file__), *sys.path])
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
        (lambda: training(network(), optimizer="lion"), "unknown optimizer 'lion'; known: 'sgd', 'momentum', 'nesterov', 'adam'"),
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
        (np.ones((4, 37), np.float32), [0, 1, 7, 2], 2, "y has the label 7, but the network has 7 outputs: labels must lie in 0 … 6"),
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
