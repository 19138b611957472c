"""What holds for every picture: where it is drawn, that its file is the same again, and that its words can be read."""

import builtins
import re
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib import colors, pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

import ganglion as gg
from ganglion import plotting
from ganglion.plotting import INK
from picture_cases import PANELS, PICTURES

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS = {
    "activation_functions",
    "confusion_matrix",
    "decision_boundary",
    "descent_curve",
    "descent_paths",
    "first_weights",
    "fit_1d",
    "gradients",
    "learning_curves",
    "lines",
    "misclassified",
}
every_picture = pytest.mark.parametrize("name", PICTURES)


@pytest.fixture(autouse=True)
def no_window():
    backend = pyplot.get_backend()
    pyplot.switch_backend("agg")
    pyplot.close("all")  # what other tests left open
    yield
    pyplot.close("all")
    pyplot.switch_backend(backend)


def flat(drawn):
    return drawn if isinstance(drawn, list) else [drawn]


def artists(axes):
    return len(axes.lines) + len(axes.collections) + len(axes.images) + len(axes.texts)


def test_every_function_that_draws_has_a_picture_here():
    style = {"COLOURS", "DASHES", "INK", "MARKERS", "appearance", "finish", "panels"}
    assert {name.split()[0] for name in PICTURES} & FUNCTIONS == FUNCTIONS
    assert set(plotting.__all__) == FUNCTIONS | style


def test_the_page_of_pictures_shows_what_its_blocks_draw():
    page = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\]\(images/(\w+)\.svg\)", page))
    assert shown == set(re.findall(r'path="(\w+)\.svg"', page))
    assert shown == FUNCTIONS
    for name in FUNCTIONS:
        assert f"plotting.{name}(" in page


