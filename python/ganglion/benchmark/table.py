"""What ``ganglion bench`` prints, and the same as JSON."""

from __future__ import annotations

import json
import math
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import ganglion as gg
from ganglion import _native, machine
from ganglion.benchmark.networks import Training
from ganglion.benchmark.peers import versions
from ganglion.benchmark.processes import Outcome, Plan, Result

__all__ = ["Machine", "block", "imports_block", "summary", "to_json", "write"]

FORMAT = 1  # of the JSON file
STREAMED = 2**25  # numbers, 128 MiB


@dataclass(frozen=True)
class Machine:
    """Where the times were taken.

    Attributes
    ----------
    threads
        The most that ganglion takes by default; the other libraries have their own rules.
    peak
        Floating-point operations a second of an FMA loop, on one thread and on all.
    bandwidth
        Bytes a second of an update on all threads that reads and writes arrays larger than any cache.
    versions
        Of Python and of the libraries that are installed.
    """

    cpu: str
    kernel_set: str
    threads: int
    peak: tuple[float, float]
    bandwidth: float
    versions: dict[str, str]

    @classmethod
    def here(cls) -> Machine:
        """Ask this machine."""
        info = gg.info()
        peaks = (_native.measured_peak(machine.context(threads)) for threads in (1, info.threads))
        updated = STREAMED / _native.measured_update(machine.context(info.threads), "sgd", STREAMED)
        known = {"Python": platform.python_version(), **dict(versions()), "ganglion": info.version}
        return cls(info.cpu, info.kernel_set, info.threads, (next(peaks), next(peaks)), 8 * updated, known)

    def peak_of(self, result: Result) -> float:
        """The peak at the result's number of threads."""
        return self.peak[0 if result.threads == 1 else 1]

    def __str__(self) -> str:
        one, every = (f"{peak / 1e9:.3g}" for peak in self.peak)
        libraries = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (
            f"{self.cpu}, {_threads(self.threads)} by default, kernel set {self.kernel_set}\n"
            f"measured peak, an FMA loop in float32: {one} GFLOP/s on one thread, {every} on {self.threads}; "
            f"memory: {self.bandwidth / 1e9:.3g} GB/s\n"
            f"{libraries}"
        )


def _threads(count: int) -> str:
    return "default" if count == 0 else "1 thread" if count == 1 else f"{count} threads"


def shown_time(seconds: float) -> str:
    """Microseconds with three digits.

    Examples
    --------
    >>> shown_time(2.9e-7), shown_time(0.0123456), shown_time(8.75e-5)
    ('0.29', '12346', '87.5')
    """
    micros = seconds * 1e6
    digits = max(0, 2 - math.floor(math.log10(micros))) if micros > 0 else 0
    return f"{micros:.{min(digits, 2)}f}"


def _operations(flops: int) -> str:
    return f"{flops / 1e9:.3g} GFLOP" if flops >= 1e9 else f"{flops / 1e6:.3g} MFLOP"


def _row(result: Result, outcome: Outcome, here: Machine, ours: Result | None) -> list[str]:
    speed = outcome.work.flops / result.median
    spread = f"{shown_time(min(result.seconds))} – {shown_time(max(result.seconds))}"
    rate = [f"{speed / 1e9:.3g}", f"{speed / here.peak_of(result):.1%}"] if outcome.work.flops else ["", ""]
    ratio = f"{result.median / ours.median:.2f}" if ours else ""
    return [result.peer, shown_time(result.median), spread, _threads(result.threads), *rate, ratio]


def block(outcome: Outcome, here: Machine) -> str:
    """The table of one workload: a peer a line, fastest first, the better of its numbers of threads."""
    work = outcome.work
    amount = f", {_operations(work.flops)} a {work.unit}" if work.flops else ""
    lines = [f"{work.name}: {work.title}{amount}"]
    ours = next((result for result in outcome.best() if result.peer == "ganglion"), None)
    if outcome.results:
        heads = ["", f"µs a {work.unit}", "least – most", "", "GFLOP/s", "of peak", "time / ours" if ours else ""]
        lines += _aligned([heads, *(_row(result, outcome, here, ours) for result in outcome.best())])
    ratio = outcome.ratio()
    if ratio is not None:
        lines.append(f"  ganglion is {ratio:.2f} times as fast as the best other library")
    lines += [f"  dropped: {lost.peer} ({_threads(lost.threads)}): {lost.reason}" for lost in outcome.dropped]
    if not outcome.results and not outcome.dropped:
        lines.append("  none of these peers is installed and does this")
    return "\n".join(lines)


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """The first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join(["", f"{first:<{widths[0]}}", *cells]).rstrip())
    return lines


def imports_block(seconds: Mapping[str, Sequence[float]]) -> str:
    """The table of import times."""
    heads = ["", "ms", "least – most"]
    rows = [
        [name, f"{statistics.median(times) * 1e3:.0f}", f"{min(times) * 1e3:.0f} – {max(times) * 1e3:.0f}"]
        for name, times in seconds.items()
    ]
    return "\n".join(["import: a fresh interpreter's first import", *_aligned([heads, *rows])])


def summary(outcomes: Sequence[Outcome]) -> str:
    """The geometric mean of the ratios on the trainings, or nothing where there are not two."""
    ratios = [ratio for outcome in outcomes if isinstance(outcome.work, Training) if (ratio := outcome.ratio())]
    if len(ratios) < 2:
        return ""
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    return f"training: {mean:.2f} times as fast as the best other library, geometric mean of {len(ratios)} workloads"


def to_json(
    here: Machine, plan: Plan, outcomes: Sequence[Outcome], imports: Mapping[str, Sequence[float]]
) -> dict[str, Any]:
    """All that was measured, every round of it."""
    return {
        "format": FORMAT,
        "machine": asdict(here),
        "plan": asdict(plan),
        "works": [
            {
                "name": outcome.work.name,
                "kind": type(outcome.work).__name__.lower(),
                "title": outcome.work.title,
                "unit": outcome.work.unit,
                "flops": outcome.work.flops,
                "bytes": outcome.work.bytes_moved,
                "ratio": outcome.ratio(),
                "results": [asdict(result) for result in outcome.results],
                "dropped": [asdict(lost) for lost in outcome.dropped],
            }
            for outcome in outcomes
        ],
        "imports": {name: list(times) for name, times in imports.items()},
    }


def write(path: Path, measured: Mapping[str, Any]) -> None:
    """Write it as JSON."""
    path.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
