"""Who may train a model or overwrite its weights: one call at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Exclusive"]


class Exclusive:
    """The right to train one model, held by one call at a time; whoever finds it taken is refused.

    Callbacks run inside `Trainer.fit`, between its steps. What is safe there, evaluation and new weights, is open to
    them, and to their thread alone.

    Attributes
    ----------
    right : threading.Lock
        `hold` for those who cannot afford its price: ``with`` it, unless it is ``locked()``. Ctrl-C does not leave it
        taken, as it may whatever takes and frees it in Python. Of two threads that meet between the two, one waits.
    """

    def __init__(self) -> None:
        self.right = threading.Lock()
        self._guest: int | None = None

    @contextmanager
    def hold(self, action: str, *, between_steps: bool = False) -> Iterator[None]:
        """Hold off everybody else; RuntimeError if somebody does that already.

        Parameters
        ----------
        action
            What messages call it: "fit".
        between_steps
            Whether a callback may do it, too.
        """
        if between_steps and self._guest == threading.get_ident():
            yield
            return
        if not self.right.acquire(blocking=False):
            raise RuntimeError(
                f"cannot {action}: this model is being trained or evaluated, in another thread or by the code that "
                "called this; wait until that has returned"
            )
        try:
            yield
        finally:
            self.right.release()

    @contextmanager
    def open_to_callbacks(self) -> Iterator[None]:
        """Let this thread in, for what `hold` may be asked for between steps; whoever calls this holds the right."""
        self._guest = threading.get_ident()
        try:
            yield
        finally:
            self._guest = None
