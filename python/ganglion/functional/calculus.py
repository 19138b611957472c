"""What is learnt of a function from its values alone: derivatives by central differences, and descents that use them.

In float64 the default step, h = 10⁻⁴, leaves an error of h²/6 of the third derivative and some 10⁻¹²·|f| from rounding.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion import inputs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

STEP = 1e-4


def numerical_diff(f: Callable[[Any], Any], x: ArrayLike, h: float = STEP) -> Any:
    """Differentiate a function of one number: (f(x + h) − f(x − h)) / 2h.

    Parameters
    ----------
    f
        Takes a number, or an array element by element.
    x
        Where: a number or an array of any shape, taken in float64.
    h
        The step, greater than 0.

    Raises
    ------
    TypeError, ValueError
        If f is no function, x holds no real numbers, or h is out of bounds.

    Examples
    --------
    >>> f = lambda x: 0.01 * x**2 + 0.1 * x
    >>> float(numerical_diff(f, 5)), float(numerical_diff(f, 10))
    (0.1999999999990898, 0.2999999999986347)
    """
    _check_function(f)
    h = inputs.real("h", h, above=0)
    array = inputs.numeric("x", x).astype(np.float64)[()]
    return (f(array + h) - f(array - h)) / (2 * h)


def numerical_gradient(f: Callable[[Any], Any], x: ArrayLike, h: float | None = None) -> Array:
    """Differentiate a function of many numbers: element i is (f(x + h eᵢ) − f(x − h eᵢ)) / 2h.

    A float array that can be written to is changed in place, element by element, and put back to the bit, also where f
    raises: f may look at its argument, or at the array itself where that is some network's weight. All else is copied.

    Parameters
    ----------
    f
        Takes an array of the shape of x, returns one number.
    x
        Where: an array of any shape; integers are taken in float64.
    h
        The step, greater than 0. By default 10⁻⁴, but for float32 and float16 the cube root of their precision: 0.005
        and 0.1.

    Returns
    -------
    ndarray
        Of the shape and float type of x.

    Raises
    ------
    TypeError, ValueError
        If f is no function or returns more than one number, or x holds no real numbers.

    Warns
    -----
    RuntimeWarning
        If x + h is x for some element, h being lost in rounding: 0 is then no slope but the lack of one.

    Examples
    --------
    >>> x = np.array([3.0, 4.0])
    >>> numerical_gradient(lambda x: x[0] ** 2 + x[1] ** 2, x)
    array([6., 8.])
    >>> x
    array([3., 4.])
    """
    _check_function(f)
    array = inputs.numeric("x", x)
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    elif array is not x or not array.flags.writeable:
        array = array.copy()
    step = _default_step(array.dtype) if h is None else inputs.real("h", h, above=0)
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        kept = array[place]
        above, below = array.dtype.type(kept + step), array.dtype.type(kept - step)
        if above == kept == below:
            where = inputs.element("x", place) if place else "x"
            warnings.warn(
                f"h = {step:g} is lost in the rounding of {where} = {kept:g}; rescale x or give a larger h",
                RuntimeWarning,
                stacklevel=2,
            )
        try:
            array[place] = above
            difference = _number(f(array))
            array[place] = below
            difference -= _number(f(array))
        finally:
            array[place] = kept
        # In float64 the textbook's own quotient, to its printed digits; elsewhere the step that rounding left.
        gradient[place] = difference / (2 * step if array.itemsize == 8 else float(above) - float(below) or 2 * step)
    return gradient


def gradient_descent(
    f: Callable[[Any], Any], init_x: ArrayLike, lr: float = 0.01, step_num: int = 100
) -> tuple[Array, Array]:
    """Go downhill: x ← x − lr · ∇f(x), by `numerical_gradient`.

    Parameters
    ----------
    f
        Takes an array of the shape of `init_x`, returns one number.
    init_x
        Where to begin; not changed.
    lr
        The learning rate, greater than 0.
    step_num
        Number of steps.

    Returns
    -------
    x, path
        The last point, in float64, and all of them from the first on, (step_num + 1, …).

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.

    Examples
    --------
    >>> f = lambda x: x[0] ** 2 + x[1] ** 2
    >>> x, path = gradient_descent(f, [-3.0, 4.0], lr=0.1, step_num=100)
    >>> x
    array([-6.11110793e-10,  8.14814391e-10])
    >>> path[:2]
    array([[-3. ,  4. ],
           [-2.4,  3.2]])
    """
    lr = inputs.real("lr", lr, above=0)

    def step(x: Array) -> Array:
        return x - lr * numerical_gradient(f, x)

    return _descent(step, init_x, step_num)


def newton_method(f: Callable[[Any], Any], init_x: ArrayLike, step_num: int = 10) -> tuple[Array, Array]:
    """Go to where the parabola through a point has its stationary point: x ← x − H⁻¹ ∇f(x), H the matrix of ∂²f/∂xᵢ∂xⱼ.

    Gradient and H are taken by central differences. Near a minimum the error is squared at each step; far from one the
    method may as well find a maximum or saddle.

    Parameters
    ----------
    f
        Takes an array of the shape of `init_x`, returns one number.
    init_x
        Where to begin: a number or an array of any shape; not changed.
    step_num
        Number of steps.

    Returns
    -------
    x, path
        The last point, in float64, and all of them from the first on, (step_num + 1, …).

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds, or H cannot be inverted where a step began.

    Notes
    -----
    J. Nocedal and S. Wright, "Numerical optimization", 2nd edition, equation 2.15; differences as in its section 8.1.

    Examples
    --------
    >>> x, path = newton_method(lambda x: x**4 - 2 * x**2, 2.0)
    >>> path[:4].round(4), x.round(7)
    (array([2.    , 1.4545, 1.151 , 1.0253]), np.float64(1.0))
    """

    def step(x: Array) -> Array:
        hessian = _hessian(f, x)
        try:
            change = np.linalg.solve(hessian, numerical_gradient(f, x).reshape(-1))
        except np.linalg.LinAlgError:
            raise ValueError(
                f"the second derivatives at x = {x} cannot be inverted: begin elsewhere, or use gradient_descent"
            ) from None
        return x - change.reshape(x.shape)

    return _descent(step, init_x, step_num)


def _descent(step: Callable[[Array], Array], init_x: ArrayLike, step_num: int) -> tuple[Array, Array]:
    x = inputs.numeric("init_x", init_x).astype(np.float64)
    path = np.empty((inputs.integer("step_num", step_num, minimum=0) + 1, *x.shape))
    path[0] = x
    for number in range(1, len(path)):
        x = np.asarray(step(x))
        path[number] = x
    return x[()], path


def _hessian(f: Callable[[Any], Any], x: Array) -> Array:
    """∂²f/∂xᵢ∂xⱼ for all pairs of elements, (N, N), from four values each."""
    point = np.array(x).reshape(-1)
    hessian = np.empty((point.size, point.size))

    def value(i: int, by_i: float, j: int, by_j: float) -> float:
        moved = point.copy()
        moved[i] += by_i
        moved[j] += by_j
        return _number(f(moved.reshape(x.shape)[()]))

    for i in range(point.size):
        for j in range(i + 1):
            outer = value(i, STEP, j, STEP) + value(i, -STEP, j, -STEP)
            inner = value(i, STEP, j, -STEP) + value(i, -STEP, j, STEP)
            hessian[i, j] = hessian[j, i] = (outer - inner) / (4 * STEP * STEP)
    return hessian


def _default_step(dtype: np.dtype[Any]) -> float:
    return STEP if dtype.itemsize >= 8 else float(np.cbrt(np.finfo(dtype).eps))


def _check_function(f: object) -> None:
    if not callable(f):
        raise TypeError(f"f must be a function, like lambda x: x**2; given {f!r} of type {type(f).__name__}")


def _number(value: Any) -> float:
    if np.size(value) != 1:
        raise ValueError(f"f must return one number; given {type(value).__name__} of shape {np.shape(value)}")
    return float(np.asarray(value, np.float64).reshape(()))
