"""PyTorch's layers: its names and arguments for the same descriptions, and how it prints them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ganglion import inputs, layers
from ganglion.layers import GELU, Dense, Identity, Layer, NamedActivation, Sigmoid, Tanh

if TYPE_CHECKING:
    from ganglion.results import Parameter

__all__ = [
    "ELU",
    "GELU",
    "SELU",
    "BatchNorm1d",
    "Dropout",
    "Flatten",
    "Identity",
    "LayerNorm",
    "LayerView",
    "LeakyReLU",
    "Linear",
    "ReLU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "text",
]


def Linear(in_features: int, out_features: int, bias: bool = True) -> Dense:  # noqa: N802
    """A `Dense` layer with its number of inputs, y = x Wᵀ + b, W (out, in) and b uniform in ±1/√in as in PyTorch.

    Examples
    --------
    >>> from ganglion import nn
    >>> nn.Sequential(Linear(2, 3))
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
    )
    """
    return Dense(
        inputs.integer("out_features", out_features, minimum=1),
        use_bias=inputs.flag("bias", bias),
        input_shape=(inputs.integer("in_features", in_features, minimum=1),),
        kernel_initializer="fan_in_uniform",
        bias_initializer="fan_in_uniform",
    )


def ReLU(inplace: bool = False) -> layers.ReLU:  # noqa: N802, ARG001
    """`layers.ReLU`; memory is the core's business, so that `inplace` changes nothing."""
    return layers.ReLU()


def LeakyReLU(negative_slope: float = 0.01, inplace: bool = False) -> layers.LeakyReLU:  # noqa: N802, ARG001
    """`layers.LeakyReLU`."""
    return layers.LeakyReLU(negative_slope)


def ELU(alpha: float = 1.0, inplace: bool = False) -> layers.ELU:  # noqa: N802, ARG001
    """`layers.ELU`, whose `negative_scale` is `alpha`."""
    return layers.ELU(inputs.real("alpha", alpha, minimum=0))


def SELU(inplace: bool = False) -> layers.SELU:  # noqa: N802, ARG001
    """`layers.SELU`."""
    return layers.SELU()


def SiLU(inplace: bool = False) -> layers.Swish:  # noqa: N802, ARG001
    """`layers.Swish`."""
    return layers.Swish()


def Softplus(beta: float = 1.0, threshold: float = 20.0) -> layers.Softplus:  # noqa: N802
    """`layers.Softplus`, exact where PyTorch's is z itself above `threshold`; `beta` is 1."""
    if beta != 1:
        raise ValueError(f"beta must be 1; given {beta!r}: scale the weights before it and after it instead")
    inputs.real("threshold", threshold)
    return layers.Softplus()


def Softmax(dim: int | None = 1) -> layers.Softmax:  # noqa: N802
    """`layers.Softmax`, over each row: `dim` is 1 or -1."""
    if dim not in (1, -1, None):
        raise ValueError(f"dim must be 1 or -1, the features of a row; given {dim!r}")
    return layers.Softmax()


def Dropout(p: float = 0.5, inplace: bool = False) -> layers.Dropout:  # noqa: N802, ARG001
    """`layers.Dropout`, which drops in training mode: after ``model.eval()`` no more."""
    return layers.Dropout(inputs.real("p", p, minimum=0, below=1))


def BatchNorm1d(  # noqa: N802
    num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True
) -> layers.BatchNormalization:
    """`layers.BatchNormalization`, whose momentum is 1 − `momentum`.

    Unlike PyTorch's it lets the running variance follow the biased variance of the batch, B in place of B − 1, and
    takes a batch of one row, which gives the bias.

    Examples
    --------
    >>> from ganglion import nn
    >>> nn.Sequential(nn.Linear(2, 3), BatchNorm1d(3)).state_dict()["1.running_var"]
    array([1., 1., 1.], dtype=float32)
    """
    affine = inputs.flag("affine", affine)
    return layers.BatchNormalization(
        momentum=1 - inputs.real("momentum", momentum, above=0),
        epsilon=eps,
        center=affine,
        scale=affine,
        input_shape=(inputs.integer("num_features", num_features, minimum=1),),
    )


