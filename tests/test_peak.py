"""The loop of fused multiply-adds that gives the peak: its answer on every set, and what is measured with it."""

import math

import numpy as np
import pytest

from bits import DTYPES, SETS, assert_same_bits, operations
from ganglion import _ganglion_core as core

each_set = pytest.mark.parametrize("set_", SETS)
each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@each_set
@each_dtype
@pytest.mark.parametrize("steps", [0, 1, 1000])
def test_every_step_is_done(set_, dtype, steps):
    x = operations.peak(set_, dtype, steps, 1.0, 1.0)
    assert_same_bits(x, (np.arange(len(x)) + steps).astype(dtype))


@each_set
@each_dtype
@pytest.mark.parametrize(("factor", "addend"), [(0.7, 0.3), (-1.1, 1e-3), (1e-30, -0.1)])
def test_every_step_is_one_fused_multiply_add_of_the_scalar_set(set_, dtype, factor, addend):
    expected = np.arange(len(operations.peak(set_, dtype, 0, 1.0, 1.0))).astype(dtype)
    for steps in range(1, 20):
        sums = np.full((len(expected), 1), addend, dtype)
        operations.matmul("scalar", expected[:, None], np.full((1, 1), factor, dtype), out=sums, accumulate=True)
        expected = sums[:, 0]
        assert_same_bits(operations.peak(set_, dtype, steps, factor, addend), expected)


@pytest.mark.parametrize("info", core.kernel_sets(), ids=lambda info: info.name)
@each_dtype
def test_its_chains_are_whole_vectors_and_enough_of_them(info, dtype):
    if not info.supported:
        pytest.skip("not on this machine")
    width = {"float32": info.width_float32, "float64": info.width_float64}[dtype]
    elements = len(operations.peak(info.name, dtype, 0, 1.0, 1.0))
    assert elements % width == 0
    # Two units of latency 4 have 8 under way; the emulated fma is a chain of ten operations itself.
    assert elements // width >= (8 if info.name in {"avx2", "avx512"} else 4)


@each_set
@each_dtype
@pytest.mark.parametrize("threads", [1, 3])
def test_the_peak_is_a_speed(set_, dtype, threads):
    peak = core.measured_peak(core.Context(set_, threads), dtype, seconds=0.0)
    assert math.isfinite(peak)
    assert peak > 0


@each_dtype
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("parameters", [1, 513, 70_000])
def test_an_update_takes_time(dtype, optimizer, parameters):
    seconds = core.measured_update(core.Context(None, 3), optimizer, parameters, dtype, seconds=0.0)
    assert math.isfinite(seconds)
    assert seconds > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: core.measured_peak(core.Context(None, 1), "float16"), "'float32' or 'float64', not 'float16'"),
        (lambda: core.measured_update(core.Context(None, 1), "lion", 10), "unknown optimizer 'lion'"),
        (lambda: core.measured_update(core.Context(None, 1), "sgd", 0), "parameters must be at least 1"),
        (lambda: operations.peak("scalar", "float32", -1, 1.0, 1.0), "steps must not be negative"),
    ],
)
def test_what_cannot_be_measured_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("set_", SETS)
def test_kernels_on_the_callers_memory_give_the_bits_of_the_others(set_):
    z = np.linspace(-3, 3, 64, dtype=np.float32)
    h, g = np.empty_like(z), z[::-1].copy()
    operations.activation_in_place(set_, "tanh", z.copy(), h)
    assert_same_bits(h[None], operations.activation_forward(set_, "tanh", z[None])[0])
    w, constants = z.copy(), [0.1, 0.01]
    operations.update_in_place(set_, "sgd", w, g, None, None, constants)
    assert_same_bits(w, operations.update(set_, "sgd", z, g, None, None, constants)[0])


@pytest.mark.parametrize("size", [15, 17])
def test_memory_without_whole_vectors_is_refused(size):
    z = np.zeros(size, np.float32)
    with pytest.raises(ValueError, match="a multiple of 16"):
        operations.activation_in_place("scalar", "tanh", z, z.copy())


@pytest.mark.parametrize("set_", SETS)
def test_rows_without_columns_are_left_alone(set_):
    nothing = np.zeros((3, 0), np.float32)
    h, _, largest = operations.activation_forward(set_, "tanh", nothing)
    d, largest_d = operations.activation_backward(set_, "tanh", nothing, nothing)
    assert (h.shape, d.shape, largest, largest_d) == ((3, 0), (3, 0), 0, 0)
