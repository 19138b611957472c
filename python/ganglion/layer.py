"""What all layers are, what activations are, and the one that changes nothing."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ganglion import _native, inputs
from ganglion.descriptions import Description, Family

__all__ = ["ACTIVATIONS", "Identity", "Layer", "NamedActivation"]


@dataclass(frozen=True, repr=False)
class Layer(Description):
    """Base of the layers.

    Parameters
    ----------
    input_shape
        ``(features,)`` or ``[features]``; of use on the first layer, whose model then knows all sizes.
    name
        Unique within a model, without a dot; one that is not given is made from the kind: ``dense``, ``dense_1``, ….
    """

    any_rank: ClassVar[bool] = False  # whether it takes samples of any shape, element by element
    statistics: ClassVar[Mapping[str, float]] = MappingProxyType({})  # parameters no optimizer changes, as they start

    _: KW_ONLY
    input_shape: Sequence[int] | None = None
    name: str | None = None
    synonyms = MappingProxyType({"input_dim": ("input_shape", lambda features: (features,))})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.input_shape is not None:
            read = inputs.shape if self.any_rank else inputs.flat_shape
            self._set("input_shape", read("input_shape", self.input_shape))
        if self.name is not None:
            if not isinstance(self.name, str):
                raise TypeError(f"name must be a string; given {self.name!r} of type {type(self.name).__name__}")
            if not self.name or "." in self.name:
                raise ValueError(f"name must not be empty and hold no dot; given {self.name!r}")

    if not TYPE_CHECKING:  # to a type checker it would say that layers can be called, and that there is every name

        def __call__(self, *_: Any, **__: Any) -> Any:
            """Say what is called instead."""
            raise TypeError(
                "a layer is not called, neither on data nor on another layer: layers stand in a row, "
                "model = Sequential([Dense(16, 'relu'), Dense(10)]), and the model computes: model.predict(x), or "
                "model(x) of an nn.Sequential"
            )

        def __getattr__(self, name: str) -> object:
            if name in ("get_weights", "set_weights", "weights", "kernel", "bias", "weight"):
                remedy = (
                    f"model.state_dict() has '{self.name or self.default_name}.kernel', model.set_weights writes all"
                )
                text = f"a layer is a description and holds no arrays; {remedy}"
                raise AttributeError(text, name=name, obj=self)
            return self.__getattribute__(name)  # raises what it raised before: here leads every AttributeError

    def changed(self, **changes: Any) -> Self:
        """The same layer but for these fields."""
        return replace(self, **changes)

    @property
    def default_name(self) -> str:
        """What a layer without a name is called, followed by a number from the second of its kind on."""
        return type(self).__name__.lower()

    @property
    def function(self) -> NamedActivation:
        """The activation that the layer's output comes out of."""
        return Identity()

    @property
    def transparent(self) -> bool:
        """Whether in prediction the output is the input."""
        return False

    def outputs(self, inputs: int) -> int:
        """Number of outputs for a number of inputs."""
        return inputs

    def parameter_shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """The layer's own parameters by name, in the core's order."""
        del inputs
        return {}

    @abstractmethod
    def native(self, name: str) -> _native.Layer:
        """What the core is told."""


class NamedActivation(Layer):
    """Base of the activations: each is a layer, and what ``Dense(activation=…)`` and `Activation` may name."""

    def changed(self, **changes: Any) -> Self:
        """The same layer but for these fields."""
        return replace(self, **changes)

    @property
    def default_name(self) -> str:
        """The activation's name."""
        return self.row

    @property
    def function(self) -> NamedActivation:
        """The activation itself."""
        return self

    @property
    def core_row(self) -> str:
        """The row of the core's table."""
        return self.row

    @property
    def alpha(self) -> float:
        """The number that the core's kernels take beside the array; 0 where they take none."""
        return 0.0

    def native(self, name: str) -> _native.Activation:
        """What the core is told."""
        return _native.Activation(name, self.core_row, self.alpha)


ACTIVATIONS = Family[NamedActivation]("activation", NamedActivation)


@ACTIVATIONS.add("identity", "linear")
class Identity(NamedActivation):
    """h = z."""

    @property
    def transparent(self) -> bool:
        """It is."""
        return True