def LayerNorm(  # noqa: N802
    normalized_shape: int | Sequence[int], eps: float = 1e-5, elementwise_affine: bool = True, bias: bool = True
) -> layers.LayerNormalization:
    """`layers.LayerNormalization` over the features of a row."""
    affine = inputs.flag("elementwise_affine", elementwise_affine)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else normalized_shape
    size = inputs.size("normalized_shape", shape)
    return layers.LayerNormalization(
        epsilon=eps, center=affine and inputs.flag("bias", bias), scale=affine, input_shape=(size,)
    )


def Flatten(start_dim: int = 1, end_dim: int = -1) -> layers.Flatten:  # noqa: N802
    """`layers.Flatten`: all of a sample's dimensions."""
    if (start_dim, end_dim) != (1, -1):
        raise ValueError(f"start_dim and end_dim must be 1 and -1, all of a sample; given {start_dim} and {end_dim}")
    return layers.Flatten()


def _batch_norm(layer: Any, features: int) -> str:
    options = (
        f"eps={layer.epsilon}, momentum={round(1 - layer.momentum, 12)}, affine={layer.scale}, bias={layer.center}"
    )
    return f"BatchNorm1d({features}, {options}, track_running_stats=True)"


def _linear(layer: Any, features: int) -> str:
    if layer.activation is not None:
        return repr(layer)
    return f"Linear(in_features={features}, out_features={layer.units}, bias={layer.use_bias})"


# Of layers that are not just their class's name.
TEXTS: dict[type[Layer], Callable[[Any, int], str]] = {
    Dense: _linear,
    layers.LeakyReLU: lambda layer, _: f"LeakyReLU(negative_slope={layer.negative_slope})",
    layers.ELU: lambda layer, _: f"ELU(alpha={layer.negative_scale})",
    layers.Dropout: lambda layer, _: f"Dropout(p={layer.rate}, inplace=False)",
    layers.BatchNormalization: _batch_norm,
    layers.LayerNormalization: lambda layer, features: (
        f"LayerNorm(({features},), eps={layer.epsilon}, elementwise_affine={layer.scale}, bias={layer.center})"
    ),
    layers.Flatten: lambda _layer, _: "Flatten(start_dim=1, end_dim=-1)",
    layers.GELU: lambda layer, _: f"GELU(approximate={'tanh' if layer.approximate else 'none'!r})",
    layers.Softplus: lambda _layer, _: "Softplus(beta=1.0, threshold=20.0)",
    layers.Swish: lambda _layer, _: "SiLU()",
    layers.Softmax: lambda _layer, _: "Softmax(dim=1)",
}


def text(layer: Layer, features: int) -> str:
    """How PyTorch prints a layer, given its number of inputs; what PyTorch lacks is shown as it is here."""
    if type(layer) in TEXTS:
        return TEXTS[type(layer)](layer, features)
    return f"{type(layer).__name__}()" if isinstance(layer, NamedActivation) else repr(layer)


class LayerView:
    """A layer of a model with its parameters: what ``model[0]`` and ``model.hidden_linear`` give.

    All that the layer's description has is found here too.

    Attributes
    ----------
    weight, bias
        Its parameters, where it has them; `bias` is None in a layer without one.
    """

    def __init__(self, layer: Layer, features: int, parameters: Mapping[str, Parameter]) -> None:
        object.__setattr__(self, "_layer", layer)
        object.__setattr__(self, "_features", features)
        object.__setattr__(self, "_parameters", parameters)

    _layer: Layer
    _features: int
    _parameters: Mapping[str, Parameter]

    def parameters(self) -> Iterator[Parameter]:
        """Its parameters in order."""
        return iter(self._parameters.values())

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Its parameters with their names: ``weight``, ``bias``."""
        return iter(self._parameters.items())

    @property
    def in_features(self) -> int:
        """The number of inputs."""
        return self._features

    @property
    def out_features(self) -> int:
        """The number of outputs."""
        return self._layer.outputs(self._features)

    def __getattr__(self, name: str) -> Any:
        if name in self._parameters:
            return self._parameters[name]
        return None if name == "bias" and self._parameters else getattr(self._layer, name)

    def __setattr__(self, name: str, value: Any) -> None:
        remedy = "make a new model for other layers"
        if name in ("weight", "bias"):
            remedy = "use model.load_state_dict(state) or model.set_weights(weights)"
        raise AttributeError(f"a layer's {name} is not assigned: {remedy}", name=name, obj=self)

    def __repr__(self) -> str:
        return text(self._layer, self._features)
