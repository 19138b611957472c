"""Draws what ``ganglion bench --json FILE`` has measured, bars of speeds and a roofline, and prints tables of it.

usage: python bench/report.py FILE [--out FOLDER]      writes speed.svg and roofline.svg (default: docs/images)
"""

import argparse
import json
import statistics
from pathlib import Path

import numpy as np
from matplotlib.transforms import Bbox

from drawing import IMAGES, INK, OTHERS, OURS, panels, save, title
from ganglion.benchmark.table import shown_time

COLUMNS = 3


def best(work):
    """The better median of each peer in seconds, fastest first."""
    medians = {}
    for result in work["results"]:
        median = statistics.median(result["seconds"])
        medians[result["peer"]] = min(median, medians.get(result["peer"], median))
    return dict(sorted(medians.items(), key=lambda item: item[1]))


def is_ours(peer):
    return peer.partition(".")[0] == "ganglion"


def draw_speed(works, path):
    """A panel for each training: how fast each peer is, ganglion being 1."""
    works = [work for work in works if work["kind"] == "training" and "ganglion" in best(work)]
    rows = -(-len(works) // COLUMNS)
    bars = max(len(best(work)) for work in works)
    figure, axes = panels(rows, min(COLUMNS, len(works)), 10, 0.7 + rows * (0.7 + 0.2 * bars))
    for each in axes[len(works) :]:
        each.set_visible(False)
    for each, work in zip(axes, works, strict=False):
        medians = best(work)
        speeds = [medians["ganglion"] / seconds for seconds in medians.values()]
        colours = [OURS if is_ours(peer) else OTHERS for peer in medians]
        places = np.arange(len(medians))
        each.barh(places, speeds, color=colours, height=0.72)
        for place, speed, seconds in zip(places, speeds, medians.values(), strict=True):
            each.text(speed + 0.015 * max(speeds), place, f"{shown_time(seconds)} µs", va="center", fontsize=8)
        each.set_yticks(places, medians)
        each.invert_yaxis()
        each.set_xlim(0, 1.28 * max(speeds))
        each.spines["left"].set_visible(False)
        each.tick_params(axis="y", length=0)
        title(each, f"{work['name']}   {work['title'].split()[0]}")
    figure.supxlabel("steps a second, ganglion = 1; the better of one thread and the default", fontsize=9, color=INK)
    save(figure, path)


def draw_roofline(measured, path):
    """Speed against operations per byte, under the measured peaks and the measured bandwidth of memory."""
    machine = measured["machine"]
    works = [work for work in measured["works"] if work["kind"] in {"training", "prediction"} and work["results"]]
    figure, (axes,) = panels(1, 1, 8, 5)
    intensities = [work["flops"] / work["bytes"] for work in works]
    x = np.geomspace(min(intensities) / 3, max(intensities) * 8, 200)
    for peak, words in zip(machine["peak"], ("one thread", f"{machine['threads']} threads"), strict=True):
        axes.axhline(peak / 1e9, color=INK, linewidth=1, linestyle=(0, (5, 2)))
        axes.text(x[0], peak / 1e9 * 1.06, f"peak, {words}: {peak / 1e9:.0f}", fontsize=8)
    top = machine["peak"][-1]
    roof = np.minimum(top, machine["bandwidth"] * x) / 1e9
    axes.plot(x, roof, color=INK, linewidth=1.5)
    lowest = top
    names = {f"memory: {machine['bandwidth'] / 1e9:.0f} GB/s": [(x[30], roof[30])]}
    covered = [*zip(x, roof, strict=True), *((at, peak / 1e9) for at in x for peak in machine["peak"])]
    for work, intensity in zip(works, intensities, strict=True):
        speeds = {peer: work["flops"] / seconds for peer, seconds in best(work).items()}
        ours = speeds.get("ganglion")
        other = max((speed for peer, speed in speeds.items() if not is_ours(peer)), default=None)
        present = [speed for speed in (ours, other) if speed]
        lowest = min(lowest, *present)
        axes.plot([intensity] * len(present), np.array(present) / 1e9, color=INK, linewidth=0.8, zorder=1)
        marks = ((other, "o", OTHERS, "best other library"), (ours, "D", OURS, "ganglion"))
        for speed, marker, colour, label in marks:
            if speed:
                first = label not in axes.get_legend_handles_labels()[1]
                axes.plot(
                    [intensity], [speed / 1e9], marker, color=colour, label=label if first else None, markersize=6
                )
        names[work["name"]] = [(intensity, speed / 1e9) for speed in sorted(present)]
        stick = np.geomspace(min(present), max(present), 9) / 1e9
        covered += [(intensity, speed) for speed in stick]
    axes.set(xscale="log", yscale="log", xlim=(x[0], x[-1]), ylim=(lowest / 2e9, top * 2 / 1e9))
    axes.set_xlabel("floating-point operations per byte that a step or call must move")
    axes.set_ylabel("GFLOP/s")
    axes.grid(color=INK, alpha=0.2, linewidth=0.6)
    axes.legend(loc="lower right", frameon=False, labelcolor=INK)
    write_names(axes, names, covered)
    save(figure, path)


def write_names(axes, names, covered):
    """Write each name beside one of its points, where it lies on least of what is drawn or written."""
    axes.figure.canvas.draw()  # only then is it known where the points are
    covered = [Bbox.from_bounds(x - 4, y - 4, 8, 8) for x, y in axes.transData.transform(covered)]
    for name, points in names.items():
        texts = [
            axes.annotate(name, point, (7 * side, 4 * up), textcoords="offset points", fontsize=8, ha=ha, va=va)
            for point in points
            for side, ha in ((1, "left"), (-1, "right"))
            for up, va in ((-1, "top"), (0, "center"), (1, "bottom"))
        ]
        boxes = [text.get_window_extent() for text in texts]
        best = min(range(len(texts)), key=lambda i: sum(boxes[i].overlaps(other) for other in covered))
        covered.append(boxes[best])
        for text in texts[:best] + texts[best + 1 :]:
            text.remove()


def print_tables(measured):
    """Markdown: the machine, and for each kind of work ours beside the best of the others."""
    machine = measured["machine"]
    one, every = (f"{peak / 1e9:.0f}" for peak in machine["peak"])
    print(
        f"{machine['cpu']}, {machine['kernel_set']}, {machine['threads']} threads; measured peak {one} GFLOP/s on one,"
    )
    print(f"{every} on all. {', '.join(f'{name} {version}' for name, version in machine['versions'].items())}.")
    plain = {work["name"]: best(work).get("ganglion") for work in measured["works"]}
    for kind in ("training", "featuretraining", "prediction"):
        works = [work for work in measured["works"] if work["kind"] == kind and "ganglion" in best(work)]
        if works:
            print("\n| work | ganglion | of peak | best other library | ratio |\n|---|---|---|---|---|")
        for work in works:
            print(f"| {' | '.join(cells(work, machine, plain.get(work['name'].rpartition('-')[0])))} |")


def cells(work, machine, plain):
    """A row of a table; `plain` are the seconds of the step without the feature."""
    medians = best(work)
    ours = medians["ganglion"]
    peak = machine["peak"][0 if on_one_thread(work) else -1]
    more = f", {ours / plain:.2f} times the plain step" if work["kind"] == "featuretraining" and plain else ""
    row = [f"{work['name']}: {work['title']}", f"{shown_time(ours)} µs{more}", f"{work['flops'] / ours / peak:.0%}"]
    other = next((peer for peer in medians if not is_ours(peer)), None)
    return row + ([f"{other}: {shown_time(medians[other])} µs", f"{medians[other] / ours:.2f}"] if other else ["", ""])


def on_one_thread(work):
    """Whether ganglion's better time is that of one thread."""
    ours = {r["threads"]: statistics.median(r["seconds"]) for r in work["results"] if r["peer"] == "ganglion"}
    return min(ours, key=ours.get) == 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    measured = json.loads(arguments.file.read_text(encoding="utf-8"))
    draw_speed(measured["works"], arguments.out / "speed.svg")
    draw_roofline(measured, arguments.out / "roofline.svg")
    print_tables(measured)


if __name__ == "__main__":
    main()
