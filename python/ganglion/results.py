"""What a loop written by hand holds in its hands: outputs, losses and parameters, as arrays and numbers.

One level of memory, not an automatic differentiation of everything: an output remembers its forward pass, and a loss of
it the way back. What arithmetic makes of them is for looking at.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Never

import numpy as np

from ganglion import machine
from ganglion.custom import raise_failure

if TYPE_CHECKING:
    from ganglion import _native
    from ganglion.inputs import Array
    from ganglion.nn import Sequential

    Term = tuple[_native.Differential | "ThroughCustomLayers", float]

__all__ = ["Loss", "Number", "Output", "Parameter", "Tensor", "ThroughCustomLayers"]

NOT_DIFFERENTIATED = "only losses from nn are differentiated; use nn.MSELoss()"
NOT_WRITTEN = (
    "a parameter is not written in place: use an optimizer's step(), model.load_state_dict(state) or "
    "model.set_weights(weights)"
)


class Tensor(np.ndarray[Any, np.dtype[Any]]):
    """An array with the few methods that PyTorch's users reach for; arithmetic on one gives another.

    Copies and pickles of it are plain arrays.
    """

    def __array_wrap__(self, array: Any, context: object = None, return_scalar: bool = False) -> Any:
        return array.view(Tensor)  # also of a single number, which remembers so that it cannot be differentiated

    def backward(self) -> None:
        """There is no way back from here.

        Raises
        ------
        RuntimeError
            Always.
        """
        raise RuntimeError(NOT_DIFFERENTIATED)

    def detach(self) -> Array:
        """The same numbers as a plain array."""
        return self.view(np.ndarray)

    def numpy(self) -> Array:
        """The same as `detach`."""
        return self.detach()

    def numel(self) -> int:
        """The number of elements."""
        return self.size

    def __deepcopy__(self, memo: dict[int, object]) -> Array:  # type: ignore[override]
        del memo
        return np.array(self)

    def __reduce__(self) -> Any:
        return np.array(self).__reduce__()


class Output(Tensor):
    """What ``model(x)`` gives: the last layer's output, which keeps its forward pass for the losses of it.

    `squeeze`, `flatten`, `ravel`, `reshape` and `view` with a shape keep it too. It is not written in place, as the
    losses would not see it: ``output *= 2`` makes another array, which cannot be differentiated.
    """

    forward: _native.Pass | None = None  # None in slices and other views
    model: Sequential
    values: Array  # the output as the model gave it, (n, O), without the pass

    def detach(self) -> Array:
        """The same numbers as a plain array, which does not keep the forward pass."""
        return self.values.reshape(self.shape) if self.forward is not None else super().detach()

    def _same(self, array: Array) -> Output:
        result = array.view(Output)
        if self.forward is not None:
            result.forward, result.model, result.values = self.forward, self.model, self.values
            result.flags.writeable = False
        return result

    def __setitem__(self, index: Any, value: Any) -> None:
        if self.forward is not None:
            raise TypeError("a model's output is not written in place: write to a copy, output.detach().copy()")
        super().__setitem__(index, value)

    def squeeze(self, axis: Any = None) -> Output:
        """The same without axes of length 1."""
        return self._same(self.view(np.ndarray).squeeze(axis))

    def reshape(self, *shape: Any, **options: Any) -> Output:
        """The same numbers in another shape."""
        return self._same(self.view(np.ndarray).reshape(*shape, **options))

    def flatten(self, *order: Any) -> Output:
        """The same numbers in one row."""
        return self._same(self.view(np.ndarray).flatten(*order))

    def ravel(self, *order: Any) -> Output:
        """The same numbers in one row."""
        return self._same(self.view(np.ndarray).ravel(*order))

    def view(self, *arguments: Any, **options: Any) -> Any:
        """PyTorch's with a shape, NumPy's with a type."""
        if arguments and isinstance(arguments[0], (int, tuple)):
            return self.reshape(*arguments)
        return super().view(*arguments, **options)


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    operation, in_place = (getattr(np.ndarray, f"__{kind}{name}__") for kind in ("", "i"))

    def method(self: Output, other: Any) -> Any:
        return (in_place if self.forward is None else operation)(self, other)

    method.__name__ = f"__i{name}__"
    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Output, f"__i{_name}__", _in_place(_name))


class Parameter(Tensor):
    """A live, read-only view of one parameter in PyTorch's shape: a weight is (out, in).

    Attributes
    ----------
    name
        ``"hidden_linear.weight"``.
    model
        Whose parameter it is.
    index
        Its number among the model's.
    requires_grad
        True.
    """

    name: str
    model: Sequential
    index: int
    requires_grad = True

    @property
    def grad(self) -> Array | None:
        """A copy of its gradient, in its shape; None without a `backward` since the last `zero_grad`."""
        gradient: Array | None = self.model.passes.gradient(self.index)
        if gradient is not None:
            gradient.flags.writeable = False  # or writing to it would change nothing, silently
        return None if gradient is None else gradient.T

    @property
    def data(self) -> Array:  # type: ignore[override]
        """The same numbers as a plain array."""
        return self.detach()

    def _refuse(self, *_: object) -> Never:
        raise TypeError(NOT_WRITTEN)

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = __setitem__ = _refuse


class Number(float):
    """A number that came out of losses or arithmetic on them, and from which no way leads back."""

    __slots__ = ()

    shape = ()

    def item(self) -> float:
        """The plain number."""
        return float(self)

    def detach(self) -> Number:
        """The number without a way back."""
        return Number(self)

    def numpy(self) -> Array:
        """An array of shape ()."""
        return np.array(float(self))

    def backward(self) -> None:
        """There is no way back from here.

        Raises
        ------
        RuntimeError
            Always.
        """
        raise RuntimeError(NOT_DIFFERENTIATED)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **options: Any) -> Any:
        # NumPy computes with the plain number; what it gives still knows, as of any arithmetic, that no way leads back.
        plain = (float(value) if isinstance(value, Number) else value for value in given)
        result = getattr(ufunc, method)(*plain, **options)
        return Number(result) if isinstance(result, np.floating) else result

    def __reduce__(self) -> Any:
        return float, (float(self),)


def _operator(name: str) -> Callable[[float, object], object]:
    operation = getattr(float, name)

    def method(self: float, other: object) -> object:
        result = operation(self, other)
        return Number(result) if type(result) is float else result

    method.__name__ = name
    return method


for _name in ("add", "sub", "mul", "truediv", "pow"):
    for _side in ("", "r"):
        setattr(Number, f"__{_side}{_name}__", _operator(f"__{_side}{_name}__"))


class ThroughCustomLayers:
    """The way back through a model with layers written in Python: what they raise is raised."""

    def __init__(self, differential: _native.Differential, layers: tuple[object, ...]) -> None:
        self._differential, self._layers = differential, layers

    def backward(self, context: _native.Context, factor: float) -> None:
        """As the core's."""
        try:
            self._differential.backward(context, factor)
        finally:
            raise_failure(*self._layers)


