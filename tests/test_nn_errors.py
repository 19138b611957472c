"""What the PyTorch users' door refuses, with the text that says so."""

import operator
import re

import numpy as np
import pytest

import ganglion as gg
from ganglion import nn, optim
from ganglion.errors import TrainingDivergedError
from torch_door import batch, take_step, two_layers

NOT_DIFFERENTIATED = "only losses from nn are differentiated; use nn.MSELoss()"
X, Y = batch()


def one_column():
    return nn.Sequential(nn.Linear(3, 1))


def raises(error, text):
    return pytest.raises(error, match=f"^{re.escape(text)}$")


@pytest.mark.parametrize(
    "arithmetic",
    [
        lambda output, p: output,
        lambda output, p: ((output - Y) ** 2).mean(),
        lambda output, p: np.mean((output - Y) ** 2),
        lambda output, p: (output - Y).sum(),
        lambda output, p: np.square(Y - output),
        lambda output, p: output[:3],
        lambda output, p: output.T,
        lambda output, p: nn.MSELoss()(operator.imul(output, 2), Y),
        lambda output, p: nn.MSELoss()(operator.isub(output.reshape(-1, 2), Y), Y),
        lambda output, p: nn.MSELoss()(2 * output, Y),
        lambda output, p: nn.MSELoss()(output.numpy(), Y),
        lambda output, p: nn.MSELoss()(output[:3], Y[:3]),
        lambda output, p: nn.MSELoss()(output, Y) ** 2,
        lambda output, p: nn.MSELoss()(output, Y) ** 0.5 * 3,
        lambda output, p: 1 / nn.MSELoss()(output, Y),
        lambda output, p: nn.MSELoss()(output, Y) * nn.MSELoss()(output, Y),
        lambda output, p: nn.MSELoss()(output, Y) * float("nan"),
        lambda output, p: nn.MSELoss()(output, Y) + 0.01 * (p**2).sum(),
        lambda output, p: 0.01 * (p**2).sum() + nn.MSELoss()(output, Y),
        lambda output, p: nn.MSELoss()(output, Y) + (p**2).sum() * 0.01,
        lambda output, p: nn.MSELoss()(output, Y) + np.float64(1),
        lambda output, p: np.float64(2) * nn.MSELoss()(output, Y),
        lambda output, p: np.float32(1) - nn.MSELoss()(output, Y),
        lambda output, p: np.sqrt(nn.MSELoss()(output, Y)),
        lambda output, p: np.maximum(0.0, nn.MSELoss()(output, Y)),
        lambda output, p: nn.MSELoss()(output, Y).detach(),
        lambda output, p: (p**2).sum(),
    ],
)
def test_arithmetic_is_not_differentiated(arithmetic):
    model = two_layers()
    with raises(RuntimeError, NOT_DIFFERENTIATED):
        arithmetic(model(X), next(model.parameters())).backward()
    assert all(p.grad is None for p in model.parameters())


def test_backward_after_step_without_zero_grad():
    model = two_layers()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    take_step(model, optimizer, nn.MSELoss(), X, Y)
    loss = nn.MSELoss()(model(X), Y)
    gradient = next(model.parameters()).grad
    with raises(
        RuntimeError,
        "backward() after step() without zero_grad(): the gradients that the step used are still there and these "
        "would be "
        "added to them; call optimizer.zero_grad() before loss.backward()",
    ):
        loss.backward()
    assert np.array_equal(next(model.parameters()).grad, gradient)
    optimizer.zero_grad()
    loss.backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda model: take_step(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), X, Y),
        lambda model: model.load_state_dict(dict(model.state_dict())),
        lambda model: model.set_weights(model.get_weights()),
        lambda model: gg.Trainer(model, "mse").fit(X, Y, verbose=0),
    ],
    ids=["step", "load_state_dict", "set_weights", "fit"],
)
def test_backward_of_a_forward_pass_older_than_the_weights(change):
    model = two_layers()
    loss = nn.MSELoss()(model(X), Y)
    change(model)
    model.zero_grad()
    with raises(
        RuntimeError,
        "this forward pass is older than the weights, which have changed since; call model(x) again and take the "
        "loss of its output",
    ):
        loss.backward()
    assert all(p.grad is None for p in model.parameters())


def test_backward_twice():
    model = two_layers()
    loss = nn.MSELoss()(model(X), Y)
    loss.backward()
    with raises(RuntimeError, "backward() was called on this loss before: a second call would count it twice"):
        loss.backward()


def test_step_without_gradients():
    model = two_layers()
    optimizer = optim.Adam(model.parameters())
    text = "step() without gradients: call loss.backward() after zero_grad() and before step()"
    with raises(RuntimeError, text):
        optimizer.step()
    nn.MSELoss()(model(X), Y).backward()
    optimizer.zero_grad()
    with raises(RuntimeError, text):
        optimizer.step()


