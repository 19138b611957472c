"""What the pictures show, number by number, and what is said of arguments that cannot be drawn."""

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_rgba

import ganglion as gg
from ganglion import functional, nn, plotting
from ganglion.plotting import COLOURS

BLUE, VERMILLION = COLOURS[:2]
SQUARE = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.fixture(autouse=True)
def no_window():
    backend = pyplot.get_backend()
    pyplot.switch_backend("agg")
    yield
    pyplot.close("all")
    pyplot.switch_backend(backend)


def drawn(axes):
    """The curves with a name."""
    return {line.get_label(): line.get_xydata() for line in axes.lines if not line.get_label().startswith("_")}


def names(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def written(axes):
    return [text.get_text() for text in axes.texts]


# Curves


def test_gradients_are_a_line_a_layer_on_a_logarithmic_scale():
    watched = {
        "dense": {"gradient_norm": [1e-6, 0.0, 1e-8]},
        "flatten": {"gradient_norm": [math.nan] * 3},
        "out": {"gradient_norm": [1, 2, 4]},
    }
    axes = plotting.gradients(SimpleNamespace(monitored=watched, monitored_steps=[0, 100, 200]))
    assert axes.get_yscale() == "log"
    assert names(axes) == ["dense", "out"]
    assert drawn(axes)["out"].tolist() == [[0, 1], [100, 2], [200, 4]]
    assert math.isnan(drawn(axes)["dense"][1, 1])  # a logarithm of 0 is a gap
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "norm of the gradient")


def test_gradients_of_a_dead_network_are_drawn_all_the_same():
    dead = SimpleNamespace(monitored={"dense": {"gradient_norm": [0, 0]}}, monitored_steps=[0, 1])
    axes = plotting.gradients(dead)
    assert axes.get_yscale() == "linear"
    assert drawn(axes)["dense"].tolist() == [[0, 0], [1, 0]]


def test_what_a_monitor_saw_is_drawn(tmp_path):
    x = np.eye(4)
    model = gg.Sequential(gg.Flatten(), gg.Dense(3, "tanh"), gg.Dense(4))
    callbacks = [gg.Monitor(every=2, warn=False)]
    history = gg.Trainer(model, "cross_entropy").fit(x, [0, 1, 2, 3], epochs=5, callbacks=callbacks, verbose=0)
    curves = drawn(history.plot_gradients(path=tmp_path / "gradients.svg"))
    assert list(curves) == ["dense", "dense_1"]
    assert curves["dense"].tolist() == list(
        map(list, zip([0, 2, 4], history.monitored["dense"]["gradient_norm"], strict=True))
    )


def test_lines_show_a_table():
    axes = plotting.lines([1, 10], {"a": [1, 2], "b": [3, 4]}, xlabel="u", ylabel="v", log="xy", title="w")
    assert {name: points.tolist() for name, points in drawn(axes).items()} == {
        "a": [[1, 1], [10, 2]],
        "b": [[1, 3], [10, 4]],
    }
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title("left")) == ("u", "v", "w")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    for log, scale in ((True, "log"), (False, "linear"), ("x", "linear")):
        assert plotting.lines([1, 2], {"a": [1, 2]}, xlabel="", ylabel="", log=log).get_yscale() == scale


def test_there_is_no_epoch_and_a_half():
    axes = plotting.lines([1, 2, 3], {"loss": [2.0, 1.0, 0.5]}, xlabel="epoch", ylabel="loss")
    assert all(tick == round(tick) for tick in axes.get_xticks())
    axes = plotting.lines([0.1, 0.2, 0.3], {"loss": [2.0, 1.0, 0.5]}, xlabel="rate", ylabel="loss")
    assert sum(0.1 < tick < 0.3 for tick in axes.get_xticks()) > 1


def test_lines_stand_over_names():
    axes = plotting.lines(["SGD", "Adam"], {"loss": [3, 1]}, xlabel="", ylabel="loss")
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == ["SGD", "Adam"]
    assert axes.get_legend() is None  # one curve is named by its axis


def test_long_names_are_written_aslant():
    names = ["stochastic gradient descent", "Adam", "RMSprop with momentum", "AdaGrad"]
    axes = plotting.lines(names, {"loss": [1, 2, 3, 4]}, xlabel="optimizer", ylabel="loss")
    axes.figure.canvas.draw()
    assert [label.get_text() for label in axes.get_xticklabels()] == names
    assert all(label.get_rotation() == 30 for label in axes.get_xticklabels())


