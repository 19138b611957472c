"""exp, log, expm1, log1p, tanh, sigmoid and Φ of every kernel set, and activations: their errors, and equal bits.

An error is counted in units in the last place of the exact result f: |y − f| / 2^(max(e, e_min) − m), where
2^e ≤ |f| < 2^(e+1) and m is 23 or 52. float32 is compared with NumPy's float64, float64 with its long double; NumPy's
float32 is no oracle, its own errors being larger.
"""

import numpy as np
import pytest

from ganglion._native import _ganglion_core, kernel_sets

operations = _ganglion_core.operations

# The promise in docs/accuracy.md, for both types.
BOUNDS = {
    "exp": 1.0,
    "log": 1.0,
    "expm1": 1.25,
    "log1p": 1.0,
    "tanh": 1.75,
    "sigmoid": 1.75,
    "normal_cdf": 4.75,
    "softplus": 1.75,
    "swish": 2.5,
    "gelu": 5.0,
}
ACTIVATIONS = ("softplus", "swish", "gelu")  # the others are functions of the kernel sets' own table
WIDER = {np.float32: np.float64, np.float64: np.longdouble}
SETS = [machine_set.name for machine_set in kernel_sets() if machine_set.supported]


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def swish(x):
    """x · sigmoid(x), its limit 0 at −∞ included."""
    e = np.exp(-np.abs(x))
    return np.where(x == -np.inf, -e, np.where(x < 0, x * e, x) / (1 + e))


def upper_tail(a):
    """½ erfc(a/√2) for a ≥ 0: ½ less a series of positive terms up to 2, beyond Laplace's continued fraction.

    a² is the sum of two parts, of which the first, a square of few bits, is exact.
    """
    with np.errstate(all="ignore"):
        short = np.minimum(a, 60).astype(np.float16).astype(a.dtype)
        rest = np.minimum(a, 60) - short
        density = np.exp(-short * short / 2) * np.exp(-rest * (short + rest / 2)) / np.sqrt(2 * PI.astype(a.dtype))
        near, far = np.minimum(a, 2), np.maximum(np.minimum(a, 60), 2)
        term = series = near
        k = 1
        while (term > 1e-22 * series).any():
            term = term * near * near / (2 * k + 1)
            series = series + term
            k += 1
        terms = int(12 + 600 / np.fmin.reduce(far, initial=60) ** 2)  # 60 are enough at 2, and a quarter of them at 4
        fraction = far
        for k in range(terms, 0, -1):
            fraction = far + k / fraction
        return np.where(np.isnan(a), a, np.where(a <= 2, 0.5 - density * series, density / fraction))


def normal_cdf(x):
    tail = upper_tail(np.abs(x))
    return np.where(x < 0, tail, 1 - tail)


def gelu(x):
    """x · Φ(x), its limit 0 at −∞ included."""
    return np.where(x == -np.inf, -np.zeros_like(x), x * normal_cdf(x))


def softplus(x):
    return np.logaddexp(x.dtype.type(0), x)


PI = np.longdouble("3.14159265358979323846264338327950288")
OWN = {function.__name__: function for function in (sigmoid, swish, normal_cdf, gelu, softplus)}


def exact(name, x):
    with np.errstate(all="ignore"):
        return OWN.get(name, getattr(np, name, None))(x.astype(WIDER[x.dtype.type]))


def computed(set_name, name, x):
    if name in ACTIVATIONS:
        return operations.activation_apply(set_name, name, x, 0.0)
    return operations.function(set_name, name, x)


def units(y, f):
    """Errors in units in the last place; infinite where y has another sign, or is finite or a number where f is not."""
    limits = np.finfo(y.dtype)
    with np.errstate(all="ignore"):
        exponent = np.maximum(np.frexp(f)[1] - 1, limits.minexp)
        errors = np.ldexp(np.abs(y - f), limits.nmant - exponent)
        rounded = f.astype(y.dtype)
    errors = np.where(np.isfinite(rounded) & np.isfinite(y), errors, np.where(y == rounded, 0, np.inf))
    errors = np.where(np.signbit(y) == np.signbit(f), errors, np.inf)
    return np.where(np.isnan(f), np.where(np.isnan(y), 0, np.inf), errors)


def same_bits(a, b):
    integer = f"u{a.itemsize}"
    return np.array_equal(np.where(np.isnan(a), 0, a.view(integer)), np.where(np.isnan(b), 0, b.view(integer)))


def neighbours(values, dtype, distance=4):
    """Each value with both signs and what lies up to `distance` representable numbers away from it."""
    integer = np.dtype(f"i{np.dtype(dtype).itemsize}")
    bits = np.array(values, dtype).view(integer)
    near = (bits[:, None] + np.arange(-distance, distance + 1, dtype=integer)).ravel().view(dtype)
    return np.concatenate([near, -near])


