"""What the PyTorch users' door hands out: outputs, losses, parameters, layers, models and optimizers as objects."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import ganglion as gg
from ganglion import nn, optim
from torch_door import batch, take_step, two_layers


def test_losses_and_outputs_are_numbers_and_arrays():
    x, y = batch()
    model = two_layers()
    output = model(x)
    assert np.array_equal(np.asarray(output), model.predict(x))
    for plain in (output.numpy(), output.detach(), np.asarray(output), output.tolist(), copy.deepcopy(output)):
        assert type(plain) in (np.ndarray, list)
        assert np.array_equal(plain, model.predict(x))
    assert output.shape == (7, 2)
    assert (output.numel(), len(output), output.dtype) == (14, 7, np.float32)
    assert output[3, 1] == model.predict(x)[3, 1]
    assert type(pickle.loads(pickle.dumps(output))) is np.ndarray
    loss = nn.MSELoss()(output, y)
    assert isinstance(loss, float)
    assert loss.shape == np.asarray(loss).shape == loss.numpy().shape == ()
    assert type(loss.item()) is float
    assert f"{loss:.3f}" == f"{loss.item():.3f}"
    assert type(pickle.loads(pickle.dumps(loss))) is float
    assert abs(loss.item() - np.mean((model.predict(x) - y) ** 2)) < 1e-6


def test_outputs_of_one_column_meet_targets_of_both_shapes():
    model, loss_fn = nn.Sequential(nn.Linear(3, 1)), nn.MSELoss()
    x, y = batch()
    column = y[:, :1]
    losses, gradients = set(), []
    for output in (model(x), model(x).squeeze(), model(x).flatten(), model(x).view(-1), model(x).reshape(7)):
        for target in (column, column[:, 0], column.astype(np.float64), column[:, 0].tolist()):
            loss = loss_fn(output, target)
            model.zero_grad()
            loss.backward()
            losses.add(loss.item())
            gradients.append(next(model.parameters()).grad)
    assert len(losses) == 1
    assert all(np.array_equal(gradient, gradients[0]) for gradient in gradients)
    assert abs(losses.pop() - np.mean((model.predict(x) - column) ** 2)) < 1e-6


def test_parameters_are_live_views():
    model = two_layers()
    weight = next(model.parameters())
    before = np.array(weight)
    assert np.shares_memory(weight, model.network.parameters()[0])
    assert np.array_equal(weight.T, model.get_weights()[0])
    assert weight.grad is None
    x, y = batch()
    take_step(model, optim.SGD(model.parameters(), lr=0.1), nn.MSELoss(), x, y)
    assert not np.array_equal(weight, before)
    assert np.array_equal(weight, before - np.float32(0.1) * weight.grad)
    assert sum(p.numel() for p in model.parameters()) == 32
    assert np.array_equal(model.state_dict()["0.weight"], weight)
    assert isinstance(copy.deepcopy(weight), np.ndarray)
    assert copy.deepcopy(model.state_dict())["0.weight"].flags.writeable


def test_layers_are_found_by_number_and_name():
    model = nn.Sequential(OrderedDict(hidden=nn.Linear(3, 4), act=nn.Tanh(), out=nn.Linear(4, 1, bias=False)))
    assert model.hidden.weight.shape == model[0].weight.shape == (4, 3)
    assert model.hidden.bias.shape == (4,)
    assert (model[2].in_features, model[-1].out_features, model.out.bias) == (4, 1, None)
    assert [repr(layer) for layer in model][1:] == ["Tanh()", "Linear(in_features=4, out_features=1, bias=False)"]
    assert len(model) == 3
    assert [name for name, _ in model.hidden.named_parameters()] == ["weight", "bias"]
    assert [p.shape for p in model.hidden.parameters()] == [(4, 3), (4,)]
    with pytest.raises(AttributeError):
        model.missing  # noqa: B018
    with pytest.raises(AttributeError):
        model.act.weight  # noqa: B018


def test_a_slice_says_how_layers_are_copied():
    model = two_layers()
    with pytest.raises(TypeError, match=r"^a model is not sliced, as two models share no parameters; ") as caught:
        model[0:2]
    code = str(caught.value).partition("layers: ")[2]
    names = {"nn": nn, "model": model}
    exec(code, names)
    x, _ = batch()
    first = np.tanh(x @ np.asarray(model[0].weight).T + np.asarray(model[0].bias))
    np.testing.assert_allclose(names["part"](x), first, rtol=1e-5, atol=1e-6)


def test_a_model_prints_as_in_pytorch():
    model = nn.Sequential(
        nn.Linear(1, 13), nn.Tanh(), nn.LeakyReLU(0.1), nn.ELU(), nn.Linear(13, 2, bias=False), nn.Softmax(dim=1)
    )
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Linear(in_features=1, out_features=13, bias=True)\n"
        "  (1): Tanh()\n"
        "  (2): LeakyReLU(negative_slope=0.1)\n"
        "  (3): ELU(alpha=1.0)\n"
        "  (4): Linear(in_features=13, out_features=2, bias=False)\n"
        "  (5): Softmax(dim=1)\n"
        ")"
    )
    assert repr(nn.MSELoss()) == "MSELoss()"


@pytest.mark.parametrize("give", [lambda *ls: ls, lambda *ls: [list(ls)], lambda *ls: [{"0": ls[0], "1": ls[1]}]])
def test_layers_come_as_arguments_list_or_dictionary(give):
    model = nn.Sequential(*give(nn.Linear(2, 3), nn.ReLU(inplace=True)))
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]
    assert model(np.ones((4, 2))).shape == (4, 3)


def test_initial_weights_have_pytorchs_distribution():
    model = nn.Sequential(nn.Linear(400, 300), seed=3)
    weight, bias = (np.asarray(p) for p in model.parameters())
    for values, count in ((weight, weight.size), (bias, bias.size)):
        assert np.abs(values).max() <= 0.05
        assert abs(values.mean()) < 4 * 0.05 / np.sqrt(3 * count)
        assert abs(values.var() / (0.05**2 / 3) - 1) < 4 * np.sqrt(0.8 / count)
    assert np.abs(weight).max() > 0.0499


def test_the_one_sequential_behind_the_doors(tmp_path):
    x, y = batch()
    model = two_layers()
    take_step(model, optim.Adam(model.parameters()), nn.MSELoss(), x, y)
    assert isinstance(model, gg.Sequential)
    model.save(tmp_path / "model.safetensors")
    loaded = gg.load(tmp_path / "model.safetensors")
    assert np.array_equal(loaded.predict(x), model(x))
    for twin in (model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert isinstance(twin, nn.Sequential)
        assert twin.training
        assert np.array_equal(twin(x), model(x))
    gg.Trainer(model, "mse").fit(x, y, verbose=0)
    assert gg.verify(model, x, y, "mse").ok
    assert model.eval() is model
    assert not model.training
    assert model.train().training


def test_a_model_whose_first_layer_keeps_sizes_is_built():
    model = nn.Sequential(nn.Tanh(), nn.Linear(4, 2))
    assert model.input_shape == (4,)
    late = nn.Sequential(nn.Softmax(dim=1))
    assert late(np.ones((2, 5))).shape == (2, 5)


def test_groups_have_rates_of_their_own():
    x, y = batch()
    model = two_layers()
    first, second = model[0].parameters(), model[2].parameters()
    optimizer = optim.SGD([{"params": first, "lr": 0.0}, {"params": second}], lr=0.1)
    before = model.get_weights()
    take_step(model, optimizer, nn.MSELoss(), x, y)
    after = model.get_weights()
    assert [np.array_equal(a, b) for a, b in zip(before, after, strict=True)] == [True, True, False, False]
    optimizer.param_groups[0]["lr"] = 0.1
    take_step(model, optimizer, nn.MSELoss(), x, y)
    assert not np.array_equal(model.get_weights()[0], after[0])


def test_options_written_later_hold_from_then_on():
    x, y = batch()
    model, twin = two_layers(), two_layers()
    changed = optim.SGD(model.parameters(), lr=0.1)
    trainer = gg.Trainer(twin, "mse", gg.SGD(0.1, momentum=0.5))
    changed.param_groups[0]["momentum"] = 0.5
    changed.param_groups[0].update(lr=0.2)
    changed.param_groups[0]["lr"] /= 2
    for _ in range(3):
        take_step(model, changed, nn.MSELoss(), x, y)
        trainer.train_on_batch(x, y)
    assert all(map(np.array_equal, model.get_weights(), twin.get_weights()))


def test_two_optimizers_share_a_models_gradients():
    x, y = batch()
    model, twin = two_layers(), two_layers()
    optimizers = [optim.SGD(model[0].parameters(), lr=0.1), optim.SGD(model[2].parameters(), lr=0.1)]
    for _ in range(2):
        loss = nn.MSELoss()(model(x), y)
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        take_step(twin, optim.SGD(twin.parameters(), lr=0.1), nn.MSELoss(), x, y)
    assert all(map(np.array_equal, model.get_weights(), twin.get_weights()))


def test_a_closure_is_called_and_its_value_returned():
    x, y = batch()
    model = two_layers()
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(x), y)
        loss.backward()
        return loss

    values = [optimizer.step(closure) for _ in range(5)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1]
