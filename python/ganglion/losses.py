"""What training minimises: a number per batch, from the last layer's outputs z (B, O) and the targets.

The cross-entropies exist from logits and from probabilities. Ours take logits, as PyTorch's do; those of Keras's names
take probabilities unless ``from_logits=True``. Either way a final softmax or sigmoid and the loss after it are computed
together from the logits, in which nothing overflows or is lost, and none is ever applied twice.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

import numpy as np

from ganglion import _native, inputs
from ganglion.descriptions import Description, Family
from ganglion.inputs import Targets

if TYPE_CHECKING:
    from ganglion.inputs import Array

    ValueRule: TypeAlias = Literal["any", "unit", "distribution"]

__all__ = [
    "LOSSES",
    "BinaryCrossEntropy",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "CrossEntropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "SumSquaresError",
]


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
    value_rule: ClassVar[ValueRule | None] = None

    def threshold(self, activation: str) -> float:
        """Above which an output says yes, for a model whose last activation has this name."""
        del activation
        return 0.5

    @property
    def core_row(self) -> str:
        """The row of the core's table."""
        return self.row

    @property
    def parameter(self) -> float:
        """The number that the core's kernel takes beside the arrays; 0 where it takes none."""
        return 0.0

    def native(self) -> _native.Loss:
        """What the core is told."""
        return _native.Loss(self.core_row, self.parameter)

    @abstractmethod
    def targets(self, argument: str, y: Array, outputs: int, dtype: str) -> Targets:
        """Check targets against the model's number of outputs and copy them into what the core reads."""


CATEGORICAL = "use 'cross_entropy', which takes labels or one-hot rows, and logits: end the model in Dense(classes)"
BINARY = "use 'binary_cross_entropy', which takes logits, or 'binary_crossentropy', which takes probabilities"
ELSEWHERE = {
    **dict.fromkeys(("crossentropy", "crossentropyloss", "softmax_cross_entropy", "log_loss"), CATEGORICAL),
    **dict.fromkeys(("nll", "nll_loss", "nllloss"), f"{CATEGORICAL}, without a log-softmax"),
    **dict.fromkeys(("bce", "bce_with_logits", "bceloss", "bcewithlogitsloss"), BINARY),
    **dict.fromkeys(("mseloss", "meansquarederror", "l2"), "use 'mse'"),
    **dict.fromkeys(("l1", "l1loss", "meanabsoluteerror"), "use 'mae'"),
    "a function": "a loss of your own is a class derived from CustomLoss",
    **dict.fromkeys(("huber_loss", "huberloss", "smooth_l1", "smoothl1loss"), "use 'huber'"),
}
LOSSES = Family[Loss]("loss", Loss, ELSEWHERE)


@LOSSES.add("cross_entropy")
@dataclass(frozen=True, repr=False)
class CrossEntropy(Loss):
    """Cross-entropy of softmax(z), from logits: L = −(1/B) Σ_i Σ_j t_ij log softmax(z_i)_j.

    Targets are labels, integers (or whole floats) of shape (n,) or (n, 1), or rows t of shape (n, O), one-hot or
    distributions. The softmax belongs to the loss: end the model in a plain ``Dense(classes)``. A final softmax layer
    is not applied twice: training and evaluation fuse the two, and `predict` shows the layer's probabilities.

    Parameters
    ----------
    from_logits
        False for outputs that are probabilities, as `CategoricalCrossentropy` has it.

    Notes
    -----
    PyTorch's ``CrossEntropyLoss`` is the same. Keras's losses of similar names, which have their own rows here, expect
    probabilities.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(4, kernel_initializer="zeros", input_shape=(3,)))
    >>> result = gg.Trainer(model, gg.CrossEntropy()).evaluate(np.ones((2, 3)), [0, 3])
    >>> round(result["loss"], 6)  # log 4: nothing is known
    1.386294
    """

    value_rule: ClassVar[ValueRule | None] = "distribution"
    from_logits: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("from_logits", inputs.flag("from_logits", self.from_logits))

    @property
    def core_row(self) -> str:
        """One row for logits, one for probabilities."""
        return "cross_entropy" if self.from_logits else "categorical_crossentropy"

    def targets(self, argument: str, y: Array, outputs: int, dtype: str) -> Targets:
        """Labels from (n,) and (n, 1), distributions from (n, O)."""
        if outputs < 2:
            raise ValueError(
                f"{self.row} needs one output per class, at least 2; the model has {outputs}: "
                "end it in Dense(2) for two classes, or use loss='binary_cross_entropy' or loss='mse'"
            )
        if y.ndim == 2 and y.shape[1] == outputs:
            return Targets("values", inputs.distributions(argument, y, dtype))
        if y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1):
            return Targets("labels", inputs.labels(argument, y, outputs))
        raise ValueError(
            f"{argument} must hold labels of shape (n,) or one-hot rows of shape (n, {outputs}), "
            f"as the model has {outputs} outputs; given {y.shape}"
        )


