"""How weights start: rows of the core's table, drawn by counter-based random numbers that depend on the seed alone.

I and O are a layer's numbers of inputs and outputs. A uniform weight is (2u − 1)·limit with u in [0, 1), a normal one
σ·z by Box and Muller, not truncated (Keras truncates at 2σ, PyTorch does not).

Sources: X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS
2010; K. He et al., "Delving deep into rectifiers", ICCV 2015.
"""

from __future__ import annotations

from ganglion.descriptions import Description, Family

__all__ = ["INITIALIZERS", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Initializer", "Zeros"]


class Initializer(Description):
    """Base of the initializers."""


INITIALIZERS = Family[Initializer]("initializer", Initializer)


@INITIALIZERS.add("zeros")
class Zeros(Initializer):
    """All zero: the default for biases."""


@INITIALIZERS.add("glorot_uniform")
class GlorotUniform(Initializer):
    """Uniform in ±√(6 / (I + O)): keeps the variance of activations and gradients; the default for kernels."""


@INITIALIZERS.add("glorot_normal")
class GlorotNormal(Initializer):
    """Normal with σ = √(2 / (I + O))."""


@INITIALIZERS.add("he_uniform")
class HeUniform(Initializer):
    """Uniform in ±√(6 / I): keeps the variance through ReLU, which halves it."""


@INITIALIZERS.add("he_normal")
class HeNormal(Initializer):
    """Normal with σ = √(2 / I)."""
