"""What a person sees while `fit` runs: one line an epoch, alive in a terminal, plain in a log."""

from __future__ import annotations

import operator
import os
import sys
import time
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Progress", "duration", "rate", "style"]

KINDS: tuple[Literal[0, 1, 2], ...] = (0, 1, 2)
REFRESH_SECONDS = 0.1
BAR_CELLS = 24
DEFAULT_COLUMNS = 80


def style(verbose: object, stream: TextIO | None = None) -> Literal[0, 1, 2]:
    """0 silent, 1 a living line, 2 plain lines; ``"auto"`` is 1 in a terminal and 2 elsewhere."""
    if isinstance(verbose, str) and verbose == "auto":
        stream = sys.stdout if stream is None else stream
        return 1 if stream.isatty() else 2
    try:
        number = operator.index(verbose)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    for known in KINDS:
        if number == known:
            return known
    raise ValueError(f"verbose must be 'auto', 0, 1 or 2; given {verbose!r}")


def duration(seconds: float) -> str:
    """A time as a person reads it.

    Examples
    --------
    >>> [duration(seconds) for seconds in (0.0123, 4.56, 75, 3700)]
    ['0.01 s', '4.6 s', '1:15', '1:01:40']
    """
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def rate(rows: float, seconds: float) -> str:
    """Samples a second with three digits.

    Examples
    --------
    >>> rate(60_000, 0.21), rate(1_500, 1.0)
    ('286k samples/s', '1.50k samples/s')
    """
    count = rows / max(seconds, 1e-9)
    for unit, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= 0.9995 * scale:
            return f"{count / scale:#.3g}".rstrip(".") + f"{unit} samples/s"
    return f"{count:.3g} samples/s"


class Progress:
    """Writes the lines of one call of `fit`.

    Parameters
    ----------
    living
        True: a line that rewrites itself at most ten times a second; False: a plain line at each epoch's end.
    epochs, rows, batch_size
        What the call will do; `rows` is None where only the end of the first epoch will tell.
    first
        The epoch that it begins with.
    names
        Of the loss and metrics, in the core's order.
    stream
        Where to; None for the standard output.
    clock
        Seconds; tests bring their own.
    """

    def __init__(
        self,
        living: bool,
        *,
        epochs: int,
        rows: int | None,
        batch_size: int,
        names: Sequence[str],
        first: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.living = living
        self.epochs, self.rows, self.batch_size = epochs, rows, batch_size
        self.names = names
        self.stream = sys.stdout if stream is None else stream
        self.clock = clock
        self.first = self.finished = first
        self.began = self.epoch_began = clock()
        self.refreshed = self.began - REFRESH_SECONDS
        self.shown = 0  # length of the line that stands unfinished

    def stop(self, epoch: int, step: int, loss: float, metrics: tuple[float, ...]) -> bool:
        """The core's callback, about every 50 ms: refresh the line when due; never stop."""
        del epoch  # counts the model's epochs, not this call's
        rows = step * self.batch_size
        if self.rows is not None:
            rows = min(rows, self.rows)
        self.show(rows, (loss, *metrics))
        return False

    def show(self, rows: int, means: Sequence[float]) -> None:
        """Refresh the line, if that is due, after so many rows of the epoch."""
        now = self.clock()
        if self.living and rows > 0 and now - self.refreshed >= REFRESH_SECONDS:
            self.refreshed = now
            self._rewrite(self._running_line(rows, dict(zip(self.names, means, strict=True)), now))

    def end_epoch(self, values: Mapping[str, float], trained_seconds: float, rows: int | None = None) -> None:
        """Leave the epoch's line behind; `trained_seconds` is its time without validation, `rows` how many it had."""
        if rows is not None:
            self.rows = rows
        now = self.clock()
        label, seconds = self._label(), now - self.epoch_began
        speed = rate(self.rows or 0, trained_seconds)
        self._rewrite("  ".join([label, *_shown(values), speed, duration(seconds)]))
        self.close()
        self.finished += 1
        self.epoch_began = self.refreshed = now

    def close(self) -> None:
        """End the unfinished line, if there is one."""
        if self.shown:
            self.shown = 0
            self.stream.write("\n")
            self.stream.flush()

    def _label(self) -> str:
        return f"epoch {self.finished + 1:>{len(str(self.epochs))}}/{self.epochs}"

    def _running_line(self, rows: int, values: Mapping[str, float], now: float) -> str:
        columns = self._columns()
        parts = [*_shown(values), rate(rows, now - self.epoch_began)]
        if self.rows is None:
            return "  ".join([self._label(), f"{rows:,} samples", *parts])[: columns - 1]
        share = min(1.0, rows / self.rows)
        done = self.finished + share
        left = (now - self.began) * (self.epochs - done) / (done - self.first)
        parts.append(f"{duration(left)} left")
        with_bar = "  ".join([self._label(), self._bar(share), *parts])
        without = "  ".join([self._label(), f"{share:4.0%}", *parts])
        return with_bar if len(with_bar) < columns else without[: columns - 1]

    def _bar(self, share: float) -> str:
        full, empty = ("━", "─") if _can_write(self.stream, "━─") else ("=", "-")
        cells = round(share * BAR_CELLS)
        return full * cells + empty * (BAR_CELLS - cells)

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self.stream.fileno()).columns or DEFAULT_COLUMNS
        except (OSError, ValueError, AttributeError):
            return DEFAULT_COLUMNS

    def _rewrite(self, line: str) -> None:
        # Spaces, not an escape sequence, wipe the rest of a longer line: notebooks and plain terminals know no escapes.
        self.stream.write(f"\r{line:<{self.shown}}" if self.living else line)
        self.stream.flush()
        self.shown = len(line)


def _shown(values: Mapping[str, float]) -> list[str]:
    values = {name: value for name, value in values.items() if value == value}  # NaN: not known yet
    plain = {name: value == 0 or 1e-3 <= abs(value) < 1e4 for name, value in values.items()}
    return [f"{name} {value:.4f}" if plain[name] else f"{name} {value:.4g}" for name, value in values.items()]


def _can_write(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
