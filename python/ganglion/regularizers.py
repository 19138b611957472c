"""Penalties that keep weights small: each is added to the loss, and its gradient to that of the weights it is on.

They are computed in the core, in every training step and in `Trainer.evaluate`: the losses that are reported hold them,
as Keras's do. In a loop written by hand, ``loss.backward()`` adds their gradients, while ``loss.item()`` is without
them. Coefficients are Keras's: no ½ before the squares.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from ganglion import inputs
from ganglion.descriptions import Description, Family

__all__ = ["L1", "L1L2", "L2", "REGULARIZERS", "Regularizer", "l1", "l1_l2", "l2"]


class Regularizer(Description):
    """Base of the regularizers: each is a case of l1 Σ |w| + l2 Σ w²."""

    @property
    @abstractmethod
    def coefficients(self) -> tuple[float, float]:
        """The numbers l1 and l2."""


REGULARIZERS = Family[Regularizer]("regularizer", Regularizer)


@REGULARIZERS.add("l1")
@dataclass(frozen=True, repr=False)
class L1(Regularizer):
    """The lasso: l1 Σ |w|, with the gradient l1 · sign(w), 0 where w is 0. It drives weights to 0.

    Parameters
    ----------
    l1
        At least 0.

    Notes
    -----
    R. Tibshirani, "Regression shrinkage and selection via the lasso", Journal of the Royal Statistical Society B, 1996.
    The default is Keras's.

    Examples
    --------
    >>> from ganglion import Dense
    >>> Dense(8, kernel_regularizer=L1(1e-4))
    Dense(8, kernel_regularizer=L1(l1=0.0001))
    """

    l1: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("l1", inputs.real("l1", self.l1, minimum=0))

    @property
    def coefficients(self) -> tuple[float, float]:
        """The numbers l1 and 0."""
        return self.l1, 0.0


@REGULARIZERS.add("l2")
@dataclass(frozen=True, repr=False)
class L2(Regularizer):
    """Ridge regression: l2 Σ w², with the gradient 2 · l2 · w.

    An optimizer's ``weight_decay=2 * l2`` makes the same steps, for biases too, but is no part of the reported loss.

    Parameters
    ----------
    l2
        At least 0.

    Notes
    -----
    A. E. Hoerl and R. W. Kennard, "Ridge regression: biased estimation for nonorthogonal problems", Technometrics,
    1970. The default is Keras's.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> layer = gg.Dense(1, use_bias=False, kernel_regularizer=L2(0.1), input_shape=(1,))
    >>> model = gg.Sequential(layer)
    >>> model.set_weights([np.array([[2.0]])])
    >>> gg.Trainer(model, "mse").evaluate(np.array([[1.0]]), [2.0])  # 0 + 0.1 · 2²
    {'loss': 0.4}
    """

    l2: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set("l2", inputs.real("l2", self.l2, minimum=0))

    @property
    def coefficients(self) -> tuple[float, float]:
        """The numbers 0 and l2."""
        return 0.0, self.l2


@REGULARIZERS.add("l1_l2")
@dataclass(frozen=True, repr=False)
class L1L2(Regularizer):
    """The elastic net: l1 Σ |w| + l2 Σ w².

    Parameters
    ----------
    l1, l2
        At least 0. One that is left out is 0; both are 0.01 where both are left out, as Keras's documentation has it.

    Notes
    -----
    H. Zou and T. Hastie, "Regularization and variable selection via the elastic net", Journal of the Royal Statistical
    Society B, 2005.

    Examples
    --------
    >>> L1L2(l2=0.1).coefficients
    (0.0, 0.1)
    """

    l1: float | None = None
    l2: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("l1", "l2"):
            if getattr(self, name) is not None:
                self._set(name, inputs.real(name, getattr(self, name), minimum=0))

    @property
    def coefficients(self) -> tuple[float, float]:
        """The numbers l1 and l2."""
        if self.l1 is None and self.l2 is None:
            return 0.01, 0.01
        return self.l1 or 0.0, self.l2 or 0.0


# Keras's other names: kernel_regularizer=regularizers.l2(0.01)
l1, l2, l1_l2 = L1, L2, L1L2
