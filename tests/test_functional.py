"""The textbook's functions: activations against the reference on any shape and type, and what is refused."""

import itertools
import re

import numpy as np
import pytest

import ganglion as gg
import ganglion.functional as F  # noqa: N812
from bits import any_numbers, assert_same_bits, special_values
from ganglion import _native, machine, reference
from ganglion.layers import ACTIVATIONS

ROWS = sorted({activation.row for activation in ACTIVATIONS.names.values()})
ELEMENTWISE = [row for row in ROWS if not reference.ACTIVATIONS[row].whole_rows]
OPTIONS = {"leaky_relu": {"negative_slope": 0.25}, "elu": {"negative_scale": 0.25}}
WITHOUT_DERIVATIVE = {"step"}
# Relative to the function, and to the largest value of a difference that makes it up.
TOLERANCES = {np.float16: 1e-3, np.float32: 1e-6, np.float64: 1e-14}


def in_reference(row):
    """The reference's function and derivative with the options that `OPTIONS` gives."""
    alpha = dict.fromkeys(reference.ACTIVATIONS[row].options, 0.25)
    activation = reference.ACTIVATIONS[row]
    return (
        lambda x: activation.function(x, **alpha),
        lambda x: activation.backward(np.ones_like(x), x, **alpha),  # called where there is one
    )


def samples(dtype):
    return np.linspace(-6, 6, 7 * 11 * 3).astype(dtype)


@pytest.mark.parametrize("row", ROWS)
def test_every_activation_of_the_core_is_here_with_its_derivative(row):
    assert callable(getattr(F, row))
    assert (row in WITHOUT_DERIVATIVE) is not hasattr(F, f"{row}_derivative")


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("row", ELEMENTWISE)
def test_values_and_derivatives_are_the_references(row, dtype):
    x = samples(dtype)
    functions = [getattr(F, row), getattr(F, f"{row}_derivative", None)]
    for function, exact in zip(functions, in_reference(row), strict=True):
        if function is None:
            continue
        y = function(x, **OPTIONS.get(row, {}))
        expected = exact(x.astype(np.float64))
        assert (y.dtype, y.shape) == (dtype, x.shape)
        floor = 1e-3 if function is functions[0] else 0.1  # some derivatives are differences of larger numbers
        bound = TOLERANCES[dtype] * np.maximum(np.abs(expected), floor)
        assert (np.abs(y - expected) <= bound).all()
        assert not (np.abs(1.01 * y.astype(np.float64) + 1e-4 - expected) <= bound).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("row", ELEMENTWISE)
def test_long_arrays_are_their_parts(row, dtype):
    """Longer than what a derivative keeps aside, 1024 elements, and than what lets other threads run, 2048."""
    for function in filter(None, (getattr(F, row), getattr(F, f"{row}_derivative", None))):
        for size in (1023, 1024, 1025, 2047, 2048, 5001):
            x = np.linspace(-6, 6, size).astype(dtype)
            parts = [function(part) for part in np.array_split(x, size // 100)]
            assert_same_bits(function(x), np.concatenate(parts))


@pytest.mark.parametrize("row", ELEMENTWISE)
@pytest.mark.parametrize("suffix", ["", "_derivative"])
def test_any_shape_and_layout_gives_the_same_bits(row, suffix):
    if suffix and row in WITHOUT_DERIVATIVE:
        pytest.skip("it has no derivative")
    function = getattr(F, row + suffix)
    x = samples(np.float64)
    y = function(x)
    grid = x.reshape(7, 11, 3)
    assert_same_bits(function(grid), y.reshape(7, 11, 3))
    assert_same_bits(function(np.asfortranarray(grid)), y.reshape(7, 11, 3))
    assert_same_bits(function(grid[::2, ::-3, 1:]), y.reshape(7, 11, 3)[::2, ::-3, 1:])
    assert_same_bits(function(x.astype(">f8")), y)
    assert_same_bits(function(x.tolist()), y)
    memory = np.zeros(x.nbytes + 1, np.uint8)
    misaligned = memory[1:].view(np.float64)
    misaligned[:] = x
    assert_same_bits(function(misaligned), y)
    assert_same_bits(np.array([function(value) for value in x[:5]]), y[:5])
    assert isinstance(function(0.5), np.float64)
    assert function(np.empty((0, 3))).shape == (0, 3)
    long = np.tile(x, 20)  # more than is differentiated at once
    assert_same_bits(function(long), np.tile(y, 20))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool])
