"""What a call of `fit` saw, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from ganglion.looks import Looks

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ganglion._native import Report
    from ganglion.looks import Series

__all__ = ["History"]

MOST_UNREAD = 64  # pieces: one of a single epoch takes six times the memory of its numbers


class History:
    """Loss and metrics of each epoch, returned by `Trainer.fit`.

    Attributes
    ----------
    history : dict of str to list of float
        ``"loss"`` and each metric, as means over the rows of an epoch while it ran, before each step's update; with
        validation data also ``"val_loss"`` and so on, after the epoch.
    epoch : list of int
        The epochs' numbers, from ``initial_epoch`` on.
    seconds : float
        Wall time of the call.
    monitored_steps : list of int
        The steps that a `Monitor` among the callbacks looked at.
    losses : list of float
        With a `Monitor`, the loss of every batch.
    monitored : dict of str to dict of str to list of float
        What it saw, by layer and quantity; see `Monitor`.
    report : Report or None
        What the core says of its last run: kernel set, team, phases and their times; None if nothing ran, and in copies
        and pickles.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse", gg.SGD(0.1))
    >>> history = trainer.fit(np.ones((4, 2)), np.ones(4), epochs=3, verbose=0)
    >>> history.epoch, len(history.history["loss"])
    ([0, 1, 2], 3)
    """

    def __init__(self, names: Iterable[str], first: int = 0) -> None:
        self._first = first
        self._lists: dict[str, list[float]] = {name: [] for name in names}
        self._numbers: list[int] = []
        # What nobody has read yet, as the core handed it over: making lists took a twentieth of 2000 epochs of 11 rows.
        self._unread: list[tuple[Sequence[str], NDArray[np.float64]]] = []
        self.seconds = 0.0
        self.report: Report | None = None
        self.looks = Looks()

    @property
    def history(self) -> dict[str, list[float]]:
        """Loss and metrics by name, a value for each epoch."""
        self._read()
        return self._lists

    @property
    def epoch(self) -> list[int]:
        """The epochs' numbers."""
        self._read()
        return self._numbers

    @property
    def monitored_steps(self) -> list[int]:
        """The steps that a `Monitor` looked at."""
        return self.looks.steps

    @property
    def losses(self) -> list[float]:
        """The loss of every batch."""
        return self.looks.losses

    @property
    def monitored(self) -> dict[str, Series]:
        """What a `Monitor` saw, by layer and quantity."""
        return self.looks.layers

    def __getitem__(self, name: object) -> NoReturn:
        """Say where the values are."""
        raise TypeError(f"a History is not subscriptable: history.history[{name!r}] has a value for each epoch")

    def __getstate__(self) -> dict[str, object]:
        """What copies and pickles have: all but the report, which is the core's."""
        self._read()
        return {**vars(self), "report": None}

    def extend(self, names: Sequence[str], epochs: NDArray[np.float64]) -> None:
        """Add epochs: a row of values for each, a column for each name."""
        self._unread.append((names, epochs))
        if len(self._unread) == MOST_UNREAD:
            self._read()

    def _read(self) -> None:
        while self._unread:
            names, epochs = self._unread.pop(0)  # first: whatever interrupts this, nothing comes twice
            for name, values in zip(names, epochs.T, strict=True):
                self._lists[name].extend(values.tolist())
            first = self._first + len(self._numbers)
            self._numbers.extend(range(first, first + len(epochs)))

    def plot(
        self, ax: Axes | Sequence[Axes] | None = None, *, path: str | os.PathLike[str] | None = None
    ) -> list[Axes]:
        """Draw loss and metrics over the epochs: `ganglion.plotting.learning_curves`; needs matplotlib."""
        from ganglion.plotting import learning_curves

        return learning_curves(self, ax, path=path)

    def plot_gradients(self, ax: Axes | None = None, *, path: str | os.PathLike[str] | None = None) -> Axes:
        """Draw each layer's gradient norm over the steps: `ganglion.plotting.gradients`; needs a `Monitor`."""
        from ganglion.plotting import gradients

        return gradients(self, ax, path=path)

    def __repr__(self) -> str:
        last = [f"{name} {values[-1]:.4g}" for name, values in self.history.items() if values]
        epochs = "1 epoch" if len(self.epoch) == 1 else f"{len(self.epoch)} epochs"
        return f"History({epochs} in {self.seconds:.3g} s{': ' if last else ''}{', '.join(last)})"
