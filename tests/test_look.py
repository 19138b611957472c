"""The largest magnitude of x, looked for beside the product that reads it: of all of A, and of nothing else."""

import itertools

import numpy as np
import pytest

from bits import DTYPES, FAST_SETS, SETS, assert_same_bits, numbers, operations, strided
from ganglion import _ganglion_core as core
from run_cases import digest, network, training

LANES = {"sse2": 16, "avx2": 32, "avx512": 64}  # bytes of a vector
LOOKING = ("avx512",)
ROWS = (1, 3, 6, 7, 8, 9, 14, 17, 50)
COLUMNS = (1, 7, 8, 12, 16, 24, 31, 32, 33, 34, 40, 48, 50, 56, 63, 64, 100)
DEPTHS = (0, 1, 15, 16, 17, 70)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", SETS)
def test_the_product_and_the_largest_of_every_shape(set_, dtype):
    for index, (m, n, k) in enumerate(itertools.product(ROWS, COLUMNS, DEPTHS)):
        a, b = numbers((m, k), dtype, index), numbers((k, n), dtype, index + 1)
        a = strided(a, 1 + index % 2, 1, index % 5)  # with NaN behind its rows and between them
        product, largest, _ = operations.matmul(set_, a, b, look=True)
        assert largest == np.abs(a).max(initial=0)
        assert_same_bits(product, operations.matmul(set_, a, b))


@pytest.mark.parametrize("value", [-3e38, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("set_", SETS)
def test_no_element_is_left_out(set_, value):
    a, b = numbers((17, 35), "float32"), numbers((35, 50), "float32", 1)
    for place in np.ndindex(a.shape):
        spoilt = a.copy()
        spoilt[place] = value
        np.testing.assert_equal(operations.matmul(set_, spoilt, b, look=True)[1], np.abs(np.float32(value)))
    spoilt[0, 0] = np.inf
    assert np.isnan(operations.matmul(set_, spoilt, b, look=True)[1]) == np.isnan(value)  # NaN is larger than infinity


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", FAST_SETS)
def test_where_the_look_is_beside_the_product(set_, dtype, sparse):
    """Of at least two vectors of columns, where there are more rows than wide tiles take and no zeros are left out."""
    width = LANES[set_] // np.dtype(dtype).itemsize
    for k, n in itertools.product((40, 3000), (width - 1, 2 * width, 2 * width + 2, 3 * width, 4 * width - 1)):
        a, b = numbers((20, k), dtype), numbers((k, n), dtype, 1)
        beside = operations.matmul(set_, a, b, sparse=sparse, look=True)[2]
        assert beside == (set_ in LOOKING and n >= 2 * width and not sparse)


WIDTHS = [270, 50, 7]


def batches(rows=120):
    generator = np.random.default_rng(5)
    return generator.random((rows, WIDTHS[0]), dtype=np.float32), generator.integers(0, WIDTHS[-1], rows, np.int32)


def fit(x, y, kernel_set, team, steps=3):
    net = network(WIDTHS)
    run = training(net, optimizer="sgd")
    options = {"batch_size": 40, "steps": steps, "shuffle": False, "plan": "rows"}
    try:
        report = run.run(core.Context(kernel_set, team), core.Feed(x, y), **options)
    except ValueError as error:
        return str(error), run.step, digest(net)
    return report.careful_steps, run.step, digest(net)


@pytest.mark.parametrize("team", [1, 2, 3])
@pytest.mark.parametrize("place", [(40, 0), (40, 269), (53, 256), (59, 17), (60, 0), (79, 269)])
def test_a_feature_that_is_not_finite_is_found_before_its_step(place, team):
    x, y = batches()
    _, _, before = fit(x, y, SETS[0], 1, steps=1)
    for kernel_set, value in itertools.product(SETS, [np.nan, -np.inf]):
        x[place] = value
        message, steps, after = fit(x, y, kernel_set, team)
        assert message.startswith(f"x[{place[0]}, {place[1]}] is {value}")
        assert (steps, after) == (1, before)


@pytest.mark.parametrize("place", [(40, 0), (53, 256), (79, 269)])
def test_one_large_feature_makes_its_step_a_careful_one(place):
    x, y = batches()
    assert fit(x, y, SETS[0], 1)[:2] == (0, 3)
    x[place] = 2.0**126
    ((careful, steps, _),) = {fit(x, y, kernel_set, team) for kernel_set in SETS for team in (1, 2)}
    assert (careful, steps) == (1, 3)