def test_a_deep_network_has_room_for_its_curves_and_their_names():
    norms = {f"dense_{layer}": {"gradient_norm": [0.1**layer] * 5} for layer in range(30)}
    axes = plotting.gradients(SimpleNamespace(monitored=norms, monitored_steps=range(5)))
    axes.figure.canvas.draw()
    whole = axes.figure.bbox
    legend = axes.get_legend().get_window_extent()
    assert legend.y0 > 0 and legend.x1 <= whole.x1
    assert axes.bbox.height > 0.6 * whole.height and axes.bbox.width > 0.3 * whole.width


def test_curves_are_told_apart_by_dashes_and_colours():
    looks = [(look["color"], look["linestyle"]) for look in map(plotting.appearance, range(28))]
    assert len(set(looks)) == 28
    for (colour, dashes), (next_colour, next_dashes) in pairwise(looks):
        assert colour != next_colour
        assert dashes != next_dashes
    axes = plotting.lines(range(50), {f"{n}": np.full(50, n) for n in range(28)}, xlabel="", ylabel="")
    assert [line.get_color() for line in axes.lines] == [colour for colour, _ in looks]


@pytest.mark.parametrize(
    "name", ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "swish", "softplus"]
)
def test_an_activation_function_and_its_derivative_are_drawn(name):
    (axes,) = plotting.activation_functions([name])
    curves = drawn(axes)
    x, h = curves["function"].T
    np.testing.assert_array_equal(h, getattr(functional, name)(x))
    between = (h[1:] - h[:-1]) / (x[1:] - x[:-1])  # the slope from point to point lies between the derivatives
    slopes = curves["derivative"][:, 1]
    low, high = np.minimum(slopes[1:], slopes[:-1]), np.maximum(slopes[1:], slopes[:-1])
    assert ((between > low - 1e-4) & (between < high + 1e-4)).all()
    assert axes.get_title("left") == name
    assert axes.lines[-2].get_linestyle() != axes.lines[-1].get_linestyle()


def test_activations_have_aliases_and_a_step_no_derivative():
    linear, step = plotting.activation_functions(["linear", "heaviside"])
    assert (linear.get_title("left"), step.get_title("left")) == ("identity", "step")
    assert set(drawn(step)) == {"function"}


# Descents


def test_paths_lie_over_the_contours_of_the_function():
    way = functional.gradient_descent(lambda p: p[0] ** 2 + 4 * p[1] ** 2, np.array([2.0, 1.0]), 0.1, 20)[1]
    axes = plotting.descent_paths(lambda x, y: x**2 + 4 * y**2, {"SGD": way}, limits=(-3, 3, -2, 2))
    np.testing.assert_array_equal(drawn(axes)["SGD"], way)
    assert (*axes.get_xlim(), *axes.get_ylim()) == (-3, 3, -2, 2)
    assert axes.lines[1].get_xydata().tolist() == [way[0].tolist()]  # the circle where it begins
    (contours,) = axes.collections
    for level, lines in zip(contours.levels, contours.allsegs, strict=True):
        for line in lines:
            np.testing.assert_allclose(line[:, 0] ** 2 + 4 * line[:, 1] ** 2, level, atol=2e-3 * contours.levels[-1])


def test_logarithmic_contours_show_the_floor_of_a_valley():
    def valley(x, y):
        return (1 - x) ** 2 + 100 * (y - x**2) ** 2

    lowest = []
    for log in (False, True):
        axes = plotting.descent_paths(valley, {"a": [[0, 0]]}, limits=(-2, 2, -1, 3), log=log)
        lowest.append(axes.collections[0].levels[0])
    assert lowest[1] < lowest[0] / 1000


def test_points_that_are_not_finite_are_left_out():
    axes = plotting.descent_paths(lambda x, y: x + y, {"a": [[0, 0], [1, np.nan], [np.inf, 1]]}, limits=(-1, 1, -1, 1))
    assert drawn(axes)["a"].tolist() == [[0, 0]]
    axes = plotting.descent_curve(np.square, {"a": [1, np.inf, 1e300]}, limits=(-1, 1))
    assert drawn(axes)["a"].tolist() == [[1, 1], [1e300, np.inf]]
    assert axes.get_ylim()[1] < 2  # a path that diverges does not press the curve flat


