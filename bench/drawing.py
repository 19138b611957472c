"""One look for all pictures: readable on white and on dark pages, and for the colour-blind."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"

# Of Okabe & Ito, "Color Universal Design", 2008, the blue made lighter: at least 3.8:1 on white and on black.
OURS, OTHERS = "#D55E00", "#2B83C2"
INK = "#777777"  # 4.5:1 on white, 4.7:1 on black


def panels(rows, columns, width, height):
    """A figure without a ground of its own, and its axes in a flat list."""
    # Fixed identifiers and text as outlines: the same numbers give the same file, whatever fonts the reader has.
    settings = {
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
    pyplot.rcParams.update({**settings, "svg.hashsalt": "ganglion", "font.size": 9})
    figure, axes = pyplot.subplots(
        rows, columns, figsize=(width, height), layout="constrained", facecolor="none", squeeze=False
    )
    for each in axes.flat:
        each.set_facecolor("none")
        each.spines[["top", "right"]].set_visible(False)
        each.set_axisbelow(True)
    return figure, list(axes.flat)


def title(axes, words):
    axes.set_title(words, loc="left", fontweight="bold", fontsize=9)


def save(figure, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=160)
    pyplot.close(figure)
    print(path)