@pytest.mark.parametrize(
    ("loss", "model", "target", "error", "text"),
    [
        (
            nn.MSELoss(),
            two_layers,
            Y[:, 0],
            ValueError,
            "target must have the shape of the outputs, (n, 2); given (7,); for classes pass one-hot rows, "
            "np.eye(2)[target], or use loss='cross_entropy'",
        ),
        (
            nn.MSELoss(),
            one_column,
            Y[:, :1].T,
            ValueError,
            "target must have a row for each of the output's 7; given (1, 7)",
        ),
        (
            nn.MSELoss(),
            two_layers,
            Y[:5],
            ValueError,
            "target must have a row for each of the output's 7; given (5, 2)",
        ),
        (nn.MSELoss(), two_layers, 1.0, ValueError, "target must have a row for each of the output's 7; given ()"),
        (
            nn.MSELoss(),
            two_layers,
            Y[:, :, None],
            ValueError,
            "target must have the shape of the outputs, (n, 2); given (7, 2, 1)",
        ),
        (
            nn.MSELoss(),
            two_layers,
            np.where(np.arange(14).reshape(7, 2) == 5, np.nan, Y),
            ValueError,
            "target must be finite; target[2, 1] is nan; remove such rows or fill the gaps",
        ),
        (nn.MSELoss(), two_layers, None, TypeError, "target is missing: give one target for each row; given None"),
        (
            nn.CrossEntropyLoss(),
            two_layers,
            np.arange(7),
            ValueError,
            "target must hold labels 0 to 1, as the model has 2 outputs; target[2] is 2; give the last layer at "
            "least 3 "
            "units, or renumber them",
        ),
        (
            nn.CrossEntropyLoss(),
            two_layers,
            np.array([0, 1, -1, 0, 0, 0, 0]),
            ValueError,
            "target must hold labels 0 to 1, as the model has 2 outputs; target[2] is -1; classes count "
            "from 0: renumber them, or remove such rows",
        ),
        (
            nn.CrossEntropyLoss(),
            two_layers,
            np.array([0, 1, 0.5, 0, 0, 0, 0]),
            ValueError,
            "target must hold labels 0 to 1, as the model has 2 outputs; target[2] is 0.5, not a whole "
            "number: use loss='mse' for values that are no classes",
        ),
        (
            nn.CrossEntropyLoss(),
            one_column,
            np.zeros(7, int),
            ValueError,
            "cross_entropy needs one output per class, at least 2; the model has 1: end it in Dense(2) for two "
            "classes, "
            "or use loss='binary_cross_entropy' or loss='mse'",
        ),
        (
            nn.CrossEntropyLoss(),
            lambda: nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=1)),
            np.zeros(7, int),
            ValueError,
            "CrossEntropyLoss takes logits and applies the softmax itself, and the model ends in one: remove the "
            "model's "
            "last layer, Softmax()",
        ),
    ],
)
def test_targets_that_do_not_fit(loss, model, target, error, text):
    with raises(error, text):
        loss(model()(X), target)


def test_a_column_against_a_row_is_not_broadcast():
    output = one_column()(X)
    assert abs(nn.MSELoss()(output, Y[:, 0]).item() - np.mean((output.numpy()[:, 0] - Y[:, 0]) ** 2)) < 1e-6
    with raises(ValueError, "target must have a row for each of the output's 7; given (1, 7)"):
        nn.MSELoss()(output, Y[None, :, 0])
    with raises(ValueError, "target must have the shape of the outputs, (n, 1); given (7, 7)"):
        nn.MSELoss()(output, np.zeros((7, 7), np.float32))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: two_layers()(X[0]),
            ValueError,
            "x must have shape (n, 3), 3 being what the model takes; given (3,); for one sample pass x[None, :]",
        ),
        (lambda: two_layers()(X[:0]), ValueError, "x must have at least one row; given (0, 3)"),
        (
            lambda: two_layers()(np.where(np.arange(21).reshape(7, 3) == 4, np.inf, X)),
            ValueError,
            "x[1, 1] is inf; every feature must be a finite number: remove the row or fill the gap",
        ),
        (
            lambda: nn.Sequential(nn.Linear(2, 1))(two_layers()(X)),
            ValueError,
            "x is the output of another model, and gradients do not flow from one model to another: put the "
            "layers into "
            "one nn.Sequential, or pass x.detach()",
        ),
        (
            lambda: nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 1)),
            ValueError,
            "layer '1' has input_shape (5,), but layer '0' gives (4,)",
        ),
        (
            lambda: nn.Sequential(gg.Dense(2, kernel_regularizer="l2", input_shape=(3,)))(X),
            ValueError,
            "layer '0' has a kernel_regularizer, which is no part of nn's losses: use the optimizer's weight_decay, "
            "or a Trainer",
        ),
        (lambda: nn.Linear(0, 1), ValueError, "in_features must be at least 1; given 0"),
        (lambda: nn.Linear(1, 2.0), TypeError, "out_features must be an integer; given 2.0 of type float"),
        (lambda: nn.Linear(1, 2, bias=0), TypeError, "bias must be True or False; given 0 of type int"),
        (lambda: nn.Softmax(dim=0), ValueError, "dim must be 1 or -1, the features of a row; given 0"),
        (lambda: nn.ELU(alpha=-1), ValueError, "alpha must be finite and >= 0; given -1"),
        (
            lambda: nn.MSELoss(reduction="sum"),
            ValueError,
            "reduction must be 'mean'; given 'sum': multiply the mean by the number of elements instead",
        ),
        (
            lambda: nn.Module,
            AttributeError,
            "module 'ganglion.nn' has no attribute 'Module': a network is an nn.Sequential of layers",
        ),
        (lambda: nn.Upsample, AttributeError, "module 'ganglion.nn' has no attribute 'Upsample'"),
        (
            lambda: optim.lr_scheduler,
            AttributeError,
            "module 'ganglion.optim' has no attribute 'lr_scheduler': set optimizer.param_groups[0]['lr'] where "
            "the rate is "
            "to change",
        ),
        (
            lambda: two_layers().double,
            AttributeError,
            "a model has no double(): its type is chosen when it is made, nn.Sequential(…, dtype='float64')",
        ),
        (lambda: two_layers().to, AttributeError, "a model has no to(): it runs on the CPU; leave the call out"),
        (
            lambda: two_layers().load_state_dict({"0.weight": np.zeros((5, 3))}),
            ValueError,
            "the state lacks 0.bias, 2.weight, 2.bias",
        ),
        (
            lambda: two_layers().load_state_dict(dict(two_layers().state_dict(), extra=1)),
            ValueError,
            "the state has extra, which the model lacks",
        ),
        (
            lambda: two_layers().load_state_dict(dict(two_layers().state_dict()) | {"0.weight": np.zeros((3, 5))}),
            ValueError,
            "0.weight must have shape (5, 3); given (3, 5); pass its transpose, .T",
        ),
        (lambda: two_layers().train(1), TypeError, "mode must be True or False; given 1 of type int"),
    ],
)
def test_models_and_layers(call, error, text):
    with raises(error, text):
        call()