def test_a_path_lies_on_its_curve():
    axes = plotting.descent_curve(lambda x: x**2, {"a": [2, -1.6, 1.28]}, limits=(-3, 3))
    x, height = drawn(axes)["a"].T
    np.testing.assert_allclose(height, x**2)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), axes.lines[0].get_xdata() ** 2)
    assert axes.get_xlim() == (-3, 3)


# Predictions


def region(axes, point):
    """The colour of the plane at a point, without its opacity."""
    (image,) = axes.images
    left, right, low, high = image.get_extent()
    shades = np.asarray(image.get_array())
    row = int((point[1] - low) / (high - low) * len(shades))
    column = int((point[0] - left) / (right - left) * shades.shape[1])
    return tuple(shades[row, column, :3])


def test_a_decision_boundary_is_where_the_model_changes_its_mind():
    model = gg.Sequential(gg.Dense(2, input_shape=(2,)))
    model.set_weights([[[1, 0], [0, 2]], [0, 0]])  # class 1 where 2y > x
    axes = plotting.decision_boundary(model, SQUARE, [0, 1, 0, 1])
    for point in (0.5, 0.3), (0.5, 0.2), (0.9, 0.5), (0.9, 0.4), (0.1, 1.0):
        expected = COLOURS[int(2 * point[1] > point[0])]
        assert region(axes, point) == to_rgba(expected)[:3]
    zero, one = axes.collections[-2:]
    assert zero.get_offsets().tolist() == [[0, 0], [1, 0]]
    assert one.get_offsets().tolist() == [[0, 1], [1, 1]]
    assert zero.get_facecolor()[0].tolist() == list(to_rgba(BLUE))
    assert zero.get_paths()[0].vertices.shape != one.get_paths()[0].vertices.shape  # other markers
    assert names(axes) == ["class 0", "class 1"]


class Estimator:
    def predict(self, x):
        return (x[:, 0] > 0.5).astype(int)


def with_weights(model, *weights):
    model.set_weights(weights)
    return model


@pytest.mark.parametrize(
    "model",
    [
        lambda x: x[:, 0] > 0.5,
        lambda x: (x[:, :1] > 0.5).astype(float),
        lambda x: np.column_stack([0.5 - x[:, 0], x[:, 0] - 0.5]),
        Estimator(),
        with_weights(nn.Sequential(nn.Linear(2, 2)), [[-1, 1], [0, 0]], [0.5, -0.5]),
        with_weights(gg.Sequential(gg.Dense(1, activation="sigmoid", input_shape=(2,))), [[20], [0]], [-10]),
    ],
    ids=["booleans", "column", "logits", "estimator", "nn", "sigmoid"],
)
def test_classifiers_of_every_kind(model):
    axes = plotting.decision_boundary(model, pd.DataFrame(SQUARE), np.eye(2)[[0, 0, 1, 1]])
    assert region(axes, (0.2, 0.9)) == to_rgba(BLUE)[:3]
    assert region(axes, (0.8, 0.1)) == to_rgba(VERMILLION)[:3]


def test_ten_classes_are_told_apart_by_colours_and_markers():
    points = np.random.default_rng(0).uniform(size=(50, 2))
    axes = plotting.decision_boundary(lambda x: np.zeros(len(x)), points, np.arange(50) % 10)
    looks = {(*each.get_facecolors()[0], each.get_paths()[0].vertices.tobytes()) for each in axes.collections}
    assert len(looks) == len(axes.collections) == 10


def test_fits_are_curves_through_points():
    model = gg.Sequential(gg.Dense(1, input_shape=(1,)))
    model.set_weights([[[2.0]], [1.0]])
    axes = plotting.fit_1d({"line": model, "sin": np.sin}, [[0], [4]], [1, 9], validation=([5.0], [12]))
    curves = drawn(axes)
    np.testing.assert_allclose(curves["line"][:, 1], 2 * curves["line"][:, 0] + 1, rtol=1e-6)
    np.testing.assert_allclose(curves["sin"][:, 1], np.sin(curves["sin"][:, 0]))
    training, validation = axes.collections
    assert training.get_offsets().tolist() == [[0, 1], [4, 9]]
    assert validation.get_offsets().tolist() == [[5, 12]]
    assert names(axes) == ["line", "sin", "training", "validation"]
    assert names(plotting.fit_1d(model, [0, 1], [1, 3])) == ["model", "training"]


