"""The matmul kernels: the same bits from every set, the order of the chain, exactness, a bound, no stray writes."""

import itertools

import numpy as np
import pytest

from bits import DTYPES, FAST_SETS, SETS, assert_same_bits, numbers, operations, special_values, strided
from tolerance import assert_only_right_passes, largest_sum, without

# Register tiles have up to 14 rows and 1, 2, 3, 4 or 8 vectors of up to 16 columns: both sides of their multiples.
# After 2 or 3 vectors of 16 or 8 columns rows share a vector for up to 4 or 2 more.
M = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16, 17, 27, 28, 29, 31)
N = (1, 2, 3, 4, 5, 7, 8, 9, 10, 13, 15, 16, 17, 18, 25, 26, 31, 32, 33, 34, 35, 36)
N += (50, 51, 52, 53, 63, 64, 65, 80, 127, 128, 129, 257)
K = (0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 50)
BATCHES = [(m, n, k) for n, k in ((7, 3), (10, 50), (13, 7), (50, 16), (129, 33)) for m in (127, 128, 129, 1000)]
DEEP = [
    (3, 17, 127),
    (5, 10, 128),
    (8, 33, 129),
    (14, 50, 784),
    (7, 64, 1000),
    (10, 1, 4097),
    (128, 10, 257),
    (29, 36, 127),
    (23, 51, 256),
]
# One row of up to 16 rows of B, these 8 at a time and up to 4096 columns.
STREAMED = [
    (1, n, k) for n in (64, 127, 128, 255, 256, 257, 300, 4095, 4096, 4097, 5003) for k in (1, 7, 8, 9, 15, 16, 17)
]
# B of more than a MiB: its next columns are fetched.
FAR = [(29, 515, 520), (15, 40, 6600), (14, 531, 500)]
SHAPES = [(m, n, K[index % len(K)]) for index, (m, n) in enumerate(itertools.product(M, N))]
SHAPES += BATCHES + DEEP + STREAMED + FAR

SMALL = [(1, 1, 1), (2, 3, 4), (7, 10, 13), (16, 16, 16), (17, 33, 5), (31, 50, 129), (128, 10, 64)]


def factors(shape, dtype, seed=0):
    """A (M, K) and B (K, N)."""
    m, n, k = shape
    return numbers((m, k), dtype, seed), numbers((k, n), dtype, seed + 1)


def integers(shape, dtype, largest, seed=0):
    m, n, k = shape
    generator = np.random.default_rng([seed, *shape])
    a, b = generator.integers(-largest, largest + 1, (m, k)), generator.integers(0, largest + 1, (k, n))
    return a.astype(dtype), b.astype(dtype)


def chain(a, b, c):
    """c + Σ_k a[:, k] b[k, :], each step rounded once to float32: exact in float64 for integers below 2²⁴."""
    for column, row in zip(a.T.astype(np.float64), b.astype(np.float64), strict=True):
        c = (c.astype(np.float64) + np.outer(column, row)).astype(np.float32)
    return c


def test_there_are_enough_shapes():
    assert len(set(SHAPES)) >= 300


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", FAST_SETS)
def test_same_bits(set_, dtype):
    for index, shape in enumerate(SHAPES):
        a, b = factors(shape, dtype)
        a = strided(a, *((1, 1, 1), (1, 1, 5), (2, 1, 3), (1, 3, 1), (2, 2, 7))[index % 5])
        b = strided(b, *((1, 1, 0), (1, 1, 1), (2, 1, 6))[index % 3])
        assert_same_bits(operations.matmul(set_, a, b), operations.matmul("scalar", a, b))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", FAST_SETS)
