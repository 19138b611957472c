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
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
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
        if not self._lock.acquire(blocking=False):
            raise RuntimeError(
                f"cannot {action}: this model is being trained or evaluated, in another thread or by the code that "
                "called this; wait until that has returned"
            )
        try:
            yield
        finally:
            self._lock.release()

    def take(self) -> bool:
        """`hold` for those who cannot afford its price: whether the right is the caller's now, to `give_back`."""
        return self._lock.acquire(False)

    def give_back(self) -> None:
        """End what `take` began."""
        self._lock.release()

    @contextmanager
    def open_to_callbacks(self) -> Iterator[None]:
        """Let this thread in, for what `hold` may be asked for between steps; whoever calls this holds the right."""
        self._guest = threading.get_ident()
        try:
            yield
        finally:
            self._guest = None
