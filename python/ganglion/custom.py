"""Losses, metrics and layers of one's own, in NumPy: the slower way, for what is not in the tables.

The core's threads call them, one at a time, for panels of rows of any size: what they say of a row must depend on that
row alone. Then the bits are as reproducible as those of the NumPy functions that they use.
"""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from ganglion import _native, inputs
from ganglion.inputs import Targets
from ganglion.layer import Layer
from ganglion.losses import LOSSES, Loss, ValuesLoss
from ganglion.metrics import Metric

if TYPE_CHECKING:
    from ganglion.inputs import Array

__all__ = ["CustomLayer", "CustomLoss", "CustomMetric", "FunctionLoss", "as_loss", "raise_failure", "raising_failures"]


class Fallible:
    """Keeps the first exception of what the core calls, which has nobody to raise it to."""

    _failed: BaseException | None = None

    def _guarded(self, compute: Callable[[], Any]) -> Any:
        try:
            return compute()
        except BaseException as error:  # also Ctrl-C
            if self._failed is None:
                object.__setattr__(self, "_failed", error)
            return None

    def _called(self, name: str) -> str:
        """What messages call the result of a method."""
        return f"{type(self).__name__}.{name}"

    def _of_shape(self, name: str, value: object, shape: tuple[int, ...], dtype: Any) -> Array:
        array = inputs.numeric(self._called(name), value)
        if array.shape != shape:
            expected = f"{self._called(name)} must return shape {shape}, a value for each "
            what = "row" if len(shape) == 1 else "output of each row"
            raise ValueError(f"{expected}{what}; it returned {array.shape}")
        return np.ascontiguousarray(array, dtype)


def raise_failure(*parts: object) -> None:
    """Raise the first exception that one of these kept; all forget theirs."""
    first: BaseException | None = None
    for part in parts:
        if isinstance(part, Fallible) and part._failed is not None:
            first = part._failed if first is None else first
            object.__setattr__(part, "_failed", None)
    if first is not None:
        raise first


@contextmanager
def raising_failures(*parts: object) -> Iterator[None]:
    """While the core calls these: what one of them kept is raised at the end, also for a divergence that it caused.

    Of an end by another exception nothing is kept for the next call.
    """
    try:
        yield
    except _native.TrainingDivergedError:
        raise_failure(*parts)
        raise
    except BaseException:
        with suppress(BaseException):
            raise_failure(*parts)
        raise
    raise_failure(*parts)


class CustomLoss(Fallible, Loss):
    """Base of losses of one's own: subclass it and write `values` and `gradient`.

    L = 1/B Σ_i w_i l(z_i, t_i), z being the model's outputs as they are. An exception in either method ends the step
    before the weights change and is raised from `fit`; a value that is not finite is a `TrainingDivergedError`.

    Attributes
    ----------
    takes_labels
        Whether targets are class labels, int32 (n,), instead of values (n, O) in the model's type.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> class Quantile(gg.CustomLoss):
    ...     def __init__(self, q):
    ...         self.q = q
    ...
    ...     def values(self, output, target):
    ...         error = target - output
    ...         return np.maximum(self.q * error, (self.q - 1) * error).sum(axis=1)
    ...
    ...     def gradient(self, output, target):
    ...         return np.where(target > output, -self.q, 1 - self.q)
    >>> x = np.zeros((100, 1))
    >>> y = np.arange(100.0)
    >>> model = gg.Sequential(gg.Dense(1, input_shape=(1,)), dtype="float64")
    >>> history = gg.Trainer(model, Quantile(0.9), gg.SGD(1.0)).fit(x, y, epochs=1000, batch_size=100, verbose=0)
    >>> bool(88 < model.predict(x[:1])[0, 0] < 91)  # the 0.9-quantile of 0 … 99
    True
    """

    row = "custom"
    takes_labels: ClassVar[bool] = False

    @abstractmethod
    def values(self, output: Array, target: Array) -> Array:
        """The loss of each row, (n,), from outputs (n, O) and their targets."""

    @abstractmethod
    def gradient(self, output: Array, target: Array) -> Array:
        """∂values[i]/∂output[i, j], (n, O)."""

    def native(self) -> _native.Loss:
        """What the core is told."""
        return _native.Loss(self._rows)

    def _rows(self, output: Array, target: Array) -> tuple[Array, Array] | None:
        def compute() -> tuple[Array, Array]:
            values, gradient = self._both(output, target)
            losses = self._of_shape("values", values, (len(output),), output.dtype)
            return losses, self._of_shape("gradient", gradient, output.shape, output.dtype)

        found: tuple[Array, Array] | None = self._guarded(compute)
        return found

    def _both(self, output: Array, target: Array) -> tuple[Array, Array]:
        return self.values(output, target), self.gradient(output, target)

    def targets(self, argument: str, y: Array, outputs: int, dtype: str) -> Targets:
        """Labels, or values of the outputs' shape."""
        if self.takes_labels:
            if y.ndim != 1 and y.shape[1:] != (1,):
                raise ValueError(f"{argument} must hold labels of shape (n,); given {y.shape}")
            return Targets("labels", inputs.labels(argument, y, outputs))
        return ValuesLoss.targets(self, argument, y, outputs, dtype)  # type: ignore[arg-type]


