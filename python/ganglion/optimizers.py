"""How gradients change weights: w is a parameter, g its gradient plus weight_decay · w, lr the step's learning rate.

The updates run in the core, inside the weight gradient's tile; moments below the smallest normal number become 0.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from types import MappingProxyType

from ganglion import _native, inputs, schedules
from ganglion.descriptions import Description, Family, itself
from ganglion.schedules import Constant, Schedule

__all__ = ["OPTIMIZERS", "SGD", "AdaGrad", "Adagrad", "Adam", "AdamW", "Clipping", "Optimizer", "RMSprop"]


@dataclass(frozen=True, repr=False)
class Clipping(Description):
    """What every optimizer can do to the gradients first, before it adds its weight decay.

    Parameters
    ----------
    clip_norm
        c > 0: where the norm of all gradients together, n = √Σ g², is greater, each is multiplied by c / n. None: no
        limit.
    clip_value
        c > 0: elements beyond ± c become ± c. None: no limit. Not together with `clip_norm`.

    Notes
    -----
    R. Pascanu et al., "On the difficulty of training recurrent neural networks", ICML 2013, section 3.2. `clip_norm` is
    Keras's ``global_clipnorm`` (its ``clipnorm`` has a norm for each weight array) and PyTorch's ``clip_grad_norm_``,
    which divides by n + 1e-6; `clip_value` is Keras's ``clipvalue`` and PyTorch's ``clip_grad_value_``. As there, the
    penalties of regularizers are part of the gradients and the weight decay is not. The norm is summed in float64, and
    a gradient that is NaN or infinite still ends training with a `TrainingDivergedError`: it is not clipped.
    """

    _: KW_ONLY
    clip_norm: float | None = None
    clip_value: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("clip_norm", "clip_value"):
            if getattr(self, name) is not None:
                self._set(name, inputs.real(name, getattr(self, name), above=0))
        if self.clip_norm is not None and self.clip_value is not None:
            given = f"clip_norm={self.clip_norm} and clip_value={self.clip_value}"
            raise ValueError(f"give clip_norm or clip_value, not both; given {given}")


class Optimizer(Clipping):
    """Base of the optimizers."""

    # Not fields: a dataclass would put them before all of its rows' own.
    learning_rate: float | Schedule
    weight_decay: float
    synonyms = MappingProxyType({"global_clipnorm": ("clip_norm", itself), "clipvalue": ("clip_value", itself)})
    elsewhere = MappingProxyType(
        {
            "lr": "did you mean 'learning_rate'?",
            "decay": "give learning_rate a schedule, like LinearDecay(0.1, 0.0, 1000)",
            "clipnorm": "Keras's clipnorm has a norm for each array; clip_norm, its global_clipnorm, has one for all",
        }
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("learning_rate", schedules.learning_rate(self.learning_rate))
        self._set("weight_decay", inputs.real("weight_decay", self.weight_decay, minimum=0))

    @cached_property
    def schedule(self) -> Schedule:
        """The learning rate as a function of the step."""
        return self.learning_rate if isinstance(self.learning_rate, Schedule) else Constant(self.learning_rate)

    def clipped(self) -> _native.Optimizer:
        """All that the core is told."""
        optimizer = self.native()
        optimizer.clip_norm, optimizer.clip_value = self.clip_norm or 0.0, self.clip_value or 0.0
        return optimizer

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
    clip_norm, clip_value
        Limits to the gradients, as `Clipping` describes; by name only.

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
    clip_norm, clip_value
        Limits to the gradients, as `Clipping` describes; by name only.

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
    synonyms = MappingProxyType({**Optimizer.synonyms, "beta_1": ("beta1", itself), "beta_2": ("beta2", itself)})

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("beta1", inputs.real("beta1", self.beta1, minimum=0, below=1))
        self._set("beta2", inputs.real("beta2", self.beta2, minimum=0, below=1))
        self._set("epsilon", inputs.real("epsilon", self.epsilon, above=0))

    def native(self) -> _native.Optimizer:
        """Its row of the core's table."""
        return _native.Optimizer(self.row, 0.0, self.beta1, self.beta2, self.epsilon, self.weight_decay)


