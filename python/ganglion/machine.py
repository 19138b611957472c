"""Which kernels run here and on how many threads: shown by `info`, forced by `use_kernel_set` or ``GANGLION_ISA``."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ganglion import _native, inputs

__all__ = ["Info", "context", "info", "team", "use_kernel_set"]

VARIABLE = "GANGLION_ISA"
LARGEST_TEAM = 1024  # the core's own limit

# The context of whoever asks for no number of threads: the kernel set in use, a team as the core sees fit. None until
# the first use; that reads the environment, so that a wrong value there is an error of the use and not of the import.
_chosen: list[_native.Context | None] = [None]
_choosing = threading.Lock()


def use_kernel_set(name: str | None) -> None:
    """Let everything in this process run on one kernel set from now on; the results are the same bits on each.

    Parameters
    ----------
    name
        ``"scalar"``, ``"sse2"``, ``"avx2"`` or ``"avx512"``; None for what ``GANGLION_ISA`` says or, where that is
        not set, the best that the machine has.

    Raises
    ------
    TypeError
        Neither a string nor None.
    ValueError
        An unknown name; the message lists the known ones.
    RuntimeError
        A set that this machine lacks.

    Examples
    --------
    >>> use_kernel_set("scalar")
    >>> info().kernel_set
    'scalar'
    >>> use_kernel_set(None)
    """
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be a string like 'avx2', or None; given {name!r} of type {type(name).__name__}")
    chosen = None if name is None else _native.Context(name)
    with _choosing:
        _chosen[0] = chosen


def context(threads: int | None = None) -> _native.Context:
    """What a run of the core needs: the kernel set in use and a team."""
    chosen = _chosen[0]
    if chosen is None:
        with _choosing:
            chosen = _chosen[0] = _chosen[0] or _from_environment()
    return chosen if threads is None else _context(chosen, threads)


@lru_cache(typed=True)
def _context(chosen: _native.Context, threads: int) -> _native.Context:
    """Made once, because loops over single batches and rows ask for it each time."""
    return _native.Context(chosen.kernel_set, team(threads))


def _from_environment() -> _native.Context:
    try:
        return _native.Context(os.environ.get(VARIABLE) or None)
    except (ValueError, RuntimeError) as error:
        raise type(error)(f"the environment variable {VARIABLE}: {error}") from None


def team(threads: object) -> int | None:
    """What users give as ``threads``: a number of threads, or None to leave it to the core."""
    return None if threads is None else inputs.integer("threads", threads, minimum=1, maximum=LARGEST_TEAM)


@dataclass(frozen=True)
class Info:
    """What runs here.

    Attributes
    ----------
    version
        That of ganglion.
    cpu
        The CPU's own name.
    kernel_sets
        All names, best first, with whether this machine has what each needs.
    kernel_set
        The one in use.
    threads
        The default size of a team: what OpenMP, the process's affinity and the container's quota allow.
    numpy, python
        Their versions.
    """

    version: str
    cpu: str
    kernel_sets: dict[str, bool]
    kernel_set: str
    threads: int
    numpy: str
    python: str

    def __str__(self) -> str:
        names = [
            f"{name} (in use)" if name == self.kernel_set else name if supported else f"{name} (not on this machine)"
            for name, supported in self.kernel_sets.items()
        ]
        rows = {
            "CPU": self.cpu,
            "kernel sets": ", ".join(names),
            "threads": str(self.threads),
            "NumPy": self.numpy,
            "Python": self.python,
        }
        return "\n".join([f"ganglion {self.version}", *(f"  {key:<12}{value}" for key, value in rows.items())])


def info() -> Info:
    """What runs here: versions, CPU, kernel sets and threads; ``print`` shows it as a table.

    Examples
    --------
    >>> print(info())  # doctest: +ELLIPSIS
    ganglion ...
      CPU         ...
      kernel sets ...
    """
    import platform

    return Info(
        version=_native.__version__,
        cpu=_cpu_name() or platform.processor() or platform.machine(),
        kernel_sets={row.name: row.supported for row in _native.kernel_sets()},
        kernel_set=context().kernel_set,
        threads=_native.default_team(),
        numpy=np.__version__,
        python=platform.python_version(),
    )


def _cpu_name() -> str | None:
    """The CPU's name as Linux gives it; None elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 (pathlib costs an import)
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        return None
    return names[0] if names else None