@LOSSES.add("categorical_crossentropy", "sparse_categorical_crossentropy")
@dataclass(frozen=True, repr=False)
class CategoricalCrossentropy(CrossEntropy):
    """Keras's cross-entropy, from probabilities: L = −(1/B) Σ_i Σ_j t_ij log q_ij with q_i = z_i / Σ_j z_ij.

    q is clipped to [10⁻⁷, 1 − 10⁻⁷] and has no gradient beyond. Where the model ends in softmax the two are computed
    together from the logits, without a clip: the loss of a hopeless row goes on beyond 16.1, and so does its gradient.
    Outputs that may be negative are refused. Labels and one-hot rows are both taken, under either of Keras's names.

    Parameters
    ----------
    from_logits
        True for `CrossEntropy`.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(4, "sigmoid", kernel_initializer="zeros", input_shape=(3,)))
    >>> result = gg.Trainer(model, "categorical_crossentropy").evaluate(np.ones((2, 3)), [0, 3])
    >>> round(result["loss"], 6)  # four times 0.5 are four times 0.25
    1.386294
    """

    from_logits: bool = False


SparseCategoricalCrossentropy = CategoricalCrossentropy


class ValuesLoss(Loss):
    """Base of the losses that compare each output with a value of its own.

    Targets have the outputs' shape (n, O); with one output (n,) will do. Nothing is broadcast.
    """

    value_rule: ClassVar[ValueRule | None] = "any"

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


@LOSSES.add("binary_cross_entropy")
@dataclass(frozen=True, repr=False)
class BinaryCrossEntropy(ValuesLoss):
    """Cross-entropy of yes or no, from logits: L = −1/(B·O) Σ_i Σ_j (t_ij log s_ij + (1 − t_ij) log(1 − s_ij)).

    s = sigmoid(z), and z is what the model gives: end it in a plain ``Dense(1)``, or in ``Dense(O)`` for O questions of
    which none excludes another. A final sigmoid layer is not applied twice: training and evaluation fuse the two, and
    `predict` shows the layer's probabilities. To metrics an output says yes where s > ½. Targets are 0 and 1, or
    probabilities between.

    Parameters
    ----------
    from_logits
        False for outputs that are probabilities, as `BinaryCrossentropy` has it.

    Notes
    -----
    PyTorch's ``BCEWithLogitsLoss`` is the same.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(1, kernel_initializer="zeros", input_shape=(3,)))
    >>> result = gg.Trainer(model, "binary_cross_entropy").evaluate(np.ones((2, 3)), [0, 1])
    >>> round(result["loss"], 6)  # log 2: nothing is known
    0.693147
    """

    from_logits: bool = True
    columns: ClassVar[bool] = True
    value_rule: ClassVar[ValueRule | None] = "unit"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("from_logits", inputs.flag("from_logits", self.from_logits))

    def threshold(self, activation: str) -> float:
        """½, which is the sigmoid of 0: of logits 0."""
        return 0.0 if self.from_logits and activation != "sigmoid" else 0.5

    @property
    def core_row(self) -> str:
        """One row for logits, one for probabilities."""
        return "binary_cross_entropy" if self.from_logits else "binary_crossentropy"

    def targets(self, argument: str, y: Array, outputs: int, dtype: str) -> Targets:
        """Values in [0, 1]."""
        found = super().targets(argument, y, outputs, dtype)
        index = inputs.first_where(found.array, lambda block: (block < 0) | (block > 1))
        if index is not None:
            given = f"{inputs.element(argument, index[: y.ndim])} is {found.array[index]:g}"
            remedy = ""
            kinds = np.unique(found.array)
            if set(kinds) == {-1, 1}:
                remedy = f"; for -1 and 1 pass ({argument} + 1) / 2"
            elif len(kinds) == 2 and (kinds == np.rint(kinds)).all():
                remedy = f"; if {kinds[1]:g} means yes and {kinds[0]:g} no, pass np.equal({argument}, {kinds[1]:g})"
            elif outputs == 1:
                remedy = "; for more than two classes end the model in Dense(classes) and use loss='cross_entropy'"
            raise ValueError(f"{argument} must hold 0 for no and 1 for yes, or probabilities; {given}{remedy}")
        return found