@pytest.mark.parametrize("row", ELEMENTWISE)
def test_integers_are_taken_in_float64(row, dtype):
    x = np.array([0, 1, 100, 127]).astype(dtype)
    for name in {row, f"{row}_derivative"} & set(dir(F)):
        assert_same_bits(getattr(F, name)(x), getattr(F, name)(x.astype(np.float64)))


def test_long_doubles_are_taken_in_float64():
    assert F.sigmoid(np.array([0.5], np.longdouble)).dtype == np.float64


@pytest.mark.parametrize("name", [row.name for row in _native.kernel_sets() if row.supported])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("row", ELEMENTWISE)
def test_every_kernel_set_gives_the_same_bits(row, dtype, name):
    x = np.concatenate([special_values(dtype), any_numbers(2000, dtype, seed=5)])
    here = [getattr(F, f)(x) for f in (row, f"{row}_derivative") if hasattr(F, f)]
    machine.use_kernel_set(name)
    try:
        there = [getattr(F, f)(x) for f in (row, f"{row}_derivative") if hasattr(F, f)]
    finally:
        machine.use_kernel_set(None)
    for one, other in zip(here, there, strict=True):
        assert_same_bits(one, other)


@pytest.mark.parametrize("row", ELEMENTWISE)
def test_nan_passes_through(row):
    for name in {row, f"{row}_derivative"} & set(dir(F)) - {"identity_derivative"}:
        assert np.isnan(getattr(F, name)([0.0, np.nan])).tolist() == [False, True], name


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_denormal_numbers_are_kept(dtype):
    tiny = np.finfo(dtype).smallest_normal / 4
    assert F.identity(np.array([tiny]))[0] == F.relu(np.array([tiny]))[0] == tiny
    x = np.log(tiny.astype(np.longdouble)).astype(dtype)
    for derivative in (F.sigmoid_derivative, F.elu_derivative):
        assert 0.9 * tiny < derivative(x) < 1.1 * tiny
    assert 0.9 * tiny < F.softmax(np.array([x, 0]))[0] < 1.1 * tiny


def test_the_derivatives_of_sigmoid_and_tanh_lose_no_digit():
    x = np.linspace(-300, 300, 601)
    e = np.exp(-np.abs(x))
    np.testing.assert_allclose(F.sigmoid_derivative(x), e / (1 + e) ** 2, rtol=1e-14, atol=0)
    np.testing.assert_allclose(F.tanh_derivative(x), 4 * e**2 / (1 + e**2) ** 2, rtol=1e-14, atol=0)
    assert F.tanh_derivative(np.float32(3e38)) == 0


def test_activations_are_those_of_a_network():
    x = samples(np.float32).reshape(-1, 7)
    for row in ROWS:
        layer = ACTIVATIONS.find("activation", row)
        model = gg.Sequential(type(layer)(input_shape=(7,)))
        options = {"elu": {"negative_scale": 1.0}, "leaky_relu": {"negative_slope": 0.01}}.get(row, {})
        assert_same_bits(getattr(F, row)(x, **options), model.predict(x))


# Softmax


@pytest.mark.parametrize("shape", [(1,), (5,), (17,), (3, 4), (2, 3, 33), (0, 3), (3, 0), (1, 1)])
def test_softmax_is_over_the_last_axis(shape):
    x = np.random.default_rng(0).normal(size=shape)
    h = F.softmax(x)
    assert h.shape == shape
    rows = x.reshape(-1, shape[-1]) if x.size else np.empty((0, 1))
    if x.size:
        np.testing.assert_allclose(h.reshape(rows.shape), reference.softmax(rows), rtol=1e-14)
    for place in np.ndindex(shape[:-1]):
        assert_same_bits(F.softmax(x[place]), h[place])