class Loss(Number):
    """The mean loss of an output: a number with the way back to the gradients.

    Sums of losses, and a loss times or divided by a plain number, are losses, too.
    """

    __slots__ = ("_done", "_terms")

    _terms: tuple[Term, ...]
    _done: bool

    def backward(self) -> None:
        """Add the loss's gradients to the parameters'.

        Raises
        ------
        RuntimeError
            If the weights have changed since the forward pass, gradients that a step has used were not zeroed, or this
            was called before.
        TrainingDivergedError
            If the loss, an output or a gradient is NaN or infinite; it was not added.
        """
        if self._done:
            raise RuntimeError("backward() was called on this loss before: a second call would count it twice")
        context = machine.context()
        for differential, factor in self._terms:
            differential.backward(context, factor)
        self._done = True

    def _with(self, value: float, factor: float, *more: Term) -> Loss:
        return loss(value, (*((differential, by * factor) for differential, by in self._terms), *more))

    def __neg__(self) -> Loss:
        return self._with(-float(self), -1.0)

    def __mul__(self, other: Any) -> Any:
        if type(other) in PLAIN and math.isfinite(other):
            return self._with(float(self) * other, float(other))
        return super().__mul__(other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if type(other) in PLAIN and other != 0 and math.isfinite(other):
            return self._with(float(self) / other, 1.0 / other)
        return super().__truediv__(other)

    def __add__(self, other: Any) -> Any:
        if type(other) is Loss:
            return self._with(float(self) + float(other), 1.0, *other._terms)
        if type(other) in PLAIN:
            return self._with(float(self) + other, 1.0)
        return super().__add__(other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self + -other if type(other) in (*PLAIN, Loss) else super().__sub__(other)


PLAIN = (int, float)  # numbers of the user's own; a NumPy scalar may have come from arithmetic on parameters


def loss(value: float, terms: tuple[Term, ...]) -> Loss:
    """A loss whose gradient is the sum of its terms', each times its factor."""
    result = Loss(value)
    result._terms = terms
    result._done = False
    return result
