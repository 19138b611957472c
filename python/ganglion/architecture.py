"""What a network is, without its weights: layers with names, the sizes between them, the type and the seed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganglion import _native, inputs
from ganglion.descriptions import from_config, unknown_name
from ganglion.input_layer import Input, with_input_shape
from ganglion.layers import LAYERS, Flatten, Layer

__all__ = ["Architecture"]

LARGEST_SEED = 2**64 - 1
ADDRESSES = 1 << 63  # bytes that an array can have at most
CONFIG_KEYS = ("class", "dtype", "seed", "input_shape", "layers")


@dataclass(frozen=True)
class Architecture:
    """The value that a `Sequential` is made from. Nothing in here allocates an array.

    Raises
    ------
    TypeError, ValueError
        If something is not a layer, a name occurs twice, or seed or dtype are out of bounds.

    Examples
    --------
    >>> from ganglion.layers import Dense
    >>> Architecture((Dense(3), Dense(1)), 0, "float32").parameter_shapes(2)
    {'dense.kernel': (2, 3), 'dense.bias': (3,), 'dense_1.kernel': (3, 1), 'dense_1.bias': (1,)}
    """

    layers: tuple[Layer, ...]
    seed: int
    dtype: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", inputs.integer("seed", self.seed, minimum=0, maximum=LARGEST_SEED))
        object.__setattr__(self, "dtype", inputs.dtype_name(self.dtype))
        object.__setattr__(self, "layers", _named(self.layers))

    @property
    def function(self) -> Layer:
        """The activation that the last output comes out of; layers that change nothing in prediction aside."""
        return next((layer for layer in reversed(self.layers) if not layer.transparent), self.layers[0]).function

    @property
    def flattens(self) -> bool:
        """Whether samples of more than one dimension are flattened before a layer looks at their columns."""
        for layer in self.layers:
            if isinstance(layer, Flatten) or not layer.any_rank:
                return isinstance(layer, Flatten)
        return False

    def sizes(self, features: int) -> list[int]:
        """Number of features that the first layer takes, then the number of outputs of every layer.

        Raises
        ------
        ValueError
            If there is no layer, or its ``input_shape`` says something else.
        """
        if not self.layers:
            raise ValueError("a model needs at least one layer: add(Dense(10)) appends one")
        result = [features]
        before = "the data"
        for layer in self.layers:
            if layer.input_shape is not None and math.prod(layer.input_shape) != result[-1]:
                given = f"{before} gives ({result[-1]},)"
                raise ValueError(f"layer {layer.name!r} has input_shape {layer.input_shape}, but {given}")
            result.append(layer.outputs(result[-1]))
            before = f"layer {layer.name!r}"
        return result

    def parameter_shapes(self, features: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of all parameters in order.

        Raises
        ------
        ValueError
            If one has more bytes than can be addressed.
        """
        shapes = {
            f"{layer.name}.{name}": shape
            for layer, size in zip(self.layers, self.sizes(features), strict=False)
            for name, shape in layer.parameter_shapes(size).items()
        }
        for name, shape in shapes.items():
            if math.prod(shape) * np.dtype(self.dtype).itemsize >= ADDRESSES:
                raise ValueError(f"{name} of shape {shape} in {self.dtype} would have more bytes than can be addressed")
        return shapes

    def network(self, features: int) -> _native.Network:
        """The core's network with its initial weights.

        Raises
        ------
        MemoryError
            If there is not enough memory for them.
        """
        count = sum(map(math.prod, self.parameter_shapes(features).values()))
        rows = [layer.native(str(layer.name)) for layer in self.layers]
        try:
            return _native.Network(features, rows, self.dtype, self.seed)
        except MemoryError:
            raise MemoryError(f"not enough memory for {self._count(count)}") from None

    def table(self, features: int) -> str:
        """Layers, output shapes and parameters, for people."""
        sizes = self.sizes(features)
        rows, total, moving = [], 0, 0
        for layer, before, after in zip(self.layers, sizes, sizes[1:], strict=False):
            count = sum(map(math.prod, layer.parameter_shapes(before).values()))
            total += count
            moving += len(layer.statistics) * before
            rows.append((f"{layer.name} ({type(layer).__name__})", f"(B, {after})", f"{count:,}"))
        header = ("Layer", "Output shape", "Parameters")
        first, second, third = (max(map(len, column)) for column in zip(header, *rows, strict=True))
        lines = [f"{name:<{first}}    {shape:<{second}}    {count:>{third}}" for name, shape, count in [header, *rows]]
        rule = "─" * len(lines[0])
        of_them = [f"{total - moving:,} trainable, {moving:,} moving statistics"] if moving else []
        return "\n".join([lines[0], rule, *lines[1:], rule, self._count(total), *of_them])

    def _count(self, parameters: int) -> str:
        size = _bytes(parameters * np.dtype(self.dtype).itemsize)
        return f"{parameters:,} parameters in {self.dtype}, {size}"

    def to_config(self, features: int | None) -> dict[str, Any]:
        """Everything as JSON knows it, with the number of features where it is known."""
        return {
            "class": "Sequential",
            "dtype": self.dtype,
            "seed": self.seed,
            "input_shape": None if features is None else [features],
            "layers": [layer.to_config() for layer in self.layers],
        }

    @classmethod
    def from_config(cls, config: object) -> tuple[Architecture, int | None]:
        """What `to_config` was made from, trusting nothing.

        Raises
        ------
        ValueError
            If a key is missing or unknown, or a value is not one that `to_config` writes.
        """
        if not isinstance(config, dict) or config.get("class") != "Sequential":
            raise ValueError(f"the architecture must be an object of class 'Sequential'; given {str(config)[:80]}")
        for key in config.keys() - set(CONFIG_KEYS):
            raise ValueError(f"the architecture: {unknown_name('key', key, dict.fromkeys(CONFIG_KEYS))}")
        for key in CONFIG_KEYS:
            if key not in config:
                raise ValueError(f"the architecture lacks {key!r}")
        if not isinstance(config["layers"], list):
            raise ValueError(f"the architecture's layers must be a list; given {str(config['layers'])[:80]}")
        if not config["layers"]:
            raise ValueError("the architecture: a model needs at least one layer")
        layers = (from_config(layer, LAYERS, f"layer {i}") for i, layer in enumerate(config["layers"]))
        try:
            architecture = cls(tuple(layers), config["seed"], config["dtype"])
            features = None if config["input_shape"] is None else inputs.size("input_shape", config["input_shape"])
            if features is not None:
                architecture.parameter_shapes(features)
        except (TypeError, ValueError) as error:
            raise ValueError(f"the architecture: {error}") from None
        return architecture, features