@pytest.mark.parametrize(("transpose_a", "transpose_b"), [(True, False), (False, True)])
def test_same_bits_of_transposes(set_, dtype, transpose_a, transpose_b):
    for index, shape in enumerate(SHAPES):
        a, b = factors(shape, dtype)
        expected = operations.matmul("scalar", a, b)
        a = strided(np.ascontiguousarray(a.T) if transpose_a else a, 1, 1, index % 4)
        b = strided(np.ascontiguousarray(b.T) if transpose_b else b, 1 + index % 2, 1, index % 3)
        assert_same_bits(operations.matmul(set_, a, b, transpose_a, transpose_b), expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", FAST_SETS)
def test_same_bits_of_special_values(set_, dtype):
    special = special_values(dtype)
    generator = np.random.default_rng(0)
    for m, n, k in [*SMALL, (len(special), len(special), 1)]:
        a, b = generator.choice(special, (m, k)), generator.choice(special, (k, n))
        if k == 1:
            a, b = special[:m, None], special[None, :n]  # each with each
        assert_same_bits(operations.matmul(set_, a, b), operations.matmul("scalar", a, b))


@pytest.mark.parametrize("set_", SETS)
def test_not_a_number_is_never_multiplied_away(set_):
    a, b = np.zeros((9, 5), np.float32), np.ones((5, 40), np.float32)
    b[2, 33], b[3, 7] = np.nan, np.inf
    expected = np.zeros((9, 40), bool)
    expected[:, [7, 33]] = True
    np.testing.assert_array_equal(np.isnan(operations.matmul(set_, a, b)), expected)


@pytest.mark.parametrize("set_", SETS)
@pytest.mark.parametrize("shape", SMALL + DEEP[:4], ids=str)
def test_order_of_the_chain(set_, shape):
    a, b = integers(shape, np.float32, 4095)
    zero = np.zeros((shape[0], shape[1]), np.float32)
    assert_same_bits(operations.matmul(set_, a, b), chain(a, b, zero))
    start = integers((shape[0], shape[1], shape[0]), np.float32, 2**23 - 1, seed=1)[1]
    expected = chain(a, b, start)
    operations.matmul(set_, a, b, out=start, accumulate=True)
    assert_same_bits(start, expected)


def test_another_order_has_other_bits():
    a, b = integers((17, 33, 200), np.float32, 4095)
    zero = np.zeros((17, 33), np.float32)
    assert not np.array_equal(chain(a, b, zero), chain(a[:, ::-1], b[::-1], zero))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", SETS)
def test_a_chain_may_stop_and_go_on(set_, dtype):
    for shape in SMALL + DEEP:
        a, b = factors(shape, dtype)
        whole = operations.matmul(set_, a, b)
        for cut in {0, 1, shape[2] // 3, shape[2]}:
            c = operations.matmul(set_, a[:, :cut], b[:cut])
            operations.matmul(set_, a[:, cut:], b[cut:], out=c, accumulate=True)
            assert_same_bits(c, whole)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", SETS)
def test_writes_only_its_result(set_, dtype):
    for index, (m, n, k) in enumerate(SHAPES[::7]):
        a, b = factors((m, n, k), dtype)
        memory = np.full((m + 2, n + 40), 12345.5, dtype)
        before = index % 20
        memory_of_result = memory[1 : m + 1, before : before + n]
        operations.matmul(set_, a, b, out=memory_of_result)
        assert_same_bits(memory_of_result.copy(), operations.matmul("scalar", a, b))
        memory_of_result[:] = 12345.5
        assert (memory == 12345.5).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("set_", SETS)
@pytest.mark.parametrize("shape", SMALL + DEEP, ids=str)
def test_exact_on_small_integers(set_, dtype, shape):
    a, b = integers(shape, dtype, 8)
    np.testing.assert_array_equal(operations.matmul(set_, a, b), a.astype(np.int64) @ b.astype(np.int64))


# In float64 the expected product is itself rounded, in another order: its error counts too. From K near 4096 on the
# bound K u |A||B| no longer notices a product that is missing.
@pytest.mark.parametrize(("dtype", "sides"), [("float32", 1), ("float64", 2)])
@pytest.mark.parametrize("set_", SETS)
@pytest.mark.parametrize("shape", [*SMALL[1:], *(shape for shape in DEEP if shape[2] <= 1000)], ids=str)
def test_within_the_bound(set_, dtype, sides, shape):
    a, b = factors(shape, dtype)
    ku = shape[2] * float(np.finfo(dtype).eps) / 2
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    bound = sides * ku / (1 - ku) * (np.abs(a64) @ np.abs(b64))
    product = operations.matmul(set_, a, b)
    dropped = without(product, *largest_sum(a64, b64))
    assert_only_right_passes(product, a64 @ b64, bound, one_product_dropped=dropped)


REFUSED = [
    ((np.ones((2, 3), np.float32), np.ones((4, 5), np.float32)), ValueError, "a has 3 columns and b has 4 rows"),
    ((np.ones((2, 3), np.float32), np.ones((3, 5))), TypeError, "b has dtype float64; float32 is needed"),
    ((np.ones((2, 3), np.int32), np.ones((3, 5))), TypeError, "a has dtype int32; float32 or float64 is needed"),
    ((np.ones((2, 3)), np.ones((5, 3)).T), ValueError, "b needs contiguous rows"),
    ((np.ones((2, 3)), np.ones((3, 5)), False, False, np.ones((5, 2))), ValueError, r"out must have shape \(2, 5\)"),
]


@pytest.mark.parametrize(("arguments", "error", "match"), REFUSED)
def test_what_it_refuses(arguments, error, match):
    with pytest.raises(error, match=match):
        operations.matmul("scalar", *arguments)
