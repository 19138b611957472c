"""PyTorch's losses: objects called with outputs and targets, over the rows of the core's table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ganglion import _native, inputs, losses, machine
from ganglion.arguments import known_arguments
from ganglion.layers import Sigmoid, Softmax
from ganglion.results import Number, Output, ThroughCustomLayers, loss

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

__all__ = ["BCELoss", "BCEWithLogitsLoss", "Criterion", "CrossEntropyLoss", "HuberLoss", "L1Loss", "MSELoss"]

# PyTorch's arguments that have no counterpart, and what to do instead.
NAMED = {
    **dict.fromkeys(("weight", "pos_weight"), "Trainer.fit weighs classes by class_weight, and rows by sample_weight"),
    "ignore_index": "leave such rows out of the batch",
    **dict.fromkeys(("size_average", "reduce"), "the mean is what there is"),
}


class Criterion:
    """Base of the losses.

    Parameters
    ----------
    reduction
        ``"mean"``, PyTorch's default.

    Raises
    ------
    ValueError
        If `reduction` is another.
    """

    description: losses.Loss
    takes_labels: ClassVar[bool] = False  # one-dimensional targets are labels
    takes_logits_of: ClassVar[type | None] = None  # the activation that the loss applies itself

    @known_arguments(NAMED)
    def __init__(self, *given: Any, reduction: str = "mean") -> None:
        if given:
            name = type(self).__name__
            raise TypeError(f"{name} is made first, without data, and then called: {name}()(output, target)")
        if reduction != "mean":
            raise ValueError(f"reduction must be 'mean'; given {reduction!r}{REMEDIES.get(reduction, '')}")
        self.native = self.description.native()

    def __call__(self, input: ArrayLike, target: ArrayLike) -> Number:  # noqa: A002
        """The mean loss, which has a `backward` where `input` is a model's output.

        Parameters
        ----------
        input
            What ``model(x)`` gave, (n, O) or squeezed; any other array gives a number without a way back.
        target
            What `Trainer.fit` takes for this loss. (n,) and (n, 1) mean the same; nothing is broadcast.

        Raises
        ------
        TypeError, ValueError
            If the target is not of that kind or shape, or the model ends in the activation that the loss applies.
        """
        if not isinstance(input, Output) or input.forward is None:
            if isinstance(target, Output) and target.forward is not None:
                raise TypeError("the model's output comes first, then the target: loss_fn(model(x), y)")
            return self._of_array(input, target)
        if self.takes_logits_of is not None and isinstance(input.model.final, self.takes_logits_of):
            name = self.takes_logits_of.__name__
            raise ValueError(
                f"{type(self).__name__} takes logits and applies the {name.lower()} itself, and the model ends in one: "
                f"remove the model's last layer, {name}()"
            )
        outputs = input.values.shape[1]
        context, described = machine.context(), self.native
        if type(target) is np.ndarray:
            labels = self.takes_labels and target.ndim == 1
            column = target[:, None] if target.ndim == 1 and outputs == 1 else target
            try:
                value, differential = input.forward.loss(context, described, KINDS[labels], column)
            except (TypeError, ValueError):
                pass  # what the core cannot read as it lies; whoever checks and copies also says what is wrong
            else:
                return self._loss(value, differential, input)
        if isinstance(target, Output) and target.forward is not None:
            raise ValueError(
                "target is a model's output too, and gradients flow to the first one alone: pass target.detach()"
            )
        checked = self._targets(target, input.values.shape, input.values.dtype)
        value, differential = input.forward.loss(context, described, checked.kind, checked.array)
        return self._loss(value, differential, input)

    def _loss(self, value: float, differential: _native.Differential, output: Output) -> Number:
        layers = output.model._custom
        return loss(value, ((ThroughCustomLayers(differential, layers) if layers else differential, 1.0),))

    def _of_array(self, prediction: ArrayLike, target: ArrayLike) -> Number:
        array = inputs.numeric("input", prediction)
        dtype = "float32" if array.dtype == np.float32 else "float64"
        array = np.ascontiguousarray(array[:, None] if array.ndim == 1 else array, dtype=dtype)
        if array.ndim != 2 or array.size == 0:
            raise ValueError(f"input must have shape (n, outputs), n at least 1; given {array.shape}")
        checked = self._targets(target, array.shape, array.dtype)
        return Number(
            _native.mean_loss(machine.context(), self.native, checked.kind, array.view(np.ndarray), checked.array)
        )

    def _targets(self, target: ArrayLike, shape: tuple[int, ...], dtype: Any) -> inputs.Targets:
        array: Array = inputs.targets("target", target)
        if array.ndim == 0 or len(array) != shape[0]:
            raise ValueError(f"target must have a row for each of the output's {shape[0]}; given {array.shape}")
        return self.description.targets("target", array, shape[1], str(dtype))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


KINDS = ("values", "labels")
REMEDIES = {"sum": ": multiply the mean by the number of elements instead"}


class MSELoss(Criterion):
    """`losses.MeanSquaredError`, PyTorch's ``MSELoss``.

    Examples
    --------
    >>> MSELoss()([1.0, 2.0], [3.0, 2.0]).item()
    2.0
    """

    description = losses.MeanSquaredError()


class CrossEntropyLoss(Criterion):
    """`losses.CrossEntropy`, PyTorch's ``CrossEntropyLoss``: from logits (n, O) and labels (n,) or rows (n, O).

    Examples
    --------
    >>> round(CrossEntropyLoss()([[0.0, 0.0], [0.0, 0.0]], [0, 1]).item(), 6)
    0.693147
    """

    description = losses.CrossEntropy()
    takes_labels = True
    takes_logits_of = Softmax


class L1Loss(Criterion):
    """`losses.MeanAbsoluteError`, PyTorch's ``L1Loss``.

    Examples
    --------
    >>> L1Loss()([1.0, 2.0], [3.0, 2.0]).item()
    1.0
    """

    description = losses.MeanAbsoluteError()


class HuberLoss(Criterion):
    """`losses.Huber`, PyTorch's ``HuberLoss``.

    Examples
    --------
    >>> HuberLoss(delta=1.0)([1.0, 2.0], [3.0, 2.0]).item()
    0.75
    """

    @known_arguments(NAMED)
    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        self.description = losses.Huber(delta)
        super().__init__(reduction=reduction)


class BCEWithLogitsLoss(Criterion):
    """`losses.BinaryCrossEntropy`, PyTorch's ``BCEWithLogitsLoss``: from logits, of targets in [0, 1].

    Examples
    --------
    >>> round(BCEWithLogitsLoss()([0.0, 0.0], [1.0, 0.0]).item(), 6)
    0.693147
    """

    description = losses.BinaryCrossEntropy()
    takes_logits_of = Sigmoid


class BCELoss(Criterion):
    """`losses.BinaryCrossentropy`, from probabilities, of targets in [0, 1].

    PyTorch's ``BCELoss`` is the same for probabilities from 10⁻⁷ to 1 − 10⁻⁷; beyond them this one keeps its value
    and has no gradient, and beyond 0 and 1 both refuse. `BCEWithLogitsLoss` loses nothing.

    Examples
    --------
    >>> round(BCELoss()([0.5, 0.5], [1.0, 0.0]).item(), 6)
    0.693147
    """

    description = losses.BinaryCrossentropy()

    def __call__(self, input: ArrayLike, target: ArrayLike) -> Number:  # noqa: A002
        """As of any loss; a softmax of one output is refused, and what is below 0 or above 1."""
        output = input if isinstance(input, Output) and input.forward is not None else None
        if output is not None and isinstance(output.model.final, Softmax) and output.values.shape[1] == 1:
            raise ValueError(
                "the model ends in a softmax of one output, which is 1 whatever the weights are, so that nothing would "
                "be learned; end it in nn.Sigmoid()"
            )
        if output is not None and not isinstance(output.model.final, (Sigmoid, Softmax)):
            self._check(output.values)
        return super().__call__(input, target)

    def _of_array(self, prediction: ArrayLike, target: ArrayLike) -> Number:
        self._check(inputs.numeric("input", prediction))
        return super()._of_array(prediction, target)

    def _check(self, values: Array) -> None:
        index = inputs.first_where(values, lambda block: (block < 0) | (block > 1))
        if index is not None:
            given = f"{inputs.element('input', index)} is {values[index]:.3g}"
            raise ValueError(
                f"BCELoss takes probabilities, from 0 to 1; {given}: end the model in nn.Sigmoid(), or use "
                "nn.BCEWithLogitsLoss(), which takes logits"
            )