def in_place(model):
    weight = next(model.parameters())
    weight -= 0.1


def by_index(model):
    next(model.parameters())[0, 0] = 1


@pytest.mark.parametrize("write", [in_place, by_index])
def test_parameters_are_not_written_in_place(write):
    model = two_layers()
    before = model.get_weights()
    with raises(
        TypeError,
        "a parameter is not written in place: use an optimizer's step(), model.load_state_dict(state) or "
        "model.set_weights(weights)",
    ):
        write(model)
    assert all(map(np.array_equal, model.get_weights(), before))
    for array in (next(model.parameters()).detach(), model.state_dict()["0.weight"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 1


def test_gradients_are_not_written():
    model = two_layers()
    nn.MSELoss()(model(X), Y).backward()
    with pytest.raises(ValueError, match="read-only"):
        next(model.parameters()).grad[0, 0] = 1


@pytest.mark.parametrize(
    ("dtype", "rate", "scale", "layer", "what"),
    [("float32", 0.1, 1e30, "2", "loss"), ("float32", 1e30, 1e12, "0", "update"), ("float64", 0.1, 1e200, "2", "loss")],
)
def test_what_is_not_finite_never_reaches_the_weights(dtype, rate, scale, layer, what):
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2), dtype=dtype)
    optimizer = optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    take_step(model, optimizer, nn.MSELoss(), X, Y) if rate < 1 else None
    before = model.get_weights()
    with raises(
        TrainingDivergedError,
        f"layer '{layer}': the {what} of step {2 if rate < 1 else 1} is not a finite number; the weights are "
        f"those of the step "
        "before. Lower the learning rate"
        + (', scale the inputs, or train with dtype="float64"' if dtype == "float32" else " or scale the inputs"),
    ):
        take_step(model, optimizer, nn.MSELoss(), X * np.array(scale, dtype), Y)
    assert all(map(np.array_equal, model.get_weights(), before))
    model.zero_grad()
    optimizer.param_groups[0]["lr"] = 0.1
    take_step(model, optimizer, nn.MSELoss(), X, Y)
    assert not np.array_equal(model.get_weights()[0], before[0])


def test_a_softmax_of_one_output_is_refused():
    model = nn.Sequential(nn.Linear(3, 1), nn.Softmax(dim=1))
    text = (
        "the model ends in a softmax of one output, which is 1 whatever the weights are, so that nothing would be "
        "learned; end it in nn.Sigmoid()"
    )
    with raises(ValueError, text):
        nn.BCELoss()(model(X), np.ones((len(X), 1)))
    two = nn.Sequential(nn.Linear(3, 2), nn.Softmax(dim=1))
    nn.BCELoss()(two(X), np.ones((len(X), 2))).backward()
    assert next(two.parameters()).grad.any()


@pytest.mark.parametrize("values", [[0.5, 1.0, 1.5], np.array([[0.0], [-0.25], [1.0]])])
def test_what_is_no_probability_is_refused(values):
    with pytest.raises(
        ValueError, match=r"^BCELoss takes probabilities, from 0 to 1; input\[\d.*\] is (1.5|-0.25): end"
    ):
        nn.BCELoss()(values, [0, 1, 1])
    assert nn.BCELoss()(np.clip(values, 0, 1), [0, 1, 1]).item() > 0