def test_a_confusion_matrix_counts():
    true, taken = [0, 0, 0, 1, 1, 2, 2, 2], [0, 0, 1, 1, 1, 0, 2, 0]
    axes = plotting.confusion_matrix(true, taken)
    assert written(axes) == ["2", "1", "0", "0", "2", "0", "2", "0", "1"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")
    cells = np.asarray(axes.images[0].get_array())
    assert [tuple(cells[place]) for place in ((0, 0), (1, 1), (2, 0), (0, 1))] == [
        to_rgba(BLUE), to_rgba(BLUE), to_rgba(VERMILLION), to_rgba(VERMILLION)
    ]  # fmt: skip
    assert cells[2, 2, 3] < 0.5  # right, but less than half of its row
    assert cells[0, 2, 3] == 0.0
    assert written(plotting.confusion_matrix(np.eye(3)[true], np.eye(3)[taken])) == written(axes)


def test_classes_have_their_numbers_or_names():
    def ticks(axes):
        return [label.get_text() for label in axes.get_xticklabels()]

    assert ticks(plotting.confusion_matrix([3, 7], [7, 7])) == ["3", "7"]
    named = plotting.confusion_matrix([0, 0], [0, 0], names=["cat", "dog"])
    assert ticks(named) == ["cat", "dog"]
    assert written(named) == ["2", "0", "0", "0"]


# Images


def test_first_weights_are_those_into_each_unit():
    model = gg.Sequential(gg.Flatten(input_shape=(2, 3)), gg.Dense(4), gg.Dense(2), seed=5)
    axes = plotting.first_weights(model, shape=(2, 3), count=3)
    kernel = model.state_dict()["dense.kernel"]
    assert len(axes.images) == 3
    for unit, image in enumerate(axes.images):
        np.testing.assert_array_equal(np.asarray(image.get_array()), kernel[:, unit].reshape(2, 3))
        assert image.get_clim() == (-np.abs(kernel[:, :3]).max(), np.abs(kernel[:, :3]).max())
    assert len(plotting.first_weights(model, shape=(6, 1)).images) == 4
    colours = axes.images[0].cmap
    assert colours(0.0) == to_rgba(VERMILLION)
    assert colours(1.0) == to_rgba(BLUE)
    assert colours(0.5)[3] == 0.0


def test_a_title_fits_over_few_images():
    model = gg.Sequential(gg.Dense(1, input_shape=(6,), name="the_first_layer"))
    axes = plotting.first_weights(model, shape=(2, 3))
    axes.figure.canvas.draw()
    assert axes._left_title.get_window_extent().x1 <= axes.figure.bbox.x1


def test_first_weights_of_a_model_with_pytorch_s_names():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    axes = plotting.first_weights(model, shape=(2, 2))
    expected = np.asarray(model.state_dict()["1.weight"])[0].reshape(2, 2)
    np.testing.assert_array_equal(np.asarray(axes.images[0].get_array()), expected)


def test_misclassified_samples_with_both_classes():
    x = np.arange(5 * 4).reshape(5, 2, 2)
    axes = plotting.misclassified(x, [0, 1, 2, 3, 4], [0, 2, 2, 1, 0], shape=(2, 2), count=2)
    assert written(axes) == ["1 → 2", "3 → 1"]
    assert axes.get_title("left") == "3 of 5 misclassified"
    for image, sample in zip(axes.images, x[[1, 3]], strict=True):
        np.testing.assert_allclose(np.asarray(image.get_array()), sample / 19)


def test_misclassified_in_colour():
    x = np.random.default_rng(0).integers(0, 256, (3, 4, 5, 3), np.uint8)
    axes = plotting.misclassified(x.reshape(3, -1), [0, 0, 0], [0, 1, 0], shape=(4, 5, 3))
    assert [image.get_array().shape for image in axes.images] == [(4, 5, 3)]


def test_nothing_misclassified_is_said():
    axes = plotting.misclassified(np.zeros((3, 4)), [0, 1, 2], [0, 1, 2], shape=(2, 2))
    assert axes.get_title("left") == "0 of 3 misclassified"
    assert len(axes.images) == 0
