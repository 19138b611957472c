"""How a step's time grows with width, depth and batch, beside what the machine's arithmetic and memory allow.

usage: python bench/growth.py [--json FILE] [--draw FILE] [--out FOLDER]

Measures and writes FILE (``--json``), then draws growth.svg (default: docs/images); ``--draw FILE`` draws what was
measured before. A ReLU network with Adam and cross-entropy: three hidden layers of each width on batches of 128, hidden
layers of 128 units in each number on batches of 128, and 784-512-512-10 on each batch.
"""

import argparse
import json
import math
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

import ganglion as gg
from drawing import IMAGES, INK, OTHERS, OURS, panels, save, title
from ganglion.benchmark.networks import Training
from ganglion.benchmark.table import Machine

WIDTHS = (16, 24, 32, 48, 64, 96, 100, 128, 192, 256, 384, 500, 512, 768, 1000, 1024, 1536, 2000, 2048)
DEPTHS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
BATCHES = (1, 2, 3, 4, 7, 8, 15, 16, 17, 32, 33, 48, 64, 100, 128, 129, 192, 256, 384, 512, 1000, 1024, 2048, 4096)
SECONDS, FITS = 0.06, 3  # of a measurement; half a gigabyte of x at most
PASSES = 3  # over all cases, so that a bad minute of the machine falls on no case each time
CLASSES = 10
CACHE = 2**25  # what moves no more bytes than so many stays in some cache


@dataclass(frozen=True)
class Point:
    """A network and batch, and the medians of its steps."""

    along: str
    value: int
    widths: tuple[int, ...]
    batch: int
    one: float  # seconds on one thread
    default: float


def cases():
    for width in WIDTHS:
        yield "width", width, (width, width, width, width, CLASSES), 128
    for depth in DEPTHS:
        yield "depth", depth, (128, *(128,) * depth, CLASSES), 128
    for batch in BATCHES:
        yield "batch", batch, (784, 512, 512, CLASSES), batch


def floor(machine, widths, batch, peak):
    """Seconds of the products at the peak, or of an Adam update's traffic with memory where that is more."""
    work = Training("growth", widths, "relu", "cross_entropy", "adam", batch=batch, steps=1)
    traffic = work.bytes_moved if work.bytes_moved > CACHE else 0
    return max(work.flops / peak, traffic / machine.bandwidth)


def step_seconds(widths, batch, threads):
    """The median step of several fits, after one that finds the team."""
    random = np.random.default_rng(0)
    steps = max(2, min(64, 2**27 // (4 * batch * widths[0])))
    x = random.standard_normal((batch * steps, widths[0]), np.float32)
    y = random.integers(0, CLASSES, len(x))
    layers = [gg.Dense(units, "relu") for units in widths[1:-1]]
    trainer = gg.Trainer(
        gg.Sequential(*layers, gg.Dense(CLASSES), seed=0), "cross_entropy", gg.Adam(1e-4), threads=threads
    )

    def fit(epochs):
        start = time.perf_counter()
        trainer.fit(x, y, batch_size=batch, epochs=epochs, shuffle=False, verbose=0)
        return (time.perf_counter() - start) / (epochs * steps)

    first = fit(1)
    fit(max(1, math.ceil(0.5 / (first * steps))))  # until the team is found
    epochs = max(1, math.ceil(SECONDS / (fit(1) * steps)))
    return statistics.median(fit(epochs) for _ in range(FITS))


def measure():
    machine = Machine.here()
    print(machine)
    found = {case: [] for case in cases()}
    for _ in range(PASSES):
        for case, steps in found.items():
            steps.append([step_seconds(*case[2:], threads) for threads in (1, None)])
    points = []
    for case, steps in found.items():
        point = Point(*case, *(statistics.median(those) for those in zip(*steps, strict=True)))
        points.append(point)
        lowest = floor(machine, point.widths, point.batch, machine.peak[0])
        words = f"{point.one * 1e6:9.1f} µs, {lowest / point.one:4.0%} of the floor's speed"
        print(
            f"{point.along:6} {point.value:5}  one thread {words};  default {point.default * 1e6:9.1f} µs", flush=True
        )
    return {"machine": asdict(machine), "points": [asdict(point) for point in points]}


def draw(measured, path):
    machine = Machine(**measured["machine"])
    points = [Point(**point) for point in measured["points"]]
    figure, axes = panels(1, 3, 11, 3.8)
    for axis, along in zip(axes, ("width", "depth", "batch"), strict=True):
        those = [point for point in points if point.along == along]
        values = [point.value for point in those]
        for peak, dashes, words in zip(
            machine.peak, ("--", ":"), ("floor, one thread", "floor, all threads"), strict=True
        ):
            lowest = [floor(machine, point.widths, point.batch, peak) * 1e6 for point in those]
            axis.plot(values, lowest, dashes, color=INK, linewidth=1.2, label=words)
        axis.plot(values, [point.one * 1e6 for point in those], "o-", color=OTHERS, markersize=3.5, label="one thread")
        axis.plot(values, [point.default * 1e6 for point in those], "D-", color=OURS, markersize=3.5, label="default")
        axis.set(xscale="log", yscale="log", xlabel=along)
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter("{x:.0f}")
        axis.grid(color=INK, alpha=0.2, linewidth=0.6)
    axes[0].set_ylabel("µs a step")
    title(axes[0], "3 hidden layers, batch 128")
    title(axes[1], "hidden layers of 128, batch 128")
    title(axes[2], "784-512-512-10")
    axes[0].legend(loc="upper left", frameon=False, labelcolor=INK, fontsize=8)
    save(figure, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--draw", type=Path)
    parser.add_argument("--out", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    measured = json.loads(arguments.draw.read_text(encoding="utf-8")) if arguments.draw else measure()
    if arguments.json:
        arguments.json.write_text(json.dumps(measured), encoding="utf-8")
    draw(measured, arguments.out / "growth.svg")


if __name__ == "__main__":
    main()
