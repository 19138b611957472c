"""Reading ahead: a thread prepares the next items while the current one is used."""

from __future__ import annotations

import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

__all__ = ["ReadAhead"]

DEPTH = 2  # items that wait, beside the one in use and the one being made
CLOSING_SECONDS = 1.0  # that the thread has to come to an end in; it does so at its next item anyway

Item = TypeVar("Item")


class _Waiting(Generic[Item]):
    """The items between the thread that makes them and the one that uses them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._items: deque[Item] = deque()
        self._ended = self._closed = False
        self._error: BaseException | None = None

    def fill(self, items: Iterable[Item]) -> None:
        """Take items until there are no more or nobody wants them: what the thread does."""
        try:
            for item in items:
                with self._changed:
                    self._changed.wait_for(lambda: len(self._items) < DEPTH or self._closed)
                    if self._closed:
                        break
                    self._items.append(item)
                    self._changed.notify_all()
                del item
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def take(self) -> list[Item]:
        """The next item, or none after the last."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._ended)
            if self._items:
                self._changed.notify_all()
                return [self._items.popleft()]
        if self._error is not None:
            raise self._error
        return []

    def close(self) -> None:
        """Say that nobody wants any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class ReadAhead(Generic[Item]):
    """Iterates over items that a thread of its own takes from an iterable, in their order, a few ahead.

    What the iterable raises is raised here, in its turn. Leaving the context ends the thread.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._waiting: _Waiting[Item] = _Waiting()
        # The thread does not know of this object: where Ctrl-C keeps the context from being left, its end closes.
        self._close = weakref.finalize(self, self._waiting.close)
        name = "ganglion-read-ahead"
        self._thread = threading.Thread(target=self._waiting.fill, args=(items,), name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()
        self._thread.join(CLOSING_SECONDS)

    def __iter__(self) -> Iterator[Item]:
        while item := self._waiting.take():
            yield item.pop()  # no name keeps it while the next is waited for: it may be large
