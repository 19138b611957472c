"""Pictures of learning curves: which curves are drawn, where, and that they can be read."""

import builtins
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgb

import ganglion as gg
from ganglion.plotting import COLOURS, INK, learning_curves
from ganglion.plotting.style import contrasting

CURVE_VALUES = {
    "accuracy": [0.5, 0.8, 0.9],
    "loss": [1.0, 0.4, 0.2],
    "val_loss": [0.9, 0.5, 0.4],
    "val_accuracy": [0.6, 0.7, 0.8],
}


@pytest.fixture(autouse=True)
def no_window():
    backend = mpl.get_backend()
    mpl.use("agg")
    pyplot.close("all")  # what other tests left open
    yield
    pyplot.close("all")
    mpl.use(backend)


def drawn(axes):
    return {line.get_label(): line.get_ydata().tolist() for line in axes.lines}


def test_a_panel_for_loss_and_one_for_each_metric():
    loss, accuracy = learning_curves(CURVE_VALUES)
    assert [panel.get_title("left") for panel in (loss, accuracy)] == ["loss", "accuracy"]
    assert drawn(loss) == {"train": CURVE_VALUES["loss"], "validation": CURVE_VALUES["val_loss"]}
    assert drawn(accuracy) == {"train": CURVE_VALUES["accuracy"], "validation": CURVE_VALUES["val_accuracy"]}
    for panel in (loss, accuracy):
        assert panel.lines[0].get_xdata().tolist() == [1, 2, 3]
        assert panel.get_xlabel() == "epoch"
        assert [text.get_text() for text in panel.get_legend().get_texts()] == ["train", "validation"]
        assert len({line.get_linestyle() for line in panel.lines}) == 2


def test_what_fit_returns_is_drawn(tmp_path):
    x = np.eye(4)
    trainer = gg.Trainer(gg.Sequential(gg.Dense(4)), "cross_entropy", metrics=["accuracy"])
    history = trainer.fit(x, [0, 1, 2, 3], epochs=2, validation_data=(x, [0, 1, 2, 3]), verbose=0)
    loss, accuracy = history.plot(path=tmp_path / "curves.png")
    assert drawn(loss) == {"train": history.history["loss"], "validation": history.history["val_loss"]}
    assert drawn(accuracy)["validation"] == history.history["val_accuracy"]


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_picture_is_written_and_no_window_opened(tmp_path, ending, start):
    path = tmp_path / f"curves.{ending}"
    learning_curves(CURVE_VALUES, path=path)
    assert path.read_bytes().startswith(start)
    assert pyplot.get_fignums() == []


def test_a_figure_to_show_is_known_to_pyplot():
    (axes,) = learning_curves({"loss": [1.0]})
    assert pyplot.figure(pyplot.get_fignums()[0]) is axes.figure


def test_given_axes_are_drawn_into_and_keep_their_ground():
    figure, given = pyplot.subplots(2, 1, facecolor="black")
    given[0].set_facecolor("navy")
    assert learning_curves(CURVE_VALUES, given) == list(given)
    assert drawn(given[0])["train"] == CURVE_VALUES["loss"]
    assert figure.get_facecolor()[:3] == to_rgb("black")
    assert given[0].get_facecolor()[:3] == to_rgb("navy")
    figure, single = pyplot.subplots()
    assert learning_curves({"loss": [1.0, 0.5]}, single) == [single]


@pytest.mark.parametrize(
    ("curves", "axes", "message"),
    [
        ({}, 1, "history: expected at least one epoch to draw, got none; plot what fit returned"),
        ({"loss": []}, 1, "history: expected at least one epoch to draw, got none"),
        (CURVE_VALUES, 1, "ax: expected 2 axes for loss, accuracy, got 1"),
        (CURVE_VALUES, 3, "ax: expected 2 axes for loss, accuracy, got 3"),
    ],
)
def test_what_cannot_be_drawn_is_told(curves, axes, message):
    _, given = pyplot.subplots(1, axes)
    with pytest.raises(ValueError, match=message):
        learning_curves(curves, given)


def test_without_matplotlib_the_message_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *arguments, **keywords):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ImportError, match="drawing needs matplotlib; install it with: python -m pip install matplotlib"
    ):
        learning_curves(CURVE_VALUES)


def linear(colour):
    """Red, green and blue light of sRGB."""
    return np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)])


def contrast(one, other):
    """Of WCAG 2, section 1.4.3."""
    dark, light = sorted(np.dot([0.2126, 0.7152, 0.0722], linear(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", ["white", "black"])
def test_every_colour_reads_on_paper_and_on_a_dark_page(ground):
    for colour in COLOURS:
        assert contrast(colour, ground) > 3
    assert contrast(INK, ground) > 4
    assert min(contrast("#FFD700", "white"), contrast("#00008B", "black")) < 3  # gold and dark blue would fail


# How light is seen by eyes without one kind of cones: Machado et al., "A physiologically-based model for simulation of
# color vision deficiency", IEEE TVCG 15(6), 2009, table 1 at severity 1.
EYES = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
# Oklab: Ottosson, "A perceptual color space for image processing", 2020.
CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
OKLAB = [
    [0.2104542553, 0.7936177850, -0.0040720468],
    [1.9779984951, -2.4285922050, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.8086757660],
]


def difference(one, other, eyes):
    """Distance in Oklab as these eyes see the two colours; black and white are 1 apart."""
    seen = [np.clip(np.matmul(EYES[eyes], linear(colour)), 0, 1) for colour in (one, other)]
    places = [np.matmul(OKLAB, np.cbrt(np.matmul(CONES, light))) for light in seen]
    return np.linalg.norm(places[0] - places[1])


@pytest.mark.parametrize("eyes", EYES)
def test_colour_blind_people_tell_the_colours_apart(eyes):
    assert difference("black", "white", eyes) == pytest.approx(1, abs=1e-3)
    for one, other in combinations(COLOURS, 2):
        assert difference(one, other, eyes) > 0.05, (one, other)


def test_red_and_green_would_be_told_apart_by_some_only():
    assert difference("#CC3311", "#6E7F00", "normal") > 0.2
    assert difference("#CC3311", "#6E7F00", "deuteranopia") < 0.05


@pytest.mark.parametrize("grey", np.linspace(0, 1, 21))
def test_words_on_a_ground_of_their_own_have_the_larger_contrast(grey):
    words, ground = contrasting((grey, grey, grey)), (grey, grey, grey)
    assert contrast(words, ground) == max(contrast("black", ground), contrast("white", ground))
    assert contrast(words, ground) > 4.5


def test_the_ground_is_transparent(tmp_path):
    path = tmp_path / "curves.png"
    learning_curves(CURVE_VALUES, path=path)
    picture = pyplot.imread(path)
    assert picture[0, 0, 3] == 0
    assert picture[..., 3].max() == 1