def hard_cases(dtype):
    """Where a reduction changes its integer, a result overflows, underflows or saturates, and what no formula likes."""
    limits = np.finfo(dtype)
    halves = (np.arange(2 * limits.maxexp) + 0.5) * np.log(2.0)
    powers = np.ldexp(dtype(1), np.arange(limits.minexp - limits.nmant + 3, limits.maxexp))
    with np.errstate(all="ignore"):
        edges = np.log(np.array([limits.max, limits.tiny, limits.smallest_subnormal], WIDER[dtype])).astype(dtype)
    saturation = np.array([9.01, 10, 16.6, 17.3, 19.06, 20, 36.7, 37.4], dtype)
    below_one = 1 - powers[powers < 1]
    centres = np.concatenate([halves, powers, np.sqrt(0.5) * powers, below_one, edges, saturation]).astype(dtype)
    special = np.array([0, np.inf, np.nan, limits.max, limits.tiny, limits.smallest_subnormal], dtype)
    return np.concatenate([neighbours(centres[np.isfinite(centres)], dtype), special, -special])


def samples(dtype):
    generator = np.random.default_rng(1)
    if dtype is np.float32:  # 2²² patterns, one in each stretch of 1024
        first = np.arange(0, 2**32, 1024, dtype=np.uint32)
        patterns = (first + generator.integers(1024, size=first.size, dtype=np.uint32)).view(dtype)
    else:
        patterns = np.concatenate(
            [
                generator.integers(2**64, size=2**16, dtype=np.uint64).view(dtype),
                generator.uniform(-4, 4, 2**17),
                generator.normal(0, 20, 2**16),
            ]
        )
    return np.concatenate([patterns, hard_cases(dtype)])


@pytest.fixture(scope="module", params=WIDER, ids=lambda dtype: dtype.__name__)
def x(request):
    return samples(request.param)


def test_every_function_of_every_set_has_a_bound():
    functions = set(BOUNDS) - set(ACTIVATIONS)
    assert {name: set(operations.tables(name)["functions"]) for name in SETS} == dict.fromkeys(SETS, functions)


@pytest.mark.parametrize("name", BOUNDS)
def test_error_and_equal_bits(name, x):
    y = computed(SETS[0], name, x)
    f = exact(name, x)
    assert y.dtype == x.dtype
    assert units(y, f).max() <= BOUNDS[name]
    for other in SETS[1:]:
        assert same_bits(computed(other, name, x), y), f"{other} differs from {SETS[0]}"


@pytest.mark.parametrize("name", BOUNDS)
def test_the_bound_and_the_comparison_tell_right_from_wrong(name, x):
    y = computed(SETS[0], name, x)
    f = exact(name, x)
    with np.errstate(all="ignore"):
        one_unit_worse = np.nextafter(y, np.where(y < f, -np.inf, np.inf).astype(x.dtype))
    one_not_a_number = y.copy()
    one_not_a_number[7] = np.nan
    for wrong in one_unit_worse, np.zeros_like(y), one_not_a_number, -y:
        assert not units(wrong, f).max() <= BOUNDS[name]
    one_bit = y.copy()
    one_bit[7:8].view(np.uint8)[0] ^= 1
    for wrong in one_bit, -y, one_not_a_number:
        assert not same_bits(wrong, y)


@pytest.mark.parametrize("tail", range(17))
@pytest.mark.parametrize("set_name", SETS)
def test_short_arrays(set_name, tail):
    for dtype in WIDER:
        x = np.linspace(-3, 3, 16 + tail).astype(dtype)
        for name in BOUNDS:
            alone = np.concatenate([computed(set_name, name, x[i : i + 1]) for i in range(x.size)])
            assert same_bits(computed(set_name, name, x), alone)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOUNDS)
def test_every_float32(name, capsys):
    """All 2³² inputs on the machine's best set; prints the largest error and where it is."""
    largest, at, chunk = 0.0, np.float32(0), 2**18
    for first in range(0, 2**32, chunk):
        x = np.arange(first, first + chunk, dtype=np.uint32).view(np.float32)
        errors = units(computed(SETS[0], name, x), exact(name, x))
        worst = errors.argmax()
        if errors[worst] > largest:
            largest, at = errors[worst], x[worst]
    with capsys.disabled():
        print(f"\n{name}: at most {largest:.4f} ULP, at {at!r} ({float(at).hex()})")
    assert 0.5 <= largest <= BOUNDS[name]
