"""Several batches for one step of the optimizer: the mean of their gradients."""

import numpy as np
import pytest

import ganglion as gg
from bits import DTYPES
from cases import LEARNING_RATES, OPTIMIZERS, Case, native_optimizer
from ganglion import reference
from ganglion._native import _ganglion_core as core
from ganglion.counterparts import in_reference
from run_cases import PLANS, SETS, TEAMS, data, digest, network
from small_models import LABELS, X, assert_same, classifier, weights_after
from tolerance import assert_only_right_passes, relative

PHASES = {
    "rows": ("rows", "gradients", "apply"),
    "layers": (*PLANS["layers"][:-1], "gradients", "apply"),
    "stored": ("rows", "gradients", "apply"),
}


def training(net, accumulate, optimizer="adam", rate=1e-2, limits=(), loss="cross_entropy", **options):
    description = native_optimizer(core, optimizer, **options)
    for name, value in dict(limits).items():
        setattr(description, name, value)
    target = "labels" if loss == "cross_entropy" else "values"
    return core.Training(net, loss, target, description, core.Schedule("constant", rate), ["accuracy"], accumulate)


def wide(dtype="float32", activation="tanh"):
    return network([37, 50, 40, 7], activation, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("limits", [{}, {"clip_norm": 1e-2}, {"clip_value": 1e-3}], ids=str)
def test_the_same_bits_on_every_set_team_and_plan(limits, dtype):
    x, y = data(400, dtype)
    results = set()
    ways = [("scalar", 1, "rows"), ("sse2", 2, "layers"), *((s, 2, p) for s in SETS[:2] for p in PLANS)]
    ways += [(SETS[0], team, "auto") for team in TEAMS]
    for kernel_set, team, plan in ways:
        net = wide(dtype)
        run = training(net, 3, limits=limits)
        report = run.run(  # five batches an epoch: groups of three and of two
            core.Context(kernel_set, team), core.Feed(x, y), batch_size=90, steps=7, shuffle=True, plan=plan
        )
        if not limits and plan != "auto":
            assert report.plan == PHASES[plan]
        assert (report.steps, run.step, run.epoch, run.position) == (7, 2, 1, 2)
        results.add((digest(net), report.epochs.tobytes()))
    assert len(results) == 1


@pytest.mark.parametrize("optimizer", core.optimizers())
def test_a_run_is_that_of_the_reference(optimizer):
    case, options = Case("tanh", rows=30), OPTIMIZERS[optimizer]
    x, y = case.x(), case.y()
    net = case.core(core, "float64")
    run = training(net, 3, optimizer, LEARNING_RATES[optimizer], loss="mse", **options)
    report = run.run(core.Context(), case.feed(core, "float64"), batch_size=7, steps=10, shuffle=True)
    models = {}
    for accumulate in (3, 1, 5):
        models[accumulate] = case.reference()
        losses = reference.train(
            models[accumulate],
            x,
            y,
            loss="mse",
            optimizer=reference.OPTIMIZERS[optimizer](learning_rate=LEARNING_RATES[optimizer], **options),
            epochs=2,
            batch_size=7,
            accumulate=accumulate,
        )
        if accumulate == 3:
            assert report.epochs[:, 0] == pytest.approx(losses.epochs, rel=1e-10)
    rows = zip(net.parameters(), *(models[n].parameters for n in (3, 1, 5)), strict=True)
    for actual, array, each, all_ in rows:
        assert_only_right_passes(actual, array, relative(array, 1e-9), each_batch=each, whole_epochs=all_)
    assert run.step == 4


@pytest.mark.parametrize("cuts", [[14], [1] * 14, [4, 2, 8]])
def test_a_run_may_be_cut_within_a_group(cuts):
    x, y = data(400)
    nets = [wide(), wide()]
    runs = [training(net, 3) for net in nets]
    feed = core.Feed(x, y)
    runs[0].run(core.Context(), feed, batch_size=90, steps=14, shuffle=True)
    for steps in cuts:
        runs[1].run(core.Context(None, 2), feed, batch_size=90, steps=steps, shuffle=True)
    assert digest(nets[0]) == digest(nets[1])


def test_a_snapshot_holds_the_group_under_way():
    feed, net = core.Feed(*data(400)), wide()
    run = training(net, 3)
    run.run(core.Context(), feed, batch_size=90, steps=2, shuffle=True)
    kept, digests = run.snapshot(), []
    for _ in range(2):
        run.restore(kept)
        run.run(core.Context(), feed, batch_size=90, steps=6, shuffle=True)
        digests.append(digest(net))
    assert digests[0] == digests[1]


def test_equal_batches_make_the_step_of_all_their_rows():
    """Sums in another order: the same but for roundings."""
    weights = []
    for options, accumulate in (({"batch_size": 10}, 5), ({"batch_size": 50}, 1), ({"batch_size": 10}, 4)):
        model = classifier(dtype="float64")
        trainer = gg.Trainer(model, "cross_entropy", gg.SGD(0.5), accumulate=accumulate)
        trainer.fit(X, LABELS, epochs=3, shuffle=False, verbose=0, **options)
        weights.append(model.get_weights())
    for five, whole, other in zip(*weights, strict=True):
        assert_only_right_passes(five, whole, relative(whole, 1e-12), otherwise=other)


def test_train_on_batch_makes_a_step_and_a_new_epoch_forgets_the_group():
    weights = []
    for accumulate in (1, 4):
        model = classifier()
        trainer = gg.Trainer(model, "cross_entropy", "adam", accumulate=accumulate)
        trainer.train_on_batch(X, LABELS)
        weights.append(model.get_weights())
    assert_same(*weights)
    assert_same(weights[0], weights_after(classifier(), {"batch_size": 50, "shuffle": False}))
    feed, digests = core.Feed(*data(400)), set()
    for spoiled in (False, True):
        net = wide()
        run = training(net, 3)
        if spoiled:
            run.run(core.Context(), feed, batch_size=90, steps=2, shuffle=False)
            assert run.step == 0
            assert digest(net) == digest(wide())
            run.begin_epoch()
        run.run(core.Context(), feed, batch_size=90, steps=5, shuffle=False)
        digests.add(digest(net))
    assert len(digests) == 1


def test_nothing_of_a_diverging_batch_is_summed():
    x, y = data(400)
    x[200:210] *= np.float32(3.4e38)  # in the third batch of five
    net = wide(activation="relu")
    run = training(net, 4, "sgd")
    for _ in range(2):
        with pytest.raises(core.TrainingDivergedError, match="of step 1 is not a finite number"):
            run.run(core.Context(None, 2), core.Feed(x, y), batch_size=80, steps=5, shuffle=False)
    assert (run.step, run.position) == (0, 2)
    assert digest(net) == digest(wide(activation="relu"))
    healthy, expected = core.Feed(*data(400)), wide(activation="relu")
    run.run(core.Context(), healthy, batch_size=80, steps=3, shuffle=False)
    training(expected, 4, "sgd").run(core.Context(), healthy, batch_size=80, steps=5, shuffle=False)
    assert digest(net) == digest(expected)


@pytest.mark.parametrize("plan", PLANS)
def test_sums_that_might_overflow_are_tested(plan):
    x, y = data(400)
    x *= np.float32(2.0**66)
    digests = set()
    for kernel_set, team in [(SETS[0], 1), (SETS[0], 3), ("scalar", 1)]:
        net = wide(activation="relu")
        run = training(net, 3, "sgd", 2.0**-70)
        report = run.run(
            core.Context(kernel_set, team), core.Feed(x, y), batch_size=90, steps=5, shuffle=True, plan=plan
        )
        assert (report.steps, report.careful_steps, run.step) == (5, 5, 2)
        digests.add(digest(net))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        (0, ValueError, "accumulate must be at least 1; given 0"),
        (2.0, TypeError, "accumulate must be an integer; given 2.0 of type float"),
        (True, TypeError, "accumulate must be an integer; given True of type bool"),
    ],
)
def test_a_wrong_number_is_refused(given, error, message):
    with pytest.raises(error, match=message):
        gg.Trainer(classifier(), "cross_entropy", accumulate=given)
    with pytest.raises(ValueError, match="accumulate must be at least 1, not 0"):
        training(wide(), 0)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layers_that_depend_on_the_batch_take_each_by_itself(dtype):
    """Dropout draws for each batch; moving statistics move with each; the rest waits for the sum."""
    x, y = data(100, dtype, [7, 4])
    layers = [gg.Dense(16), gg.BatchNormalization(), gg.Tanh(), gg.Dropout(0.25), gg.Dense(4)]
    results = set()
    for kernel_set, team, plan in [("scalar", 1, "rows"), *((s, 2, p) for s in SETS[:2] for p in PLANS)]:
        model = gg.Sequential(list(layers), seed=3, dtype=dtype)
        model.build((7,))
        start = model.get_weights()
        run = training(model.network, 3, "sgd", 0.25)
        run.run(core.Context(kernel_set, team), core.Feed(x, y), batch_size=30, steps=8, shuffle=True, plan=plan)
        results.add(b"".join(np.ascontiguousarray(w).tobytes() for w in model.get_weights()))
    assert len(results) == 1
    expected = []
    for accumulate in (3, 1):
        network = reference.Sequential(in_reference(model, start)[0])
        reference.train(
            network,
            x,
            y,
            loss="cross_entropy",
            optimizer=reference.SGD(0.25),
            epochs=2,
            batch_size=30,
            seed=3,
            accumulate=accumulate,
        )
        expected.append(network)
    if dtype == "float64":
        found = reference.Sequential(in_reference(model, model.get_weights())[0])
        for mine, right, wrong in zip(*(n.forward(x) for n in (found, *expected)), strict=True):
            assert_only_right_passes(mine, right, relative(right, 1e-9), each_batch=wrong)