class FunctionLoss(CustomLoss):
    """What a function f(y_pred, y_true) -> (loss, dloss/dy_pred) given as ``loss`` means: both row by row.

    Raises
    ------
    TypeError, ValueError
        In a step, if it returns no such pair.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> def squares(y_pred, y_true):
    ...     return ((y_pred - y_true) ** 2).sum(axis=1), 2 * (y_pred - y_true)
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1, kernel_initializer="zeros")), squares)
    >>> trainer.evaluate(np.ones((2, 3)), [1.0, 3.0])
    {'loss': 5.0}
    """

    def __init__(self, function: Callable[[Array, Array], Any]) -> None:
        self.function = function

    def values(self, output: Array, target: Array) -> Array:
        """The pair's first."""
        return self._both(output, target)[0]

    def gradient(self, output: Array, target: Array) -> Array:
        """The pair's second."""
        return self._both(output, target)[1]

    def _both(self, output: Array, target: Array) -> tuple[Array, Array]:
        found = self.function(output, target)
        if not isinstance(found, (tuple, list)) or len(found) != 2:
            expected = (
                f"{self._name} must return a pair, the loss of each row (n,) and its derivative by y_pred (n, outputs)"
            )
            given = f"it returned one of type {type(found).__name__}"
            raise TypeError(f"{expected}; {given}: nothing is differentiated by itself")
        return found[0], found[1]

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "the loss")

    def _called(self, name: str) -> str:
        return f"{self._name}(y_pred, y_true)[{int(name == 'gradient')}]"

    def __repr__(self) -> str:
        return self._name


def as_loss(value: Any) -> Loss:
    """What a trainer's ``loss`` means: a name, a loss or a function."""
    return FunctionLoss(value) if inspect.isroutine(value) else LOSSES.find("loss", value)


class CustomMetric(Fallible, Metric):
    """Base of metrics of one's own: subclass it and write `values`, whose mean over the rows is the metric.

    Its `key`, what the history calls it, is the class's name in small letters unless it says otherwise.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> class Within(gg.CustomMetric):
    ...     def values(self, output, target):
    ...         return (np.abs(output - target) < 0.5).all(axis=1)
    >>> model = gg.Sequential(gg.Dense(1, kernel_initializer="ones", input_shape=(1,)))
    >>> gg.Trainer(model, "mse", metrics=[Within()]).evaluate(np.array([[0.0], [1.0]]), [0.25, 3.0])["within"]
    0.5
    """

    @property
    def key(self) -> str:
        """What `History` and `Trainer.evaluate` call it."""
        return type(self).__name__.lower()

    @abstractmethod
    def values(self, output: Array, target: Array) -> Array:
        """A number for each row, (n,), from the model's outputs (n, O) and their targets: labels (n,) or (n, O)."""

    def native(self, threshold: float, columns: bool) -> _native.Metric:
        """What the core is told."""
        del threshold, columns
        return _native.Metric(self._rows)

    def _rows(self, output: Array, target: Array) -> Array | None:
        def compute() -> Array:
            return self._of_shape("values", self.values(output, target), (len(output),), np.float64)

        found: Array | None = self._guarded(compute)
        return found


class CustomLayer(Fallible, Layer):
    """Base of layers of one's own: subclass it and write `forward` and `backward`.

    It has no parameters and as many outputs as inputs. Models with one predict, train and are evaluated; files and
    `Sequential.copy` do not know it: save `get_weights` instead.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> class Sine(gg.CustomLayer):
    ...     def forward(self, x):
    ...         return np.sin(x)
    ...
    ...     def backward(self, x, output, gradient):
    ...         return gradient * np.cos(x)
    >>> model = gg.Sequential(gg.Dense(16, input_shape=(1,)), Sine(), gg.Dense(1), seed=0)
    >>> x = np.linspace(-3, 3, 64)[:, None]
    >>> history = gg.Trainer(model, "mse", gg.Adam(0.01)).fit(x, np.sin(2 * x), epochs=300, verbose=0)
    >>> history.history["loss"][-1] < 0.001
    True
    """

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The outputs (n, I) of inputs (n, I)."""

    @abstractmethod
    def backward(self, x: Array, output: Array, gradient: Array) -> Array:
        """∂L/∂x (n, I), given ∂L/∂output."""

    def native(self, name: str) -> _native.Custom:
        """What the core is told."""
        return _native.Custom(name, self._forward, self._backward)

    def changed(self, **changes: Any) -> Self:
        """The same layer but for these fields, whatever its ``__init__`` takes."""
        other = copy(self)
        for name, value in changes.items():
            other._set(name, value)
        return other

    def to_config(self) -> dict[str, Any]:
        """No file holds a function.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"layer {self.name!r} is a {type(self).__name__}, written in Python, which no file or copy of a model can "
            "hold: save model.get_weights() with numpy.savez, and build the model anew by your own code"
        )

    def _forward(self, x: Array) -> Array | None:
        found: Array | None = self._guarded(lambda: self._of_shape("forward", self.forward(x), x.shape, x.dtype))
        return found

    def _backward(self, x: Array, output: Array, gradient: Array) -> Array | None:
        def compute() -> Array:
            return self._of_shape("backward", self.backward(x, output, gradient), x.shape, x.dtype)

        found: Array | None = self._guarded(compute)
        return found