def test_the_derivative_of_softmax_is_its_jacobian():
    x = np.random.default_rng(0).normal(size=(3, 5))
    jacobian = F.softmax_derivative(x)
    assert jacobian.shape == (3, 5, 5)
    for row, of_row in zip(x, jacobian, strict=True):
        for j in range(5):
            np.testing.assert_allclose(of_row[j], F.numerical_gradient(lambda z, j=j: F.softmax(z)[j], row), atol=1e-8)
        assert_same_bits(F.softmax_derivative(row), of_row)
    assert np.abs(jacobian - 1.01 * np.swapaxes(jacobian, -1, -2)).max() > 1e-4
    assert F.softmax_derivative(x.astype(np.float32)).dtype == np.float32


# Losses

T = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
RIGHT = [0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]
WRONG = [0.1, 0.05, 0.1, 0.0, 0.05, 0.1, 0.0, 0.6, 0.0, 0.0]


@pytest.mark.parametrize("kind", [list, np.array])
def test_the_textbooks_losses(kind):
    t, right, wrong = kind(T), kind(RIGHT), kind(WRONG)
    assert f"{F.sum_squares_error(right, t):.15f}" == "0.097500000000000"
    assert f"{F.sum_squares_error(wrong, t):.15f}" == "0.597500000000000"
    assert repr(F.cross_entropy_error(right, t)) == "0.510825457099338"
    assert repr(F.cross_entropy_error(wrong, t)) == "2.302584092994546"


@pytest.mark.parametrize(
    ("y", "t"),
    [
        (RIGHT, 2),
        (RIGHT, [2]),
        ([RIGHT], [2]),
        ([RIGHT], T),
        ([RIGHT], [T]),
        ([RIGHT, RIGHT], [2, 2]),
        ([RIGHT, RIGHT], [[2], [2]]),
        ([RIGHT, RIGHT], [2.0, 2.0]),
        ([RIGHT, RIGHT], [T, T]),
    ],
)
def test_cross_entropy_of_labels_and_batches(y, t):
    assert F.cross_entropy_error(y, t) == pytest.approx(0.510825457099338, rel=1e-15)
    assert F.cross_entropy_error_derivative(y, t).shape == np.shape(y)


def test_losses_of_batches():
    y, t = [[1.0, 2.0], [3.0, 5.0]], [[1.0, 1.0], [1.0, 1.0]]
    assert F.sum_squares_error(y, t) == 10.5
    assert F.mean_squared_error(y, t) == 5.25
    assert F.mean_absolute_error(y, t) == 1.75
    assert F.cross_entropy_error([[0.5, 0.5], [1.0, 0.0]], [0, 0]) == pytest.approx(np.log(2) / 2, abs=2e-7)


LOSSES = ["sum_squares_error", "mean_squared_error", "mean_absolute_error", "cross_entropy_error"]


@pytest.mark.parametrize("shape", [(5,), (4, 3)])
@pytest.mark.parametrize("name", LOSSES)
def test_derivatives_of_losses(name, shape):
    generator = np.random.default_rng(1)
    y, t = generator.uniform(0.1, 0.9, shape), generator.uniform(0.1, 0.9, shape)
    loss, derivative = getattr(F, name), getattr(F, f"{name}_derivative")
    numerical = F.numerical_gradient(lambda y: loss(y, t), y)
    np.testing.assert_allclose(derivative(y, t), numerical, rtol=1e-6)
    assert not np.allclose(1.001 * derivative(y, t), numerical, rtol=1e-6)
    assert derivative(y.astype(np.float32), t).dtype == np.float32
    assert derivative(y.tolist(), t).dtype == np.float64