@every_picture
def test_the_same_data_give_the_same_file(name, tmp_path):
    paths = [tmp_path / "one.svg", tmp_path / "other.svg"]
    for path in paths:
        PICTURES[name](path=path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"<dc:date>" not in paths[0].read_bytes()
    assert pyplot.get_fignums() == []


def test_the_same_data_give_the_same_pdf(tmp_path):
    paths = [tmp_path / "one.pdf", tmp_path / "other.pdf"]
    for path in paths:
        PICTURES["lines"](path=path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"CreationDate" not in paths[0].read_bytes()


def test_other_data_give_another_file(tmp_path):
    for name, values in (("a", [1, 2, 3]), ("b", [1, 2, 4])):
        plotting.lines([1, 2, 3], {"y": values}, xlabel="x", ylabel="y", path=tmp_path / f"{name}.svg")
    assert (tmp_path / "a.svg").read_bytes() != (tmp_path / "b.svg").read_bytes()


@every_picture
def test_given_axes_are_drawn_into_and_keep_their_colours(name):
    figure, given = pyplot.subplots(PANELS.get(name, 1), 1, squeeze=False, facecolor="black")
    for axes in given.flat:
        axes.set_facecolor("navy")
        axes.tick_params(colors="red")
    drawn = PICTURES[name](ax=list(given.flat) if len(given) > 1 else given[0, 0])
    assert flat(drawn) == list(given.flat)
    assert isinstance(drawn, list) == (name == "learning_curves" or "activation" in name)
    assert figure.get_facecolor()[:3] == colors.to_rgb("black")
    for axes in given.flat:
        assert axes.get_facecolor()[:3] == colors.to_rgb("navy")
        assert axes.xaxis.get_tick_params()["color"] == "red"
        assert artists(axes) > 0 or name == "none misclassified"


@every_picture
def test_a_number_of_axes_that_does_not_fit_is_told(name):
    count = PANELS.get(name, 1)
    _, given = pyplot.subplots(1, count + 1)
    with pytest.raises(ValueError, match=rf"^ax: expected {count} axes for .*, got {count + 1}$"):
        PICTURES[name](ax=given)


@every_picture
def test_without_a_path_the_figure_is_shown_by_pyplot(name):
    axes = flat(PICTURES[name]())[0]
    assert axes.figure.number in pyplot.get_fignums()  # beside those that other tests left open
    assert pyplot.figure(axes.figure.number) is axes.figure
    assert axes.figure.get_facecolor()[3] == 0


@every_picture
def test_without_matplotlib_the_message_says_what_to_install(name, monkeypatch):
    real = builtins.__import__

    def without(module, *arguments, **keywords):
        if module.startswith("matplotlib"):
            raise ImportError(module)
        return real(module, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(
        ImportError, match=r"^drawing needs matplotlib; install it with: python -m pip install matplotlib$"
    ):
        PICTURES[name]()


# Words


def words_of(figure):
    """What is written and seen, as (text, colour, box around it)."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    words = []
    for axes in figure.axes:
        texts = [child for child in axes.get_children() if isinstance(child, Text)]
        if axes.get_legend() is not None:
            texts += axes.get_legend().get_texts()
        for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
            low, high = sorted(axis.get_view_interval())
            texts += [axis.label, axis.get_offset_text()]
            texts += [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
        words += [
            (text.get_text(), text.get_color(), text.get_window_extent(canvas.get_renderer()), text.get_rotation() % 90)
            for text in texts
            if text.get_visible() and text.get_text().strip()
        ]
    return words


@cache
def words_of_picture(name):
    figure = flat(PICTURES[name]())[0].figure
    return words_of(figure), figure.bbox


def colliding(words):
    upright = [(text, box) for text, _, box, slant in words if slant == 0]
    return [(one, other) for (one, first), (other, second) in combinations(upright, 2) if first.overlaps(second)]


@every_picture
def test_no_word_is_over_another_or_cut_off(name):
    words, frame = words_of_picture(name)
    assert len(words) > 0
    assert colliding(words) == []
    for text, _, box, _ in words:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= frame.x1 and box.y1 <= frame.y1, text


def test_words_over_others_are_found():
    title = "a title as long as the picture is wide"
    axes = plotting.lines([1, 2], {"a": [1, 2], "b": [2, 1]}, xlabel="x", ylabel="y", title=title)
    assert (title, "a") in colliding(words_of(axes.figure))


@every_picture
def test_every_word_has_a_colour_for_any_page(name):
    for text, colour, _, _ in words_of_picture(name)[0]:
        on_a_ground_of_its_own = name.startswith("confusion_matrix") and colour == (0.0, 0.0, 0.0)
        assert colour == INK or on_a_ground_of_its_own, text


@every_picture
def test_the_picture_is_seen_on_white_and_on_black(name, tmp_path):
    PICTURES[name](path=tmp_path / "picture.png")
    picture = pyplot.imread(tmp_path / "picture.png")
    assert picture[0, 0, 3] == 0  # no ground of its own
    for page in (0.0, 1.0):
        shown = picture[..., :3] * picture[..., 3:] + page * (1 - picture[..., 3:])
        assert (np.abs(shown - page).max(axis=2) > 0.3).mean() > 0.01


def test_a_user_s_own_words_keep_their_colour(tmp_path):
    (axes,) = plotting.panels(path=tmp_path / "words.svg")
    axes.text(0, 0, "plain")
    axes.text(0, 1, "red", color="red")
    plotting.finish([axes], tmp_path / "words.svg")
    assert [text.get_color() for text in axes.texts] == [INK, "red"]


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (3, 3, 1), (4, 2, 2), (5, 3, 2), (10, 4, 3)])
def test_panels_stand_in_rows(count, columns, rows, tmp_path):
    axes = plotting.panels(count, size=(2, 1), path=tmp_path / "panels.png")
    assert len(axes) == count == len(axes[0].figure.axes)
    assert axes[0].figure.get_size_inches().tolist() == [2 * columns, rows]
    assert plotting.panels(count, columns=1, size=(2, 1), path="x")[0].figure.get_size_inches().tolist() == [2, count]


def test_history_is_drawn_as_before(tmp_path):
    trainer = gg.Trainer(gg.Sequential(gg.Dense(1)), "mse")
    history = trainer.fit(np.ones((4, 2)), np.ones(4), epochs=2, verbose=0)
    history.plot(path=tmp_path / "one.svg")
    plotting.learning_curves(history, path=tmp_path / "other.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
