"""What a person sees while `fit` runs: a line an epoch, alive in a terminal, plain in a log."""

from __future__ import annotations

import math
import operator
import os
import sys
import time
from typing import TYPE_CHECKING, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Progress", "duration", "rate", "style"]

KINDS: tuple[Literal[0, 1, 2], ...] = (0, 1, 2)
REFRESH_SECONDS = 0.1
EPOCHS_WITH_LINES = 100  # a line takes as long as 20 epochs of eleven rows, so of more epochs not all have one
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
    """Writes the lines of one call of `fit`: of up to 100 epochs, one each; of more, at most ten a second and the last.

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
        self.each = epochs - first <= EPOCHS_WITH_LINES
        self.began = self.epoch_ended = self.line_began = clock()
        self.refreshed = self.began - REFRESH_SECONDS
        self.shown = 0  # length of the line that stands unfinished
        self.pace = 0.0  # seconds an epoch, lately
        # Names and values of the last epochs, where they are to leave lines and have not.
        self.unsaid: tuple[Sequence[str], NDArray[np.float64]] | None = None
        self.line_rows, self.line_seconds = 0, 0.0  # trained since the last line

    def epochs_at_once(self) -> int:
        """How many epochs may pass before it has to be told of their end."""
        if self.pace == 0:
            return 1
        return max(1, math.ceil((self.line_began + REFRESH_SECONDS - self.clock()) / self.pace))

    def stop(self, ended: int, step: int, loss: float, metrics: tuple[float, ...]) -> bool:
        """The core's callback, about every 50 ms: refresh the line when due; never stop."""
        rows = step * self.batch_size
        if self.rows is not None:
            rows = min(rows, self.rows)
        self.show(rows, (loss, *metrics), ended)
        return False

    def show(self, rows: int, means: Sequence[float], ended: int = 0) -> None:
        """Refresh the line, if that is due, after so many rows of an epoch; `ended` were not told of before it."""
        now = self.clock()
        if self.living and rows > 0 and now - self.refreshed >= REFRESH_SECONDS:
            self.refreshed = now
            self._rewrite(self._running_line(rows, dict(zip(self.names, means, strict=True)), now, ended))

    def end_epochs(
        self, names: Sequence[str], epochs: NDArray[np.float64], trained_seconds: float, rows: int | None = None
    ) -> None:
        """Leave lines of these epochs behind, where that is due.

        Parameters
        ----------
        names
            Of their values, also those of validation.
        epochs
            (epochs, values).
        trained_seconds
            What they took together, without validation.
        rows
            How many each had.
        """
        if rows is not None:
            self.rows = rows
        now, count = self.clock(), len(epochs)
        self.pace, self.epoch_ended = (now - self.epoch_ended) / count, now
        self.finished += count
        self.line_rows += count * (self.rows or 0)
        self.line_seconds += trained_seconds
        self.unsaid = (names, epochs if self.each else epochs[-1:])
        if self.each or self.finished == self.epochs or now - self.line_began >= REFRESH_SECONDS:
            self._leave_lines(now)

    def close(self) -> None:
        """Leave what is not said yet behind, and end the unfinished line, if there is one."""
        if self.unsaid is not None:
            self._leave_lines(self.epoch_ended)
        elif self.shown:
            self._end_line()

    def _leave_lines(self, now: float) -> None:
        assert self.unsaid is not None
        names, epochs = self.unsaid
        speed, seconds = rate(self.line_rows, self.line_seconds), duration((now - self.line_began) / len(epochs))
        lines = [
            "  ".join([self._label(number), *_shown(dict(zip(names, values, strict=True))), speed, seconds])
            for number, values in enumerate(epochs.tolist(), self.finished - len(epochs) + 1)
        ]
        self._rewrite(lines[0])
        self.stream.write("".join(f"\n{line}" for line in lines[1:]))
        self._end_line()
        self.unsaid = None
        self.line_rows, self.line_seconds = 0, 0.0
        self.line_began = self.refreshed = now

    def _end_line(self) -> None:
        self.shown = 0
        self.stream.write("\n")
        self.stream.flush()

    def _label(self, epoch: int) -> str:
        return f"epoch {epoch:>{len(str(self.epochs))}}/{self.epochs}"

    def _running_line(self, rows: int, values: Mapping[str, float], now: float, ended: int) -> str:
        columns = self._columns()
        label = self._label(self.finished + ended + 1)
        trained = self.line_rows + ended * (self.rows or 0) + rows
        parts = [*_shown(values), rate(trained, now - self.line_began)]
        if self.rows is None:
            return "  ".join([label, f"{rows:,} samples", *parts])[: columns - 1]
        share = min(1.0, rows / self.rows)
        done = self.finished + ended + share
        left = (now - self.began) * (self.epochs - done) / (done - self.first)
        parts.append(f"{duration(left)} left")
        with_bar = "  ".join([label, self._bar(share), *parts])
        without = "  ".join([label, f"{share:4.0%}", *parts])
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
