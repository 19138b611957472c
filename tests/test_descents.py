"""Stochastic gradient descent beside the gradient's product: the bits of the product and of the update after it."""

from itertools import product

import numpy as np
import pytest

from bits import DTYPES, FAST_SETS, SETS, assert_like_scalar, assert_same_bits, numbers, operations
from ganglion import _ganglion_core as core
from run_cases import TEAMS, digest

# Both sides of every vector width, and the columns that rows share beyond two vectors and three.
COLUMNS = (*range(1, 18), 23, 24, 25, 31, 32, 33, 34, 36, 40, 41, 47, 48, 49, 50, 52, 56, 57, 63, 64, 65, 66, 100, 128)
ROWS = (1, 2, 3, 5, 7, 8, 9, 14, 15, 29, 56)
DEPTHS = (0, 1, 11, 40)
CONSTANTS = ([0.1, 0.0], [0.05, 0.01])


def operands(m, n, k, dtype, seed=0):
    return numbers((m, n), dtype, seed), numbers((k, m), dtype, seed + 1), numbers((k, n), dtype, seed + 2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", SETS)
def test_every_shape(set_, dtype):
    for index, (m, n, k) in enumerate(product(ROWS, COLUMNS, DEPTHS)):
        w, x, dz = operands(m, n, k, dtype, index)
        constants = CONSTANTS[index % 2]
        gradient = operations.matmul(set_, x, dz, transpose_a=True)
        expected, _, _, largest = operations.update(set_, "sgd", w, gradient, None, None, constants)
        result, found = operations.descend(set_, w, x, dz, constants, misalign=index % 3)
        assert_same_bits(result, expected)
        assert found == largest == np.abs(expected).max()


# A decay of 0 times infinity is NaN.
@pytest.mark.parametrize(("value", "largest"), [(3e38, 3e38), (-3e38, 3e38), (np.inf, np.nan), (np.nan, np.nan)])
@pytest.mark.parametrize("set_", SETS)
def test_the_largest_weight_is_found_wherever_it_is(set_, value, largest):
    w, x, dz = operands(17, 50, 4, "float32")
    for place in np.ndindex(w.shape):
        spoilt = w.copy()
        spoilt[place] = value
        found = operations.descend(set_, spoilt, 0 * x, dz, [0.1, 0.0])[1]
        np.testing.assert_equal(found, float(np.float32(largest)))


@pytest.mark.parametrize("set_", FAST_SETS)
def test_gradients_that_are_not_finite(set_):
    for value in (np.inf, np.nan, 3e38):
        w, x, dz = operands(20, 50, 9, "float32")
        x[3, 5] = dz[3, 7] = value
        assert_like_scalar(set_, "descend", w, x, dz, [0.1, 0.0])


# (optimizer, widths, rows, what is special, tiles that a step of one thread updates so)
WIDE, ODD, FLAT = [270, 48, 8], [270, 50, 7], [8, 16, 4]
RUNS = {
    "one leaf": ("sgd", WIDE, 128, {}, 3 + 1),  # 270 rows are three tiles
    "with decay": ("sgd", WIDE, 40, {"weight_decay": 0.01}, 3 + 1),
    "shared columns": ("sgd", ODD, 40, {}, 3 + 1),
    "two leaves": ("sgd", WIDE, 129, {}, 0),
    "a moment": ("momentum", WIDE, 40, {"momentum": 0.9}, 0),
    "too short": ("sgd", FLAT, 10, {}, 0),
    "clipped to a norm": ("sgd", WIDE, 40, {"clip_norm": 0.1}, 0),
    "clipped by value": ("sgd", WIDE, 40, {"clip_value": 1e-4}, 0),
    "l1": ("sgd", WIDE, 40, {"l1": 1e-3}, 0),
    "l2": ("sgd", WIDE, 40, {"l2": 1e-3}, 0),
}


def run(case, kernel_set, team, plan="rows", dtype="float32", steps=3):
    optimizer, widths, rows, more, _ = RUNS[case]
    layers = [core.Dense(f"dense_{o}", o, True, "tanh", 0.01, "glorot_uniform", "zeros") for o in widths[1:]]
    for layer in layers:
        layer.l1, layer.l2 = more.get("l1", 0.0), more.get("l2", 0.0)
    net = core.Network(widths[0], layers, dtype, 3)
    description = core.Optimizer(
        optimizer, **{name: more[name] for name in ("momentum", "weight_decay") if name in more}
    )
    description.clip_norm, description.clip_value = more.get("clip_norm", 0.0), more.get("clip_value", 0.0)
    trained = core.Training(
        net, core.Loss("cross_entropy", 0.0), "labels", description, core.Schedule("constant", 0.1), []
    )
    generator = np.random.default_rng(3)
    x, y = generator.standard_normal((rows, widths[0])), generator.integers(0, widths[-1], rows, np.int32)
    feed = core.Feed(x.astype(dtype), y)
    report = trained.run(core.Context(kernel_set, team), feed, batch_size=rows, steps=steps, shuffle=False, plan=plan)
    return digest(net), report


@pytest.mark.parametrize("case", RUNS)
@pytest.mark.parametrize("set_", SETS)
def test_which_tiles_are_updated_so(set_, case):
    _, report = run(case, set_, 1)
    assert (report.kernel_set, report.descents) == (set_, 3 * RUNS[case][-1])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", ["one leaf", "with decay", "shared columns", "clipped by value", "l1", "l2"])
def test_a_network_has_the_bits_of_stored_gradients(case, dtype):
    for set_, team in product(SETS, TEAMS):
        stored, none = run(case, set_, team, "stored", dtype)
        updated, some = run(case, set_, team, "rows", dtype)
        assert none.descents == 0
        assert (some.descents > 0) == (RUNS[case][-1] > 0)
        assert updated == stored == run(case, "scalar", 1, "stored", dtype)[0], (set_, team)


@pytest.mark.parametrize("set_", SETS)
def test_weights_that_grow_are_noticed(set_):
    """The largest one decides when gradients are looked at before they are used: as early as with stored gradients."""
    x, y = np.zeros((20, 270), np.float32), np.full((20, 16), 1.9e37, np.float32)
    x[:, 3] = 0.05
    seen = []
    for plan in ("rows", "stored"):
        layer = core.Dense("dense", 16, False, "identity", 0.0, core.Initializer("zeros"), core.Initializer("zeros"))
        net = core.Network(270, [layer], "float32", 0)
        schedule = core.Schedule("constant", 1e37)
        trained = core.Training(net, core.Loss("mae", 0.0), "values", core.Optimizer("sgd"), schedule, [])
        feed = core.Feed(x, values=y)
        report = trained.run(core.Context(set_, 1), feed, batch_size=20, steps=200, shuffle=False, plan=plan)
        seen.append((report.careful_steps, digest(net)))
        assert (report.descents > 0) == (plan == "rows")
    assert seen[0] == seen[1]
    assert 0 < seen[0][0] < 200
