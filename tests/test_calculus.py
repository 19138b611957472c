"""Derivatives and descents from a function's values: the textbook's printed digits, any shape, and what is refused."""

import re

import numpy as np
import pytest

import ganglion.functional as F  # noqa: N812


def test_the_textbooks_numerical_derivatives():
    def f(x):
        return 0.01 * x**2 + 0.1 * x

    assert float(F.numerical_diff(f, 5)) == 0.1999999999990898
    assert float(F.numerical_diff(f, 10)) == 0.2999999999986347
    np.testing.assert_allclose(F.numerical_diff(f, np.array([[5], [10]])), [[0.2], [0.3]])


def square_sum(x):
    return x[0] ** 2 + x[1] ** 2


def test_the_textbooks_gradients():
    for point, expected in [((3.0, 4.0), "6. 8."), ((0.0, 2.0), "0. 4."), ((3.0, 0.0), "6. 0.")]:
        assert str(F.numerical_gradient(square_sum, np.array(point))) == f"[{expected}]"
    assert F.numerical_gradient(square_sum, [3, 4]).round(9).tolist() == [6, 8]


def test_the_textbooks_descents():
    def result(**options):
        return str(F.gradient_descent(square_sum, np.array([-3.0, 4.0]), **options)[0])

    assert result(lr=0.1, step_num=100) == "[-6.11110793e-10  8.14814391e-10]"
    assert result(lr=1e-10, step_num=100) == "[-2.99999994  3.99999992]"
    with pytest.warns(RuntimeWarning, match=r"h = 0.0001 is lost in the rounding of x\[\d\] = "):
        assert result(lr=10.0, step_num=100) == "[-2.58983747e+13 -1.29524862e+12]"


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 2, 2), (0,)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_gradients_of_any_shape_leave_x_as_it_was(shape, dtype):
    x = np.random.default_rng(0).uniform(1, 2, shape).astype(dtype)
    before = x.copy()
    gradient = F.numerical_gradient(lambda x: float(np.sum(x.astype(np.float64) ** 3)), x)
    assert (gradient.shape, gradient.dtype) == (shape, dtype)
    np.testing.assert_allclose(gradient, 3 * before**2, rtol={2: 2e-2, 4: 1e-4}.get(x.itemsize, 1e-7))
    assert np.array_equal(x, before)


def test_a_function_may_look_at_the_array_itself():
    weights = np.array([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(F.numerical_gradient(lambda _: np.sum(weights**2), weights), 2 * weights)
    np.testing.assert_allclose(F.numerical_gradient(lambda _: np.sum(weights**2), weights[:, 1]), [4, 8])


def test_x_comes_back_also_from_a_function_that_raises():
    x = np.array([1.0, 2.0])

    def refuse(x):
        if x[1] != 2:
            raise LookupError
        return 0.0

    with pytest.raises(LookupError):
        F.numerical_gradient(refuse, x)
    assert x.tolist() == [1, 2]


def test_arrays_that_cannot_be_written_to_are_copied():
    x = np.array([3.0, 4.0])
    x.flags.writeable = False
    assert F.numerical_gradient(square_sum, x).round(9).tolist() == [6, 8]


def test_a_path_has_all_points():
    start = np.array([-3.0, 4.0])
    x, path = F.gradient_descent(square_sum, start, lr=0.1, step_num=3)
    assert path.shape == (4, 2)
    assert path[-1].tolist() == x.tolist()
    assert start.tolist() == path[0].tolist() == [-3, 4]
    np.testing.assert_allclose(path[1:], 0.8 * path[:-1])
    x, path = F.gradient_descent(square_sum, start, step_num=0)
    assert (x.tolist(), path.shape) == ([-3, 4], (1, 2))


def test_newtons_method_squares_the_error():
    x, path = F.newton_method(lambda x: x**4 - 2 * x**2, 2.0, step_num=7)
    exact = [2.0]
    for _ in range(7):
        exact.append(exact[-1] - (4 * exact[-1] ** 3 - 4 * exact[-1]) / (12 * exact[-1] ** 2 - 4))
    np.testing.assert_allclose(path, exact, atol=1e-6)
    assert exact[1] == pytest.approx(1.4545454545454546)
    assert float(x) == pytest.approx(1, abs=1e-7)


def test_newtons_method_needs_one_step_for_a_parabola():
    matrix = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.25], [0.0, 0.25, 3.0]])
    x, path = F.newton_method(lambda x: 0.5 * x @ matrix @ x - x.sum(), np.zeros(3), step_num=1)
    np.testing.assert_allclose(x, np.linalg.solve(matrix, np.ones(3)), atol=1e-6)
    assert path.shape == (2, 3)
    x, _ = F.newton_method(lambda x: float(np.sum((x - 1) ** 2)), np.zeros((2, 2)), step_num=1)
    np.testing.assert_allclose(x, np.ones((2, 2)), atol=1e-6)


WRONG_USES = [
    (lambda: F.numerical_diff(np.sin, 0.0, h=0), ValueError, "h must be finite and > 0; given 0"),
    (
        lambda: F.numerical_gradient(3, [1.0]),
        TypeError,
        "f must be a function, like lambda x: x**2; given 3 of type int",
    ),
    (
        lambda: F.numerical_gradient(lambda x: x, np.ones(3)),
        ValueError,
        "f must return one number; given ndarray of shape (3,)",
    ),
    (lambda: F.gradient_descent(square_sum, [1.0, 2.0], lr=-1), ValueError, "lr must be finite and > 0; given -1"),
    (
        lambda: F.gradient_descent(square_sum, [1.0, 2.0], step_num=1.5),
        TypeError,
        "step_num must be an integer; given 1.5 of type float",
    ),
    (
        lambda: F.newton_method(lambda x: 3 * x, 1.0),
        ValueError,
        "the second derivatives at x = 1.0 cannot be inverted: begin elsewhere, or use gradient_descent",
    ),
]


@pytest.mark.parametrize(("use", "error", "message"), WRONG_USES)
def test_wrong_uses(use, error, message):
    with pytest.raises(error, match=re.escape(message)):
        use()
