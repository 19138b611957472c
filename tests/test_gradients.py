"""Gradients against central differences of the loss they belong to, in float64."""

import numpy as np
import pytest

from cases import ALPHA, DELTA, ENDS, LOSSES, Case, last_activation, loss_options, native_loss, numbers, options
from ganglion import reference
from ganglion._native import _ganglion_core as core
from tolerance import largest_sum, without

STEP = 1e-5  # the differences' own error: STEP² from the third derivative, 1e-16 / STEP from rounding
TOLERANCE = 1e-6
FROM_KINK = 1e-3  # no preactivation closer to 0, so that no step crosses a kink

SHAPES = [(3, 4), (5, 6, 3), (4, 7, 5, 6), (6, 5, 5, 5, 3)]
ACTIVATIONS = [name for name, row in reference.ACTIVATIONS.items() if row.backward is not None]
NETWORKS = [
    (activation, loss, target, SHAPES[number % len(SHAPES)], number)
    for number, (activation, (loss, target)) in enumerate(
        (activation, loss) for activation in ACTIVATIONS for loss in LOSSES
    )
]


def network(activation, loss, target, widths, seed):
    """A case and its model in the reference, with no preactivation and no error near a kink."""
    last = last_activation(activation, loss)
    for attempt in range(100):
        case = Case(activation, loss, target, widths, rows=5, last_activation=last, seed=1000 * seed + attempt)
        model = case.reference()
        output = model.forward(case.x())
        distances = [np.abs(layer.x).min() for layer in model.layers[1::2]]
        if loss in ENDS:  # logarithms of probabilities near 0, and of 1 minus those near 1, magnify the step
            distances += [output.min(), 1 - output.max()]
        if target == "values":
            error = np.abs(output - case.y())
            distances += [error.min()] * (loss == "mae") + [np.abs(error - DELTA).min()] * (loss == "huber")
        if min(distances) > FROM_KINK:
            return case, model
    raise AssertionError("100 networks in a row had a preactivation near 0")


def central_differences(value, arrays):
    """∂value/∂a for every element a of every array."""
    gradients = []
    for array in arrays:
        gradient = np.empty_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + STEP
            above = value()
            array[place] = kept - STEP
            gradient[place] = (above - value()) / (2 * STEP)
            array[place] = kept
        gradients.append(gradient)
    return gradients


def disagreement(gradients, differences):
    """The largest difference of any array, relative to the largest element of all of them."""
    size = max(np.abs(array).max() for array in differences)
    return max(np.abs(a - b).max() for a, b in zip(gradients, differences, strict=True)) / size


def loss_of(model, x, y, loss):
    return reference.LOSSES[loss].function(model.forward(x), y, **loss_options(loss))[0]


@pytest.mark.parametrize(("activation", "loss", "target", "widths", "seed"), NETWORKS)
def test_reference_gradients_are_those_of_the_loss(activation, loss, target, widths, seed):
    case, model = network(activation, loss, target, widths, seed)
    x, y = case.x(), case.y()
    _, gradients = model.gradients(x, y, loss, **loss_options(loss))
    differences = central_differences(lambda: loss_of(model, x, y, loss), model.parameters)
    assert disagreement(gradients, differences) < TOLERANCE


def test_there_are_sixty_networks():
    assert len(NETWORKS) >= 60


@pytest.mark.parametrize(("activation", "loss", "target", "widths", "seed"), NETWORKS[::5])
def test_wrong_gradients_are_found(activation, loss, target, widths, seed):
    case, model = network(activation, loss, target, widths, seed)
    x, y = case.x(), case.y()
    _, gradients = model.gradients(x, y, loss, **loss_options(loss))
    differences = central_differences(lambda: loss_of(model, x, y, loss), model.parameters)
    last = model.layers[-2]
    product = largest_sum(last.x.T, last.dy)
    row = np.abs(last.dy).max(axis=1).argmax()
    wrong = {
        "wrong sign": [-gradient for gradient in gradients],
        "one row's product dropped": [*gradients[:-2], without(gradients[-2], *product), gradients[-1]],
        "bias summed without one row": [*gradients[:-1], gradients[-1] - last.dy[row]],
        "mean for sum": [gradient / len(x) for gradient in gradients],
    }
    for name, mutant in wrong.items():
        assert disagreement(mutant, differences) > TOLERANCE, name