@LOSSES.add("binary_crossentropy")
@dataclass(frozen=True, repr=False)
class BinaryCrossentropy(BinaryCrossEntropy):
    """Keras's cross-entropy of yes or no, from probabilities p: L = −1/(B·O) Σ (t log p + (1 − t) log(1 − p)).

    p is clipped to [10⁻⁷, 1 − 10⁻⁷] and has no gradient beyond. Where the model ends in sigmoid the two are computed
    together from the logits, without a clip. Outputs that may be negative are refused.

    Parameters
    ----------
    from_logits
        True for `BinaryCrossEntropy`.

    Examples
    --------
    >>> BinaryCrossentropy(from_logits=True)
    BinaryCrossentropy(from_logits=True)
    """

    from_logits: bool = False


@LOSSES.add("mse", "mean_squared_error")
class MeanSquaredError(ValuesLoss):
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


@LOSSES.add("mae", "mean_absolute_error")
class MeanAbsoluteError(ValuesLoss):
    """Mean absolute error: L = 1/(B·O) Σ_i Σ_j |z_ij − t_ij|; its derivative is taken for 0 where z = t.

    Targets as for `MeanSquaredError`. The same as Keras's ``mean_absolute_error`` and PyTorch's ``L1Loss``.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(1, kernel_initializer="zeros", input_shape=(3,)))
    >>> gg.Trainer(model, "mae").evaluate(np.ones((2, 3)), [1.0, -3.0])
    {'loss': 2.0}
    """


@LOSSES.add("huber")
@dataclass(frozen=True, repr=False)
class Huber(ValuesLoss):
    """Squares of small errors, magnitudes of large ones: L = 1/(B·O) Σ_i Σ_j l(z_ij − t_ij).

    l(e) = ½ e² where |e| ≤ delta, else delta (|e| − ½ delta). Targets as for `MeanSquaredError`.

    Parameters
    ----------
    delta
        Greater than 0. The default, 1, is Keras's and PyTorch's, whose losses of this name are the same.

    Notes
    -----
    P. J. Huber, "Robust estimation of a location parameter", 1964.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Dense(1, kernel_initializer="zeros", input_shape=(3,)))
    >>> gg.Trainer(model, gg.Huber(delta=2.0)).evaluate(np.ones((2, 3)), [1.0, -3.0])
    {'loss': 2.25}
    """

    delta: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("delta", inputs.real("delta", self.delta, above=0))

    @property
    def parameter(self) -> float:
        """Delta."""
        return self.delta


@LOSSES.add("sum_squares_error")
class SumSquaresError(ValuesLoss):
    """Half the sum of squares of a row, as textbooks have it: L = 1/B Σ_i ½ Σ_j (z_ij − t_ij)².

    It is O/2 times the mean squared error. For one sample this is the textbook's ½ Σ (y − t)²; of a batch it is the
    mean over the rows, as the textbook's cross-entropy is, so that a learning rate suits every batch size. Targets as
    for `MeanSquaredError`.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> model = gg.Sequential(gg.Identity(input_shape=(10,)))
    >>> y = np.array([[0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0]])
    >>> result = gg.Trainer(model, "sum_squares_error").evaluate(y, np.eye(10)[[2]])
    >>> round(result["loss"], 6)
    0.0975
    """
