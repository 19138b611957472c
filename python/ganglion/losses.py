"""What training minimises: a number per batch, from the last layer's outputs z (B, O) and the targets."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from ganglion import inputs
from ganglion.descriptions import Description, Family
from ganglion.inputs import Targets

if TYPE_CHECKING:
    from ganglion.inputs import Array

__all__ = ["LOSSES", "CrossEntropy", "Loss", "MeanSquaredError"]


class Loss(Description):
    """Base of the losses.

    Attributes
    ----------
    columns
        Whether each output says yes or no of its own, for metrics: with one output it always does.
    value_rule
        What rows of values must hold: ``"any"`` finite numbers, numbers of the ``"unit"`` interval, or each row a
        ``"distribution"``. None: `targets` alone can say.
    """

    columns: ClassVar[bool] = False
    value_rule: ClassVar[Literal["any", "unit", "distribution"] | None] = None

    def threshold(self, activation: str) -> float:
        """Above which an output says yes, for a model whose last activation has this name."""
        del activation
        return 0.5

    @abstractmethod
    def targets(self, argument: str, y: Array, outputs: int, dtype: str) -> Targets:
        """Check targets against the model's number of outputs and copy them into what the core reads."""


CATEGORICAL = "use 'cross_entropy', which takes labels or one-hot rows, and logits: end the model in Dense(classes)"
BINARY = "use 'cross_entropy' with two outputs, labels 0 and 1, and logits: end the model in Dense(2)"
ELSEWHERE = {
    **dict.fromkeys(("categorical_crossentropy", "sparse_categorical_crossentropy", "crossentropy"), CATEGORICAL),
    **dict.fromkeys(
        ("crossentropyloss", "softmax_cross_entropy", "nll", "nll_loss", "nllloss", "log_loss"), CATEGORICAL
    ),
    **dict.fromkeys(("bce", "binary_crossentropy", "binary_cross_entropy", "bce_with_logits", "bceloss"), BINARY),
    **dict.fromkeys(("mseloss", "meansquarederror", "l2"), "use 'mse'"),
}
LOSSES = Family[Loss]("loss", Loss, ELSEWHERE)


@LOSSES.add("cross_entropy")
class CrossEntropy(Loss):
    """Cross-entropy of softmax(z), from logits: L = −(1/B) Σ_i Σ_j t_ij log softmax(z_i)_j.

    Targets are labels, integers (or whole floats) of shape (n,) or (n, 1), or rows t of shape (n, O), one-hot or
    distributions. The softmax belongs to the loss: end the model in a plain ``Dense(classes)``. A final softmax layer
    is not applied twice: training and evaluation fuse the two, and `predict` shows the layer's probabilities.
    Keras's losses of similar names expect probabilities; PyTorch's ``CrossEntropyLoss`` expects logits, as here.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(4, kernel_initializer="zeros", input_shape=(3,)))
    >>> result = gg.Trainer(model, gg.CrossEntropy()).evaluate(np.ones((2, 3)), [0, 3])
    >>> round(result["loss"], 6)  # log 4: nothing is known
    1.386294
    """

    value_rule = "distribution"

    def targets(self, argument: str, y: Array, outputs: int, dtype: str) -> Targets:
        """Labels from (n,) and (n, 1), distributions from (n, O)."""
        if outputs < 2:
            raise ValueError(
                f"cross_entropy needs one output per class, at least 2; the model has {outputs}: "
                "end it in Dense(2) for two classes, or use loss='mse'"
            )
        if y.ndim == 2 and y.shape[1] == outputs:
            return Targets("values", inputs.distributions(argument, y, dtype))
        if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
            return Targets("labels", inputs.labels(argument, y, outputs))
        raise ValueError(
            f"{argument} must hold labels of shape (n,) or one-hot rows of shape (n, {outputs}), "
            f"as the model has {outputs} outputs; given {y.shape}"
        )


@LOSSES.add("mse", "mean_squared_error")
class MeanSquaredError(Loss):
    """Mean squared error: L = 1/(B·O) Σ_i Σ_j (z_ij − t_ij)².

    Targets have the outputs' shape (n, O); with one output (n,) will do. Nothing is broadcast. The same as Keras's
    ``mean_squared_error`` and PyTorch's ``MSELoss``.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(1, kernel_initializer="zeros", input_shape=(3,)))
    >>> gg.Trainer(model, "mse").evaluate(np.ones((2, 3)), [1.0, 3.0])
    {'loss': 5.0}
    """

    value_rule = "any"

    def targets(self, argument: str, y: Array, outputs: int, dtype: str) -> Targets:
        """Values from (n, O), or from (n,) where O is 1."""
        given = y.shape
        if y.ndim == 1 and outputs == 1:
            y = y[:, None]
        if y.ndim != 2 or y.shape[1] != outputs:
            remedy = ""
            if y.ndim == 1:
                remedy = f"; for classes pass one-hot rows, np.eye({outputs})[{argument}], or use loss='cross_entropy'"
            raise ValueError(f"{argument} must have the shape of the outputs, (n, {outputs}); given {given}{remedy}")
        return Targets("values", inputs.values(argument, y, dtype))