@pytest.mark.parametrize(("activation", "loss", "target", "widths", "seed"), NETWORKS)
def test_gradients_of_the_core_are_those_of_its_loss(activation, loss, target, widths, seed):
    case = network(activation, loss, target, widths, seed)[0]
    model = case.core(core, "float64")
    optimizer, schedule = core.Optimizer("sgd"), core.Schedule("constant", 1.0, 0.0, 1)
    training = core.Training(model, native_loss(core, loss), target, optimizer, schedule, [])
    context, feed, weights = core.Context(None, 1), case.feed(core, "float64"), case.weights()

    def value():
        for index, array in enumerate(weights):
            model.assign(index, array)
        return training.evaluate(context, feed).loss

    gradients = training.gradients(context, feed).arrays
    differences = central_differences(value, weights)
    assert disagreement(gradients, differences) < TOLERANCE
    assert disagreement([-gradient for gradient in gradients], differences) > TOLERANCE


def activation_differences(activation):
    """Some z and dh, and dz of them."""
    row = reference.ACTIVATIONS[activation]
    z, dh = np.array([[-1.5, -0.25, 0.5, 2.0]]), np.array([[1.0, -2.0, 3.0, 0.5]])
    (dz,) = central_differences(lambda: float((dh * row.function(z, **options(activation))).sum()), [z])
    return z, dh, dz


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_backward_is_the_derivative_of_forward(activation):
    z, dh, differences = activation_differences(activation)
    dz = reference.ACTIVATIONS[activation].backward(dh, z, **options(activation))
    assert disagreement([dz], [differences]) < TOLERANCE


# Each is right but for what its name says.
WRONG_BACKWARD = {
    "sigmoid without 1 − h": ("sigmoid", lambda dh, z: dh * reference.sigmoid(z)),
    "tanh without the square": ("tanh", lambda dh, z: dh * (1 - np.tanh(z))),
    "relu of the wrong side": ("relu", lambda dh, z: np.where(z < 0, dh, 0)),
    "leaky_relu without its slope": ("leaky_relu", lambda dh, z: np.where(z > 0, dh, 0)),
    "elu without alpha": ("elu", lambda dh, z: dh * np.where(z > 0, 1, np.exp(z))),
    "selu without its scale": ("selu", lambda dh, z: dh * reference.elu_derivative(z, 1.6732632423543772)),
    "softplus of the other sign": ("softplus", lambda dh, z: dh * reference.sigmoid(-z)),
    "swish without its second term": ("swish", lambda dh, z: dh * reference.sigmoid(z)),
    "gelu without its second term": ("gelu", lambda dh, z: dh * reference.normal_distribution(z)),
    "gelu_tanh with the derivative of gelu": ("gelu_tanh", lambda dh, z: dh * reference.gelu_derivative(z)),
    "softmax without the sum over the row": ("softmax", lambda dh, z: dh * reference.softmax(z)),
}


@pytest.mark.parametrize("name", WRONG_BACKWARD)
def test_a_wrong_backward_is_found(name):
    activation, backward = WRONG_BACKWARD[name]
    z, dh, differences = activation_differences(activation)
    assert disagreement([backward(dh, z)], [differences]) > TOLERANCE


def test_the_wrong_backwards_differ_in_what_they_say():
    assert ALPHA not in (0, 1)
    assert {activation for activation, _ in WRONG_BACKWARD.values()} == set(ACTIVATIONS) - {"identity"}


def test_matmul_backward_is_the_derivative_of_matmul():
    a, b, dc = numbers(3, 4, seed=0), numbers(4, 5, seed=1), numbers(3, 5, seed=2)
    differences = central_differences(lambda: float((dc * reference.matmul(a, b)).sum()), [a, b])
    da, db = reference.matmul_backward(a, b, dc)
    assert disagreement([da, db], differences) < TOLERANCE
    assert disagreement([-da, db], differences) > TOLERANCE