def flat(layers: Sequence[Any]) -> tuple[Layer, ...]:
    """Layers from the arguments of `Sequential`: layers, one list of layers, or one dictionary of names and layers."""
    if layers and isinstance(layers[0], (list, tuple, Mapping)):
        container, *others = layers
        if others:
            remedy = f": write seed={others[0]}" if isinstance(others[0], int) else ""
            raise TypeError(f"after a list of layers only seed and dtype, by name; given {others[0]!r}{remedy}")
        if isinstance(container, Mapping):
            return tuple(_layer(i, layer).changed(name=name) for i, (name, layer) in enumerate(container.items()))
        layers = container
    if layers and isinstance(layers[0], Input):
        given, *layers = layers
        if layers:
            layers = [with_input_shape(given, layers[0]), *layers[1:]]
    return tuple(_layer(i, layer) for i, layer in enumerate(layers))


def first_input(layers: Sequence[Any]) -> Input | None:
    """What the arguments of `Sequential` say of the input before any layer is known."""
    first = layers[0] if layers else None
    first = first[0] if isinstance(first, (list, tuple)) and first else first
    return first if isinstance(first, Input) else None


def _layer(position: int, value: object) -> Layer:
    if isinstance(value, Layer):
        return value
    if isinstance(value, Input):
        raise TypeError(f"layer {position} is an Input; it comes before all layers, and once")
    if isinstance(value, type) and issubclass(value, Layer):
        raise TypeError(f"layer {position} is the class {value.__name__} itself; write {value.__name__}(…)")
    raise TypeError(f"layer {position} must be a layer, like Dense(10) or ReLU(); given {value!r}")


def _named(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The same layers, each with a name of its own."""
    taken = set()
    for layer in layers:
        if layer.name in taken:
            raise ValueError(f"two layers have the name {layer.name!r}; names must be unique within a model")
        if layer.name is not None:
            taken.add(layer.name)
    result = []
    for layer in layers:
        name, count = layer.name or layer.default_name, 0
        while layer.name is None and name in taken:
            count += 1
            name = f"{layer.default_name}_{count}"
        taken.add(name)
        result.append(layer.changed(name=name))
    return tuple(result)


def _bytes(count: int) -> str:
    """A size as a person reads it."""
    for unit, scale in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} bytes"
