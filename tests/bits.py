"""Comparison bit for bit, the kernel sets it is made between, and the numbers that are worth comparing on."""

import numpy as np

from ganglion import _ganglion_core as core

operations = core.operations
SETS = [info.name for info in core.kernel_sets() if info.supported]
FAST_SETS = [name for name in SETS if name != "scalar"]
DTYPES = ["float32", "float64"]


def bits(x):
    """The representation of each number as an integer, that of every NaN being the same."""
    x = np.ascontiguousarray(x)
    if x.dtype.kind != "f":
        return x
    return np.where(np.isnan(x), x.dtype.type(np.nan), x).view(f"i{x.itemsize}")


def assert_same_bits(actual, expected):
    """The same dtype, shape and bits; NaNs count as equal, +0 and −0 do not."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    different = np.argwhere(bits(actual) != bits(expected))
    if len(different):
        place = tuple(different[0].tolist())
        first = f"first at {place}: {actual[place]!r}, expected {expected[place]!r}"
        raise AssertionError(f"{len(different)} of {actual.size} differ, {first}")


def special_values(dtype):
    """Zeros, the ends of the denormal, normal and finite numbers, infinities, NaN, and where exp and tanh turn."""
    limits = np.finfo(dtype)
    turns = [1.0, 0.5, 1e-4, 9.0, 22.0, 88.72, 88.73, 103.97, 103.98, 708.4, 709.79, 745.14, 745.2, 1e4]
    ends = [limits.smallest_subnormal, limits.smallest_normal / 2, limits.smallest_normal, limits.eps, limits.max]
    positive = [0.0, *ends, np.inf, *turns]
    return np.array([*positive, *(-x for x in positive), np.nan], dtype)


def any_numbers(count, dtype, seed):
    """Random bits: every exponent is as likely as another."""
    size = np.dtype(dtype).itemsize
    return np.random.default_rng(seed).integers(0, 256, count * size, np.uint8).view(dtype)


def numbers(shape, dtype, seed=0):
    """Normal deviates, one in eight of them near or below the smallest normal number, where flushing begins."""
    generator = np.random.default_rng([seed, *shape])
    x = generator.standard_normal(shape)
    tiny = generator.random(shape) < 1 / 8
    return np.where(tiny, x * float(np.finfo(dtype).smallest_normal), x).astype(dtype)


def strided(x, row_step=1, column_step=1, offset=0):
    """A view with the values of the matrix x and gaps of NaN, `offset` elements off the start of its memory."""
    rows, columns = x.shape
    memory = np.full((rows * row_step, columns * column_step + offset + 3), np.nan, x.dtype)
    view = memory[::row_step, offset : offset + columns * column_step : column_step]
    view[:] = x
    return view


def assert_like_scalar(set_, operation, *arguments, **options):
    """Every result has the bits that the scalar set gives."""
    actual = getattr(operations, operation)(set_, *arguments, **options)
    expected = getattr(operations, operation)("scalar", *arguments, **options)
    assert_all_same(actual, expected)


def assert_all_same(actual, expected):
    """The same bits in an array, or in each of a tuple of results."""
    if not isinstance(expected, tuple):
        actual, expected = (actual,), (expected,)
    for a, e in zip(actual, expected, strict=True):
        assert_same_bits(a, e)
