"""PyTorch's optimizers: `zero_grad`, then `step` after a loss's ``backward()``.

They are the rows of ``ganglion.optimizers`` under PyTorch's argument names, applied to the gradients that a loss's
``backward()`` left.

Examples
--------
>>> from ganglion import nn, optim
>>> model = nn.Sequential(nn.Linear(2, 1))
>>> optimizer = optim.Adam(model.parameters(), lr=0.01)
>>> optimizer.param_groups[0]["lr"] /= 10
>>> optimizer.param_groups[0]["lr"]
0.001
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Never

from ganglion import _native, inputs, machine, optimizers
from ganglion.arguments import known_arguments, no_attribute
from ganglion.parameter_groups import ParameterGroup, groups, model_of

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "ParameterGroup", "RMSprop"]

ELSEWHERE = {
    "lr_scheduler": "set optimizer.param_groups[0]['lr'] where the rate is to change",
    "LBFGS": "the optimizers here take one gradient a step",
}
# Arguments by other names than PyTorch's.
NAMED = {
    "learning_rate": "did you mean 'lr'?",
    **dict.fromkeys(("beta1", "beta2", "beta_1", "beta_2"), "betas=(0.9, 0.999) has both"),
    "epsilon": "did you mean 'eps'?",
    "rho": "did you mean 'alpha'?",
    **dict.fromkeys(
        ("clip_norm", "clip_value", "clipnorm", "clipvalue"),
        "a Trainer with an optimizer of ganglion.optimizers clips gradients",
    ),
}


def __getattr__(name: str) -> object:
    raise no_attribute(__name__, name, __all__, ELSEWHERE.get(name))


class Optimizer(ABC):
    """Base of the optimizers.

    Attributes
    ----------
    param_groups
        A `ParameterGroup` for each set of parameters; ``param_groups[0]["lr"]`` is the learning rate.
    """

    _fixed: ClassVar[tuple[str, ...]] = ()  # options that say what the moments mean

    def __init__(self, params: Iterable[Any], options: Mapping[str, Any]) -> None:
        self.param_groups = [
            ParameterGroup({**options, **given}, self._describe, self._fixed) for given in groups(params, options)
        ]
        everything = [parameter for group in self.param_groups for parameter in group["params"]]
        self._model = model_of(everything)
        self._numbers = [parameter.index for parameter in everything]
        if len(set(self._numbers)) != len(self._numbers):
            raise ValueError("params must not name a parameter twice")
        native = [
            _native.UpdateGroup([parameter.index for parameter in group["params"]], group.description.native())
            for group in self.param_groups
        ]
        self._updates = _native.Updates(self._model.passes, native)

    @classmethod
    @abstractmethod
    def _describe(cls, options: dict[str, Any]) -> optimizers.Optimizer:
        """The optimizer in the house's own words; its learning rate is the group's."""

    def zero_grad(self, set_to_none: bool = True) -> None:  # noqa: ARG002
        """Forget the gradients of the parameters."""
        self._model.passes.zero(self._numbers)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update the parameters from their gradients.

        Parameters
        ----------
        closure
            Called first, where one is given; its value is returned.

        Raises
        ------
        RuntimeError
            If no parameter has a gradient, or the model is being trained elsewhere.
        TrainingDivergedError
            If a gradient or a new weight would be NaN or infinite; nothing has changed then.
        """
        result = None if closure is None else closure()
        rates = []
        for number, group in enumerate(self.param_groups):
            if group.changed:
                self._updates.set_optimizer(number, group.description.native())
                group.changed = False
            rates.append(group.rate)
        self._updates.step(machine.context(), rates)
        return result

    def __reduce__(self) -> Never:
        name = type(self).__name__
        raise TypeError(
            f"{name} is not copied or pickled, as it updates the parameters of one model: make a new one for a copy of "
            f"the model, optim.{name}(copy.parameters(), …)"
        )

    def __repr__(self) -> str:
        lines = []
        for number, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {number}")
            lines += [f"    {key}: {value}" for key, value in sorted(group.items()) if key != "params"]
        return "\n".join([f"{type(self).__name__} (", *lines, ")"])


class SGD(Optimizer):
    """`optimizers.SGD`, PyTorch's ``SGD``.

    Parameters
    ----------
    params
        ``model.parameters()``, or dictionaries of ``"params"`` and options of their own.
    lr
        The learning rate, at least 0.
    momentum, weight_decay, nesterov
        As `optimizers.SGD` takes them.
    dampening
        0.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds, or parameters are of several models.
    """

    @known_arguments(NAMED)
    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        options = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, {"lr": lr, **options})

    @classmethod
    def _describe(cls, options: dict[str, Any]) -> optimizers.Optimizer:
        if inputs.real("dampening", options["dampening"]) != 0:
            raise ValueError(f"dampening must be 0; given {options['dampening']}")
        return optimizers.SGD(
            momentum=options["momentum"], nesterov=options["nesterov"], weight_decay=options["weight_decay"]
        )


