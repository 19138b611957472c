"""Orthonormal vectors, and what initial weights must be like beside the distributions that test_random.py looks at."""

import importlib.util

import numpy as np
import pytest

import ganglion as gg
from bits import DTYPES, assert_same_bits, operations
from ganglion import _ganglion_core as core

SIZES = [(1, 1), (1, 5), (5, 1), (3, 3), (17, 16), (16, 17), (40, 40), (200, 30), (30, 200), (129, 127)]


def started(name, rows, columns, *numbers, seed=1, dtype="float64"):
    """Initial weights of that shape."""
    told = core.Initializer(name, *numbers)
    return operations.initialize(told, rows, columns, fan_in=rows, fan_out=columns, seed=seed, dtype=dtype)


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_an_orthogonal_matrix_is_one(rows, columns):
    w = started("orthogonal", rows, columns, 1.0)
    product = w.T @ w if rows >= columns else w @ w.T
    np.testing.assert_allclose(product, np.eye(min(rows, columns)), rtol=0, atol=1e-14)
    assert_same_bits(started("orthogonal", rows, columns, 1.0, dtype="float32"), w.astype(np.float32))
    assert_same_bits(started("orthogonal", rows, columns, -2.0), -2 * w)
    assert w.size == 1 or not np.array_equal(started("orthogonal", rows, columns, 1.0, seed=3), w)


def test_orthonormal_vectors_are_in_order():
    """The first keeps its direction, the second its part across the first, and so on."""
    given = np.array([[3.0, 4.0, 0.0], [1.0, 7.0, 0.0], [1.0, 1.0, -2.0]])
    np.testing.assert_allclose(
        operations.orthonormal(given), [[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, -1]], rtol=0, atol=1e-15
    )


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((1, 1)),
        np.zeros((4, 4)),
        np.ones((3, 5)),
        np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [-1.0, -2.0, -3.0]]),
        np.vander(np.linspace(0, 1, 12)),
        1 / np.add.outer(np.arange(1.0, 9), np.arange(8)),
    ],
    ids=["1 zero", "zeros", "ones", "multiples", "Vandermonde", "Hilbert"],
)
def test_vectors_that_depend_on_each_other_give_way(given):
    found = operations.orthonormal(given)
    np.testing.assert_allclose(found @ found.T, np.eye(len(given)), rtol=0, atol=1e-13)


SEED_OF_ZERO = 26740199  # its first uniform number is 0, and so is its first normal one: nothing to divide by


def test_a_weight_of_zero_becomes_one():
    assert operations.normal(1, seed=SEED_OF_ZERO, kind=1)[0] == 0
    assert started("orthogonal", 1, 1, 1.0, seed=SEED_OF_ZERO) == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_constants(dtype):
    assert_same_bits(started("ones", 3, 4, dtype=dtype), np.ones((3, 4), dtype))
    assert_same_bits(started("constant", 3, 4, -0.1, dtype=dtype), np.full((3, 4), -0.1, dtype))
    assert_same_bits(started("normal", 3, 4, 0.0, 0.7, dtype=dtype), np.full((3, 4), 0.7, dtype))


def test_moments_of_what_has_parameters():
    normal, uniform = started("normal", 500, 400, 0.5, 3.0), started("uniform", 500, 400, 1.0, 3.0)
    error = 5 / np.sqrt(normal.size)
    assert abs(normal.mean() - 3) < 0.5 * error
    assert abs(normal.std() - 0.5) < 0.5 * error
    assert (uniform.min() >= 1, uniform.max() < 3) == (True, True)
    assert abs(uniform.mean() - 2) < error
    assert abs(uniform.std() - 3**-0.5) < error


@pytest.mark.parametrize(
    ("name", "alias"),
    [
        ("glorot_uniform", "xavier_uniform"),
        ("he_normal", "kaiming_normal"),
        ("normal", "random_normal"),
        ("uniform", "random_uniform"),
    ],
)
def test_other_libraries_names(name, alias):
    models = [gg.Sequential(gg.Dense(5, kernel_initializer=each, input_shape=(4,))) for each in (name, alias)]
    assert_same_bits(models[0].get_weights()[0], models[1].get_weights()[0])
    assert models[1].layers[0].kernel_initializer == name


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_pytorch_s_linear_has_the_same_range():
    import torch

    torch.manual_seed(0)
    theirs = torch.nn.Linear(100, 500)
    layer = gg.Dense(500, kernel_initializer="fan_in_uniform", bias_initializer="fan_in_uniform", input_shape=(100,))
    for ours, other in zip(gg.Sequential(layer).get_weights(), theirs.parameters(), strict=True):
        for array in (ours, other.detach().numpy()):
            assert 0.097 < np.abs(array).max() <= 0.1
            assert np.std(array) == pytest.approx(0.1 / 3**0.5, rel=0.1)