@OPTIMIZERS.add("adamw")
@dataclass(frozen=True, repr=False)
class AdamW(Adam):
    """Adam with decoupled weight decay.

    | w ← w − lr · weight_decay · w
    | m, v and the step from them as `Adam`'s, from a g without weight decay

    Parameters
    ----------
    learning_rate
        A positive number, a schedule or a function of the step.
    beta1, beta2
        Decay of the moments, in [0, 1).
    epsilon
        Greater than 0.
    weight_decay
        At least 0: the share of w that a step at the rate 1 would take away. The default, 0, makes it `Adam`; PyTorch's
        is 0.01, Keras's 0.004.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds.

    Notes
    -----
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019, Algorithm 2, where the decay is
    multiplied by the schedule alone; here, as in PyTorch and Keras, by the whole rate. PyTorch's is the same; Keras
    adds epsilon (1e-7) before the bias correction.

    Examples
    --------
    >>> AdamW(2e-3, weight_decay=0.01)
    AdamW(learning_rate=0.002, weight_decay=0.01)
    """


@OPTIMIZERS.add("rmsprop")
@dataclass(frozen=True, repr=False)
class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradients.

    | v ← rho · v + (1 − rho) · g²
    | without momentum: w ← w − lr · g / (√v + epsilon)
    | with: m ← momentum · m + g / (√v + epsilon), w ← w − lr · m

    v and m start at 0. The weight decay is that of the L2 penalty ½ · weight_decay · |w|²: it is part of g.

    Parameters
    ----------
    learning_rate
        A positive number, a schedule or a function of the step.
    rho
        Decay of v, in [0, 1); PyTorch calls it alpha.
    momentum
        In [0, 1).
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
    T. Tieleman and G. Hinton, "Lecture 6.5: rmsprop", Neural Networks for Machine Learning, 2012, with its rate and
    rho. PyTorch's definition is the same, its defaults are lr = 0.01 and alpha = 0.99. Keras has epsilon (1e-7) under
    the root, lr inside m, which differs where lr changes, and its weight decay shrinks w directly.

    Examples
    --------
    >>> RMSprop(momentum=0.9)
    RMSprop(momentum=0.9)
    """

    learning_rate: float | Schedule = 1e-3
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-8
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("rho", inputs.real("rho", self.rho, minimum=0, below=1))
        self._set("momentum", inputs.real("momentum", self.momentum, minimum=0, below=1))
        self._set("epsilon", inputs.real("epsilon", self.epsilon, above=0))

    def native(self) -> _native.Optimizer:
        """Its row of the core's table."""
        row = "rmsprop_momentum" if self.momentum else "rmsprop"
        return _native.Optimizer(row, self.momentum, 0.0, self.rho, self.epsilon, self.weight_decay)


@OPTIMIZERS.add("adagrad")
@dataclass(frozen=True, repr=False)
class AdaGrad(Optimizer):
    """Steps divided by the root of the sum of all squared gradients so far.

    v ← v + g², w ← w − lr · g / (√v + epsilon)

    v starts at `initial_accumulator`. The weight decay is that of the L2 penalty ½ · weight_decay · |w|²: it is part
    of g.

    Parameters
    ----------
    learning_rate
        A positive number, a schedule or a function of the step.
    initial_accumulator
        At least 0.
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
    J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    JMLR 12, 2011, with a diagonal matrix. PyTorch's is the same, with these defaults. Keras starts v at 0.1, has
    epsilon (1e-7) under the root and lr = 0.001, and its weight decay shrinks w directly.

    Examples
    --------
    >>> AdaGrad(0.1)
    AdaGrad(learning_rate=0.1)
    """

    learning_rate: float | Schedule = 1e-2
    initial_accumulator: float = 0.0
    epsilon: float = 1e-10
    weight_decay: float = 0.0
    synonyms = MappingProxyType({**Optimizer.synonyms, "initial_accumulator_value": ("initial_accumulator", itself)})

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("initial_accumulator", inputs.real("initial_accumulator", self.initial_accumulator, minimum=0))
        self._set("epsilon", inputs.real("epsilon", self.epsilon, above=0))

    def native(self) -> _native.Optimizer:
        """Its row of the core's table."""
        return _native.Optimizer(self.row, 0.0, 0.0, 0.0, self.epsilon, self.weight_decay, self.initial_accumulator)


Adagrad = AdaGrad