class Adam(Optimizer):
    """`optimizers.Adam`, PyTorch's ``Adam``.

    Parameters
    ----------
    params
        ``model.parameters()``, or dictionaries of ``"params"`` and options of their own.
    lr
        The learning rate, at least 0.
    betas, eps
        (beta1, beta2) and epsilon of `optimizers.Adam`.
    weight_decay
        As `optimizers.Adam` takes it: part of the gradient.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds, or parameters are of several models.
    """

    _description: ClassVar[type[optimizers.Adam]] = optimizers.Adam

    @known_arguments(NAMED)
    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @classmethod
    def _describe(cls, options: dict[str, Any]) -> optimizers.Optimizer:
        beta1, beta2 = _betas(options["betas"])
        eps = inputs.real("eps", options["eps"], above=0)
        return cls._description(beta1=beta1, beta2=beta2, epsilon=eps, weight_decay=options["weight_decay"])


class AdamW(Adam):
    """`optimizers.AdamW`, PyTorch's ``AdamW``.

    Parameters
    ----------
    params
        ``model.parameters()``, or dictionaries of ``"params"`` and options of their own.
    lr
        The learning rate, at least 0.
    betas, eps
        (beta1, beta2) and epsilon of `optimizers.AdamW`.
    weight_decay
        As `optimizers.AdamW` takes it: decoupled from the gradient.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds, or parameters are of several models.
    """

    _description = optimizers.AdamW

    @known_arguments(NAMED)
    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)


class RMSprop(Optimizer):
    """`optimizers.RMSprop`, PyTorch's ``RMSprop``.

    Parameters
    ----------
    params
        ``model.parameters()``, or dictionaries of ``"params"`` and options of their own.
    lr
        The learning rate, at least 0.
    alpha, eps
        rho and epsilon of `optimizers.RMSprop`.
    weight_decay, momentum
        As `optimizers.RMSprop` takes them; the momentum is fixed from the start.
    centered
        False.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds, or parameters are of several models.
    """

    _fixed = ("momentum",)

    @known_arguments(NAMED)
    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        options = {"alpha": alpha, "eps": eps, "weight_decay": weight_decay, "momentum": momentum, "centered": centered}
        super().__init__(params, {"lr": lr, **options})

    @classmethod
    def _describe(cls, options: dict[str, Any]) -> optimizers.Optimizer:
        if inputs.flag("centered", options["centered"]):
            raise ValueError("centered must be False; given True")
        return optimizers.RMSprop(
            rho=inputs.real("alpha", options["alpha"], minimum=0, below=1),
            momentum=options["momentum"],
            epsilon=inputs.real("eps", options["eps"], above=0),
            weight_decay=options["weight_decay"],
        )


class Adagrad(Optimizer):
    """`optimizers.AdaGrad`, PyTorch's ``Adagrad``.

    Parameters
    ----------
    params
        ``model.parameters()``, or dictionaries of ``"params"`` and options of their own.
    lr
        The learning rate, at least 0.
    lr_decay
        0.
    weight_decay
        As `optimizers.AdaGrad` takes it.
    initial_accumulator_value, eps
        initial_accumulator and epsilon of `optimizers.AdaGrad`; the former is fixed from the start.

    Raises
    ------
    TypeError, ValueError
        If an argument is of the wrong type or out of bounds, or parameters are of several models.
    """

    _fixed = ("initial_accumulator_value",)

    @known_arguments(NAMED)
    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        options = {"lr_decay": lr_decay, "weight_decay": weight_decay, "eps": eps}
        super().__init__(params, {"lr": lr, **options, "initial_accumulator_value": initial_accumulator_value})

    @classmethod
    def _describe(cls, options: dict[str, Any]) -> optimizers.Optimizer:
        if inputs.real("lr_decay", options["lr_decay"]) != 0:
            raise ValueError(f"lr_decay must be 0; given {options['lr_decay']}: write param_groups[0]['lr'] instead")
        start = inputs.real("initial_accumulator_value", options["initial_accumulator_value"], minimum=0)
        return optimizers.AdaGrad(
            initial_accumulator=start,
            epsilon=inputs.real("eps", options["eps"], above=0),
            weight_decay=options["weight_decay"],
        )


def _betas(value: object) -> tuple[float, float]:
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(f"betas must be a pair like (0.9, 0.999); given {value!r}")
    beta1, beta2 = (inputs.real(f"betas[{i}]", beta, minimum=0, below=1) for i, beta in enumerate(value))
    return beta1, beta2
