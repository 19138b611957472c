"""Gradients held within bounds before the optimizer sees them: each element, or the norm of all together."""

import numpy as np
import pytest

import ganglion as gg
from bits import DTYPES, FAST_SETS, any_numbers, assert_same_bits, operations, special_values
from bits import numbers as odd_numbers
from cases import LEARNING_RATES, OPTIMIZERS, Case, native_optimizer
from ganglion import reference
from ganglion._native import _ganglion_core as core
from ganglion.optimizers import OPTIMIZERS as DESCRIPTIONS
from run_cases import PLANS, SETS, TEAMS, data, digest, network
from small_models import LABELS, X, classifier, weights_after
from tolerance import assert_only_right_passes

SHAPES = [(1, 1), (2, 15), (3, 16), (5, 17), (4, 33), (7, 100), (64, 64), (3, 784)]
NORM = ("gradients", "norm", "apply")
PLANS_WITH_NORM = {
    plan: (*(phase for phase in phases if phase not in ("update", *NORM)), *NORM) for plan, phases in PLANS.items()
}


def clipping(optimizer, clip_norm=0.0, clip_value=0.0, **options):
    """An optimizer of the core that clips."""
    description = native_optimizer(core, optimizer, **options)
    description.clip_norm, description.clip_value = clip_norm, clip_value
    return description


def train(kernel_set, team, plan, optimizer, *, dtype="float32", scale=1, rate=1e-2, batch=150, steps=4, **limits):
    """The digest of a small run's weights and of its losses, and the report."""
    net = network([37, 50, 9, 7], "relu", dtype)
    run = core.Training(
        net, "cross_entropy", "labels", clipping(optimizer, **limits), core.Schedule("constant", rate), ["accuracy"]
    )
    x, y = data(400, dtype, [37, 7])
    x *= x.dtype.type(scale)
    report = run.run(
        core.Context(kernel_set, team), core.Feed(x, y), batch_size=batch, steps=steps, shuffle=True, plan=plan
    )
    return (digest(net), report.epochs.tobytes()), report


# The kernels.


