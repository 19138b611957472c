"""How gradients change weights: w is a parameter, g its gradient plus weight_decay · w, lr the step's learning rate.

The updates run in the core, inside the weight gradient's tile; moments below the smallest normal number become 0.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from ganglion import _native, inputs, schedules
from ganglion.descriptions import Description, Family
from ganglion.schedules import Constant, Schedule

__all__ = ["OPTIMIZERS", "SGD", "Adam", "Optimizer"]


class Optimizer(Description):
    """Base of the optimizers."""

    # Not fields: a dataclass would put them before all of its rows' own.
    learning_rate: float | Schedule
    weight_decay: float

    def __post_init__(self) -> None:
        self._set("learning_rate", schedules.learning_rate(self.learning_rate))
        self._set("weight_decay", inputs.real("weight_decay", self.weight_decay, minimum=0))

    @property
    def schedule(self) -> Schedule:
        """The learning rate as a function of the step."""
        return self.learning_rate if isinstance(self.learning_rate, Schedule) else Constant(self.learning_rate)

    @abstractmethod
    def native(self) -> _native.Optimizer:
        """Its row of the core's table."""


OPTIMIZERS = Family[Optimizer]("optimizer", Optimizer)


@OPTIMIZERS.add("sgd")
@dataclass(frozen=True, repr=False)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum or Nesterov's.

    | plain: w ← w − lr · g
    | momentum: m ← momentum · m + g, w ← w − lr · m
    | Nesterov: m ← momentum · m + g, w ← w − lr · (g + momentum · m)

    m starts at 0. The weight decay is that of the L2 penalty ½ · weight_decay · |w|²: it is part of g.

    Parameters
    ----------
    learning_rate
        A positive number or a schedule.
    momentum
        In [0, 1).
    nesterov
        Nesterov's momentum in the form of Sutskever et al.; needs `momentum` greater than 0.
    weight_decay
        At least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.

    Notes
    -----
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; I. Sutskever et al., "On the
    importance of initialization and momentum in deep learning", ICML 2013. As in PyTorch, lr is outside m; Keras keeps
    lr · g in m, which differs where lr changes, and its weight decay shrinks w directly, outside of g.

    Examples
    --------
    >>> SGD(0.1, momentum=0.9)
    SGD(learning_rate=0.1, momentum=0.9)
    """

    learning_rate: float | Schedule = 1e-2
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("momentum", inputs.real("momentum", self.momentum, minimum=0, below=1))
        self._set("nesterov", inputs.flag("nesterov", self.nesterov))
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov=True needs a momentum greater than 0, like 0.9; given 0")

    def native(self) -> _native.Optimizer:
        """Its row of the core's table."""
        row = "nesterov" if self.nesterov else "momentum" if self.momentum else "sgd"
        return _native.Optimizer(row, self.momentum, 0.0, 0.0, 0.0, self.weight_decay)


@OPTIMIZERS.add("adam")
@dataclass(frozen=True, repr=False)
class Adam(Optimizer):
    """Adam, bias-corrected.

    | m ← beta1 · m + (1 − beta1) · g,  v ← beta2 · v + (1 − beta2) · g²
    | w ← w − lr · m̂ / (√v̂ + epsilon),  m̂ = m / (1 − beta1ᵗ),  v̂ = v / (1 − beta2ᵗ)

    t counts from 1; m and v start at 0. The weight decay is that of the L2 penalty ½ · weight_decay · |w|²: it is part
    of g (AdamW's would act on w directly).

    Parameters
    ----------
    learning_rate
        A positive number or a schedule.
    beta1, beta2
        Decay of the moments, in [0, 1).
    epsilon
        Greater than 0.
    weight_decay
        At least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.

    Notes
    -----
    D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015, Algorithm 1, with its defaults.
    PyTorch's is the same. Keras and TensorFlow add epsilon (1e-7) before the correction, as in the remark that ends the
    paper's section 2, and their weight decay is AdamW's.

    Examples
    --------
    >>> Adam(beta2=0.99)
    Adam(beta2=0.99)
    """

    learning_rate: float | Schedule = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("beta1", inputs.real("beta1", self.beta1, minimum=0, below=1))
        self._set("beta2", inputs.real("beta2", self.beta2, minimum=0, below=1))
        self._set("epsilon", inputs.real("epsilon", self.epsilon, above=0))

    def native(self) -> _native.Optimizer:
        """Its row of the core's table."""
        return _native.Optimizer(self.row, 0.0, self.beta1, self.beta2, self.epsilon, self.weight_decay)
