"""Whole runs of the core: the same bits on every kernel set, team and plan, however the run is cut."""

import numpy as np
import pytest

from ganglion import _ganglion_core as core
from run_cases import PLANS, SETS, TEAMS, WITH_LABELS, data, digest, network, train, training

# SHA-256 over parameters after 200 steps of batch 300 (the last batch of an epoch has 100 rows), by dtype. The same on
# every machine; a change is a new version of the numerics and belongs into the change log.
GOLDEN = {
    "float32": "54fd98b997d4df91385102b58db0ad63d8c944882f7012acf497702522c2987a",
    "float64": "78216cd4a7a851331160df9b75958eb8ff07e03ba62d0cf015ce5a0b4332280e",
}


@pytest.mark.parametrize("dtype", GOLDEN)
@pytest.mark.parametrize("kernel_set", SETS)
def test_two_hundred_steps_give_the_same_bits_on_every_set_team_and_plan(kernel_set, dtype):
    emulated = kernel_set in ("scalar", "sse2")  # a fused multiply-add in software: a tenth of the speed
    ways = [(1, "rows"), (2, "layers"), (3, "stored")] if emulated else [(t, p) for t in TEAMS for p in PLANS]
    found = {train(kernel_set, team, plan, dtype=dtype)[0] for team, plan in ways}
    assert found == {GOLDEN[dtype]}


@pytest.mark.parametrize("dtype", GOLDEN)
@pytest.mark.parametrize("plan", PLANS)
def test_the_padding_of_weights_stays_zero(plan, dtype):
    """A tile's gradient lies where a wider tile's lay before, and the optimizer reads whole vectors."""
    for kernel_set in SETS:
        net = network([20, 64, 50, 36, 35, 7], dtype=dtype)
        feed = core.Feed(*data(120, dtype, [20, 7]))
        run = training(net, weight_decay=0.01)
        run.run(core.Context(kernel_set, 2), feed, batch_size=40, steps=6, shuffle=False, plan=plan)
        for w in net.parameters():
            rows, columns = w.shape if w.ndim == 2 else (1, w.shape[0])
            whole = -(-columns // 16) * 16
            strides = w.strides if w.ndim == 2 else (0, *w.strides)
            padded = np.lib.stride_tricks.as_strided(w, (rows, whole), strides)
            assert np.any(padded[:, :columns]) and not np.any(padded[:, columns:])


@pytest.mark.parametrize("change", [{"rate": 1.001e-3}, {"beta2": 0.9990001}, {"batch": 299}, {"optimizer": "sgd"}])
def test_the_digest_sees_small_changes(change):
    assert train(SETS[0], 1, "rows", **change)[0] != GOLDEN["float32"]


@pytest.mark.parametrize("rows", [1, 2, 127, 128, 129, 255, 257, 1000])
@pytest.mark.parametrize("batch", [1, 7, 128, 129, 5000])
@pytest.mark.parametrize("activation", [row.name for row in core.activations() if row.needs != "nothing"])
def test_batches_around_the_leaf_give_the_scalar_bits(rows, batch, activation):
    digests = set()
    for kernel_set, team, plan in [
        ("scalar", 1, "rows"),
        *((s, t, p) for s in SETS[:2] for t, p in [(2, "rows"), (3, "layers")]),
    ]:
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
    if loss.startswith("binary"):
        values = abs(values) % 1
    last = {"categorical_crossentropy": "sigmoid", "binary_crossentropy": "softmax"}.get(loss, "identity")
    digests = set()
    for kernel_set, team, plan in [("scalar", 1, "rows"), *((s, 2, p) for s in SETS for p in PLANS)]:
        net = network(dtype=dtype, last=last)
        feed = core.Feed(x, y) if loss in WITH_LABELS else core.Feed(x, None, values)
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
        run = core.Training(
            net, "cross_entropy", target, core.Optimizer("adam"), core.Schedule("constant", 1e-3), ["accuracy"]
        )
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
    context, feed = core.Context(None, 2), core.Feed(x, y)
    # four steps are an epoch
    epochs = [run.run(context, feed, batch_size=300, steps=steps, shuffle=True).epochs for steps in cuts]
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


# More than a MiB of x and of weights: batches and moments come from memory, their lines fetched beside the products.
FAR = [700, 650, 7]


# Then batches of several leaves, fetched one beside the other. Rows 4 KiB apart are copied, a wider array's are not.
@pytest.mark.parametrize(("widths", "batch"), [(FAR, 140), ([1000, 48, 7], 300), ([1024, 48, 7], 300)])
@pytest.mark.parametrize("dtype", ["float32", "uint8"])
@pytest.mark.parametrize("shuffle", [False, True])
def test_what_comes_from_beyond_the_caches_has_the_scalar_bits(dtype, shuffle, widths, batch):
    x, y = data(1600, widths=widths)
    x = (x * 20 + 100).clip(0, 255).astype(np.uint8).astype(dtype)
    wider = np.pad(x, ((0, 0), (0, 16)))[:, : widths[0]]
    ways = [(name, team, plan) for name in SETS for team, plan in [(1, "rows"), (2, "layers"), (3, "stored")]]
    digests = set()
    for kernel_set, team, plan in [("scalar", 1, "rows")] + [way for way in ways if way[0] != "scalar"]:
        for array in (x, wider):
            net = network(widths, "relu")
            context, feed = core.Context(kernel_set, team), core.Feed(array, y)
            training(net).run(context, feed, batch_size=batch, steps=3, shuffle=shuffle, plan=plan)
            digests.add(digest(net))
    assert x.nbytes > 2**20
    assert len(digests) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("plan", PLANS)
def test_a_batch_that_was_fetched_ahead_is_tested_like_the_first(dtype, plan):
    x, y = data(1600, dtype, FAR)
    x[3 * 140 + 5, 4] = np.nan
    run = training(network(FAR))
    with pytest.raises(ValueError, match=r"x\[425, 4\] is nan"):
        run.run(core.Context(None, 2), core.Feed(x, y), batch_size=140, steps=10, shuffle=False, plan=plan)
    assert run.step == 3