WRONG_USES = [
    (lambda: F.sigmoid("a"), TypeError, "x must be an array of real numbers; given str of dtype <U1; convert it first"),
    (lambda: F.relu([1j]), TypeError, "x must be an array of real numbers; given list of dtype complex128"),
    (lambda: F.tanh([[1], [1, 2]]), ValueError, "x must be a rectangular array"),
    (lambda: F.softmax(3.0), ValueError, "x must have shape (O,) or (…, O), O being the number of classes; given the"),
    (lambda: F.softmax_derivative(3.0), ValueError, "x must have shape (O,) or (…, O)"),
    (lambda: F.leaky_relu([1.0], negative_slope=-1), ValueError, "negative_slope must be finite and >= 0; given -1"),
    (lambda: F.elu([1.0], "0.1"), TypeError, "negative_scale must be a number; given '0.1'"),
    (
        lambda: F.sum_squares_error(np.ones(3), np.ones((3, 1))),
        ValueError,
        "y and t must have one shape; y has (3,), t has (3, 1); if they belong together element by element, pass "
        "t.reshape((3,))",
    ),
    (
        lambda: F.mean_squared_error(np.ones((4, 1)), np.ones(4)),
        ValueError,
        "y has (4, 1), t has (4,); if they belong together element by element, pass t.reshape((4, 1))",
    ),
    (lambda: F.mean_absolute_error([1.0], [1.0, 2.0]), ValueError, "y has (1,), t has (2,)"),
    (lambda: F.mean_squared_error([], []), ValueError, "y and t must not be empty: there is no mean of nothing"),
    (lambda: F.mean_squared_error([1.0], None), TypeError, "t is missing: give one target for each row"),
    (lambda: F.cross_entropy_error(0.5, 1), ValueError, "y must have shape (O,) for one sample or (B, O) for a batch"),
    (
        lambda: F.cross_entropy_error([[0.5, 0.5], [2.0, -1.0]], [0, 1]),
        ValueError,
        "y must hold probabilities; y[1, 1] is -1.0: if these are logits, pass softmax(y)",
    ),
    (
        lambda: F.cross_entropy_error([[0.5, 0.5], [0.5, 0.5]], [0, 2]),
        ValueError,
        "t must hold labels 0 to 1, as y has 2 columns; t[1] is 2",
    ),
    (lambda: F.cross_entropy_error([0.5, 0.5], 0.5), ValueError, "t must hold labels 0 to 1, as y has 2 columns; t is"),
    (
        lambda: F.cross_entropy_error([0.5, 0.5], -1),
        ValueError,
        "t must hold labels 0 to 1, as y has 2 columns; t is -1",
    ),
    (
        lambda: F.cross_entropy_error([[0.5, 0.5]] * 3, [0, 1]),
        ValueError,
        "t must hold labels of shape (3,) or one-hot values of y's shape (3, 2); given (2,)",
    ),
    (
        lambda: F.cross_entropy_error([0.5, 0.5], [0, 1, 0]),
        ValueError,
        "t must hold one label or one-hot values of y's shape (2,); given (3,)",
    ),
    (lambda: F.cross_entropy_error([0.5, 0.5], "a"), TypeError, "t must be an array of real numbers; given text"),
]


@pytest.mark.parametrize(("use", "error", "message"), WRONG_USES)
def test_wrong_uses(use, error, message):
    with pytest.raises(error, match=re.escape(message)):
        use()


def test_the_core_takes_what_it_can_read_as_it_lies():
    context = machine.context()
    for use in (_native.apply_activation, _native.differentiate_activation):
        with pytest.raises(ValueError, match="unknown activation 'swoosh'; known: 'identity'"):
            use(context, "swoosh", np.ones(3))
        for x in (np.ones((3, 3)).T[:2], np.ones(3, np.int64), np.ones(3, ">f8"), np.ma.ones(3), [1.0]):
            assert use(context, "relu", x) is None
    with pytest.raises(ValueError, match="'softmax' has a Jacobian"):
        _native.differentiate_activation(context, "softmax", np.ones(3))


def test_the_package_offers_its_functions_lazily():
    assert gg.functional is F
    names = [name for name in vars(F) if callable(getattr(F, name))]
    assert {"sigmoid", "numerical_gradient", *itertools.chain(*([n, f"{n}_derivative"] for n in LOSSES))} <= set(names)