@pytest.mark.parametrize("rows", [48, 50])
def test_an_iterable_of_batches_is_accumulated_like_an_array(rows):
    """Also what the end of an epoch leaves over: 48 rows are 6 batches of 8, 50 are 7, in groups of 4."""
    x, y = X[:rows], LABELS[:rows]
    whole = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.5), accumulate=4)
    whole.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
    parts = [(x[first : first + 8], y[first : first + 8]) for first in range(0, rows, 8)]
    given = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.5), accumulate=4)
    given.fit(parts, epochs=3, verbose=0)
    assert given.history.history["loss"] == whole.history.history["loss"]
    assert_same(given.model.get_weights(), whole.model.get_weights())
    plain = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.5))
    plain.fit(parts, epochs=3, verbose=0)
    assert any((a != b).any() for a, b in zip(plain.model.get_weights(), given.model.get_weights(), strict=True))


def test_an_iterable_that_fails_leaves_the_group_under_way_unused():
    def batches():
        for first in range(0, 48, 8):
            if first == 40:
                raise OSError("gone")
            yield X[first : first + 8], LABELS[first : first + 8]

    trainer = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.5), accumulate=2)
    with pytest.raises(OSError, match="gone"):
        trainer.fit(batches(), verbose=0)
    expected = gg.Trainer(classifier(), "cross_entropy", gg.SGD(0.5), accumulate=2)
    expected.fit(X[:32], LABELS[:32], batch_size=8, shuffle=False, verbose=0)
    assert_same(trainer.model.get_weights(), expected.model.get_weights())