@pytest.mark.parametrize("set_", FAST_SETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_kernels_have_the_scalar_bits(set_, dtype):
    special = special_values(dtype)[None]
    for index, x in enumerate([special, any_numbers(1003, dtype, 3)[None], *(odd_numbers(s, dtype) for s in SHAPES)]):
        misalign = (0, 1, 5)[index % 3]
        assert_same_bits(
            operations.row_squares(set_, x, misalign=misalign), operations.row_squares("scalar", x, misalign=misalign)
        )
        for scale, bound in [(1.0, 0.5), (0.37, np.inf), (0.37, 1e-30)]:
            options = {"in_place": index % 2 == 0, "misalign": misalign}
            found = operations.clip(set_, x, scale, bound, **options)
            assert_same_bits(found, operations.clip("scalar", x, scale, bound, **options))


@pytest.mark.parametrize("dtype", DTYPES)
def test_squares_are_summed_in_double(dtype):
    x = np.array([[1.0, *[2.0**-20] * 1000]], dtype)
    # Each small square is below the last digit of a float32 sum.
    assert operations.row_squares("scalar", x)[0] == 1 + 1000 * 2.0**-40
    assert operations.row_squares("scalar", np.full((1, 2), 2.0**100, dtype))[0] == 2.0**201  # no overflow


def test_clip_keeps_what_is_within_and_the_sign_of_what_is_not():
    g = np.array([[0.5, -0.5, 2, -2, 1, -0.0, np.nan, np.inf, -np.inf]], np.float32)
    expected = np.array([[0.5, -0.5, 1, -1, 1, -0.0, np.nan, 1, -1]], np.float32)
    assert_same_bits(operations.clip("scalar", g, 1.0, 1.0), expected)


# Whole runs.


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("limits", [{"clip_norm": 0.05}, {"clip_value": 2e-4}], ids=str)
@pytest.mark.parametrize("optimizer", core.optimizers())
def test_clipped_training_has_the_same_bits_on_every_set_team_and_plan(optimizer, limits, dtype):
    plans = PLANS_WITH_NORM if "clip_norm" in limits else PLANS
    results = set()
    ways = [("scalar", 1, "rows"), ("sse2", 2, "layers"), *((s, 2, p) for s in SETS[:2] for p in PLANS)]
    ways += [(SETS[0], team, "auto") for team in TEAMS]
    for kernel_set, team, plan in ways:
        result, report = train(kernel_set, team, plan, optimizer, dtype=dtype, **limits)
        assert report.careful_steps == 0
        assert plan == "auto" or report.plan == plans[plan]
        results.add(result)
    assert len(results) == 1
    assert results != {train(SETS[0], 1, "auto", optimizer, dtype=dtype)[0]}


@pytest.mark.parametrize("limits", [{"clip_norm": 1e9}, {"clip_value": 1e9}], ids=str)
def test_limits_that_nothing_reaches_change_no_bit(limits):
    assert train(SETS[0], 2, "auto", "adam", **limits)[0] == train(SETS[0], 2, "auto", "adam")[0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("decay", [0.0, 2.0**-6])
@pytest.mark.parametrize("limits", [{"clip_norm": 0.5}, {"clip_value": 0.0625}], ids=str)
@pytest.mark.parametrize("name", core.optimizers())
def test_the_first_update_is_that_of_the_reference(name, limits, decay, dtype):
    case, options = Case("tanh", "mse"), OPTIMIZERS[name] | {"weight_decay": decay}
    net = case.core(core, dtype)
    rate = LEARNING_RATES[name]
    run = core.Training(
        net, "mse", "values", clipping(name, **limits, **options), core.Schedule("constant", rate, 0.0, 1), []
    )
    feed = case.feed(core, dtype)
    gradients = [gradient.astype(np.float64) for gradient in run.gradients(core.Context(), feed).arrays]
    run.run(core.Context(), feed, batch_size=case.rows, steps=1, shuffle=False)

    def make(**changed):
        optimizer = reference.OPTIMIZERS[name](learning_rate=rate, **options)
        for limit, value in (limits | changed).items():
            setattr(optimizer, limit, value)
        return optimizer

    def stepped(optimizer):
        weights = case.weights()
        optimizer.update(weights, gradients)
        return weights

    bounds = reference.update_bounds(make, case.weights(), gradients, dtype)
    wrong = stepped(make(**{limit: 1.01 * value for limit, value in limits.items()}))
    rows = zip(net.parameters(), stepped(make()), bounds, wrong, strict=True)
    told_apart = 0
    for actual, expected, bound, other in rows:
        assert_only_right_passes(actual, expected, bound)
        told_apart += bool((np.abs(other - expected) > bound).any())
    # The first step of an adaptive optimizer hardly knows how large its gradients are, and no norm hides one element.
    assert told_apart or name not in ("sgd", "momentum", "nesterov")


@pytest.mark.parametrize("row", DESCRIPTIONS.classes.values(), ids=lambda row: row.__name__)
def test_every_optimizer_hands_its_limits_on(row):
    plain = weights_after(classifier(), {"epochs": 3}, optimizer=row(1e-2))
    for limits in ({"clip_norm": 1e-3}, {"clip_value": 1e-4}):
        optimizer = row(1e-2, **limits)
        assert (optimizer.clipped().clip_norm, optimizer.clipped().clip_value) == tuple(
            limits.get(name, 0.0) for name in ("clip_norm", "clip_value")
        )
        clipped = weights_after(classifier(), {"epochs": 3}, optimizer=optimizer)
        assert any((a != b).any() for a, b in zip(plain, clipped, strict=True))
        assert gg.verify(classifier(), X, LABELS, optimizer=optimizer).ok


def test_a_norm_limits_the_change_of_all_weights_together():
    before = classifier().get_weights()
    for limit in (1e-3, 1e-2):
        after = weights_after(classifier(), {"batch_size": 50}, optimizer=gg.SGD(1.0, clip_norm=limit))
        change = np.sqrt(sum(np.sum((a.astype(float) - b) ** 2) for a, b in zip(after, before, strict=True)))
        assert change == pytest.approx(limit, rel=1e-4)


# What is not finite.


@pytest.mark.parametrize("limits", [{"clip_norm": 1.0}, {"clip_value": 1.0}], ids=str)
@pytest.mark.parametrize("plan", PLANS)
def test_huge_gradients_are_clipped_after_they_are_tested(limits, plan):
    """x of 2⁶⁴ breaks the bound of the fast path; clipping then makes an ordinary step of it."""
    results = set()
    for kernel_set, team in [(SETS[0], 1), (SETS[0], 3), ("scalar", 1)]:
        result, report = train(
            kernel_set, team, plan, "sgd", scale=2.0**66, rate=2.0**-70, batch=200, steps=3, **limits
        )
        assert (report.steps, report.careful_steps) == (3, 3)
        results.add(result)
    assert len(results) == 1


@pytest.mark.parametrize("limits", [{"clip_norm": 1.0}, {"clip_value": 1.0}], ids=str)
@pytest.mark.parametrize("plan", PLANS)
def test_no_gradient_that_is_not_finite_is_clipped(limits, plan):
    net = network(activation="relu")
    run = core.Training(net, "mse", "values", clipping("sgd", **limits), core.Schedule("constant", 1e-3), [])
    x, _ = data(300)
    values = np.full((300, 7), 2e38, np.float32)  # squares overflow; so would the gradients' sums
    with pytest.raises(core.TrainingDivergedError, match=r"the \w+ of step 1 is not a finite number"):
        run.run(core.Context(None, 2), core.Feed(x, None, values), batch_size=300, steps=2, shuffle=True, plan=plan)
    assert run.step == 0
    assert digest(net) == digest(network(activation="relu"))


def test_a_norm_beyond_float64_stops_before_its_step():
    net = network(activation="identity", dtype="float64")
    run = core.Training(
        net, "cross_entropy", "labels", clipping("sgd", clip_norm=1.0), core.Schedule("constant", 1e-3), []
    )
    x, y = data(300, "float64")
    with pytest.raises(core.TrainingDivergedError, match="the norm of all gradients of step 1 is not a finite number"):
        run.run(core.Context(None, 2), core.Feed(x * 1e300, y), batch_size=300, steps=2, shuffle=True)
    assert run.step == 0
    assert digest(net) == digest(network(activation="identity", dtype="float64"))
