"""PyTorch's names for the same things: models called as functions, losses with a way back.

There is one `Sequential`, one set of layers and one engine behind all doors; this translates. The optimizers that
take a loss's gradients to the weights are in ``ganglion.optim``. What PyTorch's users must know:

- an output remembers its forward pass, and a loss of it the way back; arithmetic on an output gives what cannot be
  differentiated, and its ``backward()`` says so;
- ``backward()`` after ``step()`` without ``zero_grad()``, and of a forward pass that is older than the weights, raise;
- `BatchNorm1d` lets the running variance follow the batch's biased variance, as Keras does, not the unbiased one;
- targets of shape (n,) fit outputs of shape (n, 1); nothing is broadcast;
- the initial weights have PyTorch's distribution, but depend on the model's seed alone.

Examples
--------
>>> import numpy as np
>>> from ganglion import nn, optim
>>> model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1), seed=1)
>>> optimizer = optim.Adam(model.parameters(), lr=0.05)
>>> loss_fn = nn.MSELoss()
>>> x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
>>> for epoch in range(200):
...     loss = loss_fn(model(x), x**2)
...     optimizer.zero_grad()
...     loss.backward()
...     optimizer.step()
>>> loss.item() < 0.05
True
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from ganglion import _native, inputs, machine, sequential
from ganglion.arguments import no_attribute
from ganglion.criteria import BCELoss, BCEWithLogitsLoss, CrossEntropyLoss, HuberLoss, L1Loss, MSELoss
from ganglion.custom import raising_failures
from ganglion.layers import Layer
from ganglion.modules import (
    ELU,
    GELU,
    SELU,
    BatchNorm1d,
    Dropout,
    Flatten,
    Identity,
    LayerNorm,
    LayerView,
    LeakyReLU,
    Linear,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    text,
)
from ganglion.results import Output, Parameter
from ganglion.state_dict import matching

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ganglion.inputs import Array

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "CrossEntropyLoss",
    "Dropout",
    "Flatten",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MSELoss",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]

# The house's names of parameters, and PyTorch's.
NAMES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
ELSEWHERE = {
    "Module": "a network is an nn.Sequential of layers",
    "Parameter": "parameters belong to the layers of an nn.Sequential: model.parameters()",
    "functional": "a network is an nn.Sequential of layers like nn.ReLU()",
    "ModuleList": "a network is an nn.Sequential of layers",
    "NLLLoss": "nn.CrossEntropyLoss() is the same of logits: end the model in nn.Linear, without a log-softmax",
    "LogSoftmax": "leave it out: nn.CrossEntropyLoss() takes logits and applies it",
    "SmoothL1Loss": "nn.HuberLoss(delta) is the same times delta, and with delta=1 the same",
    **dict.fromkeys(
        (
            *("Conv1d", "Conv2d", "Conv3d", "MaxPool2d", "AvgPool2d", "BatchNorm2d", "Dropout2d"),
            *("RNN", "LSTM", "GRU", "Embedding", "MultiheadAttention", "Transformer"),
        ),
        "ganglion has dense networks: nn.Linear, activations, normalizations and nn.Dropout",
    ),
    "Dense": "it is nn.Linear(in_features, out_features)",
    "utils": "a Trainer whose optimizer has clip_norm or clip_value clips gradients",
    "init": "nn.Linear initializes as PyTorch does; Dense(kernel_initializer=…) takes other initializers",
}


# What users of PyTorch look for in a model.
CHOSEN_TYPE = "its type is chosen when it is made, nn.Sequential(…, dtype='float64')"
METHODS = {
    **dict.fromkeys(("double", "float", "half", "bfloat16"), CHOSEN_TYPE),
    **dict.fromkeys(("to", "cpu", "cuda"), "it runs on the CPU; leave the call out"),
    "forward": "call the model itself, model(x)",
    "apply": "layers take their initializers when they are made, Dense(kernel_initializer=…)",
}


def __getattr__(name: str) -> object:
    raise no_attribute(__name__, name, __all__, ELSEWHERE.get(name))


class Sequential(sequential.Sequential):
    """The same `ganglion.Sequential`, called and read as PyTorch's.

    Parameters
    ----------
    *modules
        Layers as arguments, as one list or as one OrderedDict; those without a name are called ``"0"``, ``"1"``, ….
    seed, dtype
        As `ganglion.Sequential` takes them.

    Attributes
    ----------
    training
        Whether the model is in training mode; `train` and `eval` switch.

    Raises
    ------
    TypeError, ValueError
        As `ganglion.Sequential`, and if the sizes of two layers do not fit.

    Examples
    --------
    >>> model = Sequential(Linear(1, 13), Tanh())
    >>> model
    Sequential(
      (0): Linear(in_features=1, out_features=13, bias=True)
      (1): Tanh()
    )
    >>> [name for name, parameter in model.named_parameters()]
    ['0.weight', '0.bias']
    >>> model[0].weight.shape
    (13, 1)
    """

    def __init__(
        self,
        *modules: Layer | Sequence[Layer] | Mapping[str, Layer],
        seed: int = 0,
        dtype: str = "float32",
    ) -> None:
        given: Any = modules
        if len(given) == 1 and isinstance(given[0], (list, tuple)):
            given = given[0]
        if given and not any(isinstance(module, (list, tuple, Mapping)) for module in given):
            given = ({getattr(module, "name", None) or str(i): module for i, module in enumerate(given)},)
        self.training = True
        super().__init__(*given, seed=seed, dtype=dtype)

    def _become(self, architecture: Any) -> None:
        self.training = True
        self._passes: _native.Passes | None = None
        self._parameters: list[Parameter] = []
        self.final = architecture.function  # the activation that outputs come out of
        super()._become(architecture)
        if self._network is None:
            # Layers that keep sizes may come before the one that knows its own.
            for layer in self.layers:
                if layer.input_shape is not None:
                    self.build(layer.input_shape)
                    break
                if layer.outputs(1) != 1 or layer.outputs(2) != 2:
                    break

    # What loops ask for

    def __call__(self, x: ArrayLike) -> Output:
        """The output for a batch, with the forward pass that it remembers; `predict` keeps nothing.

        Parameters
        ----------
        x
            (n, features), n at least 1, as `predict` takes it. It is copied.

        Raises
        ------
        TypeError, ValueError
            If x has no real numbers, another shape or no row, holds NaN or infinity, or is another model's output.
        """
        if not inputs.in_place(x, self._features):
            x = self._checked(x)
        passes = self._passes or self.passes
        with raising_failures(*self._custom) if self._custom else nullcontext():
            forward, values = passes.forward(machine.context(), x, self.training)
        output: Output = values.view(Output)
        output.forward, output.model, output.values = forward, self, values
        output.flags.writeable = False
        return output

    def _checked(self, x: ArrayLike) -> Array:
        if isinstance(x, Output) and x.forward is not None:
            raise ValueError(
                "x is the output of another model, and gradients do not flow from one model to another: put the layers "
                "into one nn.Sequential, or pass x.detach()"
            )
        if self._architecture.flattens:
            x = inputs.flattened("x", x, self.layers[0].input_shape)
        if self._network is None:
            array = inputs.features("x", x, None, self.dtype)
            self.build((array.shape[1],))
        array = inputs.features("x", x, self._features, self.dtype)
        if len(array) == 0:
            raise ValueError(f"x must have at least one row; given {array.shape}")
        return array

    @property
    def passes(self) -> _native.Passes:
        """Gradients and forward passes on the core's side."""
        if self._passes is None:
            for layer in self.layers:
                if getattr(layer, "kernel_regularizer", None) is not None:
                    raise ValueError(
                        f"layer {layer.name!r} has a kernel_regularizer, which is no part of nn's losses: use the "
                        "optimizer's weight_decay, or a Trainer"
                    )
            self._passes = _native.Passes(self.network)
        return self._passes

    def train(self, mode: bool = True) -> Sequential:
        """Go to training mode, or to evaluation mode with ``train(False)``; returns the model."""
        self.training = inputs.flag("mode", mode)
        return self

    def eval(self) -> Sequential:
        """Go to evaluation mode; returns the model."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:  # noqa: ARG002
        """Forget all gradients."""
        self.passes.zero(range(len(self._named())))

    # Parameters

    def _named(self) -> list[Parameter]:
        if not self._parameters:
            for index, (name, array) in enumerate(self.arrays().items()):
                parameter: Parameter = array.T.view(Parameter)
                layer, _, kind = name.rpartition(".")
                parameter.name, parameter.model, parameter.index = f"{layer}.{NAMES[kind]}", self, index
                self._parameters.append(parameter)
        return self._parameters

    def parameters(self) -> Iterator[Parameter]:  # type: ignore[override]
        """Live read-only views: weight (out, in) and bias (out,) of each layer in order."""
        return (parameter for parameter in self._named() if self.network.trainable[parameter.index])

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters with their names: ``("hidden.weight", …)``."""
        return ((parameter.name, parameter) for parameter in self.parameters())

    def state_dict(self) -> dict[str, Array]:
        """Live read-only views by name, in PyTorch's shapes, running statistics included."""
        return {parameter.name: parameter.detach() for parameter in self._named()}

    def load_state_dict(self, state: Mapping[str, ArrayLike]) -> None:
        """Overwrite all parameters by name: by what `state_dict` gives, or PyTorch's own for the same network.

        Raises
        ------
        ValueError
            If a name is missing or unknown, a shape differs, or a value is not finite; the model is then unchanged.
        """
        shapes = {parameter.name: parameter.shape for parameter in self._named()}
        state = {name: array for name, array in state.items() if not name.endswith(".num_batches_tracked")}
        arrays = matching(state, shapes, self.dtype)
        self._overwrite([np.ascontiguousarray(array.T) for array in arrays])

    # Layers

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[LayerView]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int | slice) -> LayerView:
        if isinstance(index, slice):
            raise TypeError(
                "a model is not sliced, as two models share no parameters; for a copy of some of its layers: "
                "part = nn.Sequential(*model.layers[0:2]); "
                "part.load_state_dict({name: model.state_dict()[name] for name in part.state_dict()})"
            )
        layer = self.layers[index]
        features = self._architecture.sizes(self.network.inputs)[range(len(self))[index]]
        own = {parameter.name.rpartition("."): parameter for parameter in self._named()}
        return LayerView(
            layer, features, {name[2]: parameter for name, parameter in own.items() if name[0] == layer.name}
        )

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            for index, layer in enumerate(
                self.__dict__["_architecture"].layers if "_architecture" in self.__dict__ else ()
            ):
                if layer.name == name:
                    return self[index]
            if name in METHODS:
                raise AttributeError(f"a model has no {name}(): {METHODS[name]}", name=name, obj=self)
            return super().__getattr__(name)

    def __repr__(self) -> str:
        sizes = [0] * len(self) if self._network is None else self._architecture.sizes(self._features)
        lines = [f"  ({layer.name}): {text(layer, size)}\n" for layer, size in zip(self.layers, sizes, strict=False)]
        return f"Sequential(\n{''.join(lines)})"
