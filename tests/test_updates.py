"""The optimizers' kernels: the bits of the scalar set from every set, wherever in a parameter their block lies."""

import itertools

import numpy as np
import pytest

from bits import (
    DTYPES,
    FAST_SETS,
    SETS,
    assert_all_same,
    assert_like_scalar,
    assert_same_bits,
    numbers,
    operations,
    special_values,
)

# Both sides of every vector width and of the strips of 32 columns in which moments lie.
COLUMNS = (*range(1, 11), 13, 15, 16, 17, 23, 24, 25, 31, 32, 33, 48, 49, 50, 63, 64, 65, 100, 127, 128, 129, 130)
ROWS = (1, 2, 3, 4, 5, 7, 8, 9, 16, 17)
TALL = itertools.product((127, 128, 129, 1000), (1, 7, 10, 13, 16, 50))
SHAPES = [*itertools.product(ROWS, COLUMNS), *TALL, (0, 10), (3, 784)]
MISALIGNED = (0, 1, 5, 16)
CONSTANTS = {
    "sgd": [[0.1, 0.0], [0.05, 0.01]],
    "momentum": [[0.1, 0.0, 0.9], [0.05, 0.01, 0.5]],
    "nesterov": [[0.1, 0.0, 0.9], [0.05, 0.01, 0.5]],
    "adam": [
        [1e-3 / (1 - 0.9), 0.0, 0.9, 1 - 0.9, 0.999, 1 - 0.999, (1 - 0.999) ** -0.5, 1e-8],
        [1e-3, 0.01, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 1.0, 1e-8],
    ],
    "adamw": [
        [1e-3 / (1 - 0.9), 1e-5, 0.9, 1 - 0.9, 0.999, 1 - 0.999, (1 - 0.999) ** -0.5, 1e-8],
        [1e-3, 0.01, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 1.0, 1e-8],
    ],
    "rmsprop": [[1e-3, 0.0, 0.9, 1 - 0.9, 1e-8], [0.05, 0.01, 0.99, 1 - 0.99, 1e-5]],
    "rmsprop_momentum": [[1e-3, 0.0, 0.9, 1 - 0.9, 1e-8, 0.9], [0.05, 0.01, 0.99, 1 - 0.99, 1e-5, 0.5]],
    "adagrad": [[0.01, 0.0, 1e-10], [0.05, 0.01, 1e-5]],
}

each_dtype = pytest.mark.parametrize("dtype", DTYPES)
each_fast_set = pytest.mark.parametrize("set_", FAST_SETS)
each_set = pytest.mark.parametrize("set_", SETS)
each_optimizer = pytest.mark.parametrize(("name", "moments"), operations.tables("scalar")["optimizers"])


@each_fast_set
@each_dtype
@each_optimizer
def test_update(set_, dtype, name, moments):
    special = special_values(dtype)
    each_with_each = [x.copy() for x in np.meshgrid(special, special)]
    for constants in CONSTANTS[name]:
        for index, shape in enumerate(SHAPES):
            w, g, m, v = (numbers(shape, dtype, seed) for seed in range(4))
            moments_before = [m, np.abs(v)][:moments] + [None] * (2 - moments)
            assert_like_scalar(set_, "update", name, w, g, *moments_before, constants, misalign=MISALIGNED[index % 4])
        m, v = each_with_each[0].T.copy(), np.abs(each_with_each[1].T)
        moments_before = [m, v][:moments] + [None] * (2 - moments)
        assert_like_scalar(set_, "update", name, *each_with_each, *moments_before, constants)


@each_set
@each_dtype
@each_optimizer
@pytest.mark.parametrize("inside", [(3, 32, 2, 40), (1, 64, 0, 1), (0, 32, 4, 0), (0, 0, 7, 9)])
def test_a_block_has_the_moments_of_its_own_place(set_, dtype, name, moments, inside):
    """There and nowhere else: the operation writes and looks up moments by a formula of its own."""
    for shape in ((5, 16), (2, 17), (17, 100), (1, 7)):
        w, g, m, v = (numbers(shape, dtype, seed) for seed in range(4))
        given = [m, np.abs(v)][:moments] + [None] * (2 - moments)
        alone = operations.update(set_, name, w, g, *given, CONSTANTS[name][0])
        assert_all_same(operations.update(set_, name, w, g, *given, CONSTANTS[name][0], inside=inside), alone)


@each_set
@each_dtype
@each_optimizer
def test_moments_are_never_denormal(set_, dtype, name, moments):
    halving = [0.1, 0, 0.5, 0.5, 0.5, 0.5, 1, 1]
    smallest = np.finfo(dtype).smallest_normal
    before = np.array([1.5, 2, 2.5, -1.5], dtype) * smallest
    zero, after = np.zeros(4, dtype), np.array([0, 1, 1.25, 0], dtype) * smallest
    if name == "adagrad":  # a sum: nothing decays, and only what was denormal before is flushed
        before[0], after = smallest / 2, before * np.array([0, 1, 1, 1], dtype)
    given = [before if moments > number else None for number in (0, 1)]
    _, *found, _ = operations.update(set_, name, zero, zero, *given, halving)
    for moment in found[:moments]:
        assert_same_bits(moment, after)
