"""The PyTorch users' door: its text as it stands, a loop written by hand with the bits of `fit`, gradients."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import ganglion as gg
from ganglion import nn, optim
from torch_door import batch, take_step, two_layers

# Thermometers read in °C and in an unknown unit.
CELSIUS = np.array([[0.5], [14], [15], [28], [11], [8], [3], [-4], [6], [13], [21]], np.float32)
UNKNOWN = np.array([[35.7], [55.9], [58.2], [81.9], [56.3], [48.9], [33.9], [21.8], [48.4], [60.4], [68.4]], np.float32)

DOOR = """
from collections import OrderedDict
from ganglion import nn, optim
model = nn.Sequential(OrderedDict([
    ('hidden_linear', nn.Linear(1, 8)), ('hidden_activation', nn.Tanh()), ('output_linear', nn.Linear(8, 1))]))
optimizer = optim.SGD(model.parameters(), lr=1e-3)
loss_fn = nn.MSELoss()
for epoch in range(1, n_epochs + 1):
    t_p = model(t_u)
    loss = loss_fn(t_p, t_c)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    loss.item()
[p.shape for p in model.parameters()]             # [(8, 1), (8,), (1, 8), (1,)]: (out, in), as in PyTorch
for name, p in model.named_parameters(): ...      # hidden_linear.weight, hidden_linear.bias, …; unnamed layers are "0", "2"
model.state_dict(); model.load_state_dict(sd); model.train(); model.eval(); p.grad
repr(nn.Sequential(nn.Linear(1, 13), nn.Tanh()))  # as PyTorch prints it
"""  # noqa: E501


def test_the_doors_text_runs_as_it_stands():
    layers = {"hidden_linear": nn.Linear(1, 8), "hidden_activation": nn.Tanh(), "output_linear": nn.Linear(8, 1)}
    sd = nn.Sequential(layers, seed=5).state_dict()
    names = {"n_epochs": 3000, "t_u": 0.1 * UNKNOWN, "t_c": CELSIUS, "sd": sd}
    exec(DOOR, names)
    model, loss = names["model"], names["loss"]
    assert all(np.array_equal(value, sd[name]) for name, value in model.state_dict().items())
    assert [p.shape for p in model.parameters()] == [(8, 1), (8,), (1, 8), (1,)]
    assert [name for name, _ in model.named_parameters()] == [
        "hidden_linear.weight",
        "hidden_linear.bias",
        "output_linear.weight",
        "output_linear.bias",
    ]
    assert names["p"].grad.shape == (1,)
    assert np.isfinite(names["p"].grad).all()
    # A straight line leaves 2.93, eight hidden units on the way to less; the mean alone 72.
    assert loss.item() < 6
    assert nn.MSELoss()(np.full_like(CELSIUS, CELSIUS.mean()), CELSIUS).item() > 60


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [1, 7, 128, 300])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda p: optim.SGD(p, lr=0.05), gg.SGD(0.05)),
        (lambda p: optim.SGD(p, lr=0.05, momentum=0.9), gg.SGD(0.05, momentum=0.9)),
        (
            lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01, nesterov=True),
            gg.SGD(0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
        ),
        (lambda p: optim.Adam(p, lr=0.01, betas=(0.8, 0.99)), gg.Adam(0.01, beta1=0.8, beta2=0.99)),
        (lambda p: optim.AdamW(p, lr=0.01), gg.AdamW(0.01, weight_decay=0.01)),
        (lambda p: optim.RMSprop(p), gg.RMSprop(0.01, rho=0.99)),
        (lambda p: optim.RMSprop(p, momentum=0.9), gg.RMSprop(0.01, rho=0.99, momentum=0.9)),
        (
            lambda p: optim.Adagrad(p, initial_accumulator_value=0.5, weight_decay=0.1),
            gg.AdaGrad(0.01, initial_accumulator=0.5, weight_decay=0.1),
        ),
    ],
    ids=["sgd", "momentum", "nesterov", "adam", "adamw", "rmsprop", "rmsprop_momentum", "adagrad"],
)
def test_a_loop_has_the_bits_of_fit(ours, theirs, rows, dtype):
    x, y = batch(rows, dtype)
    model = two_layers(dtype)
    fitted = model.copy()
    trainer = gg.Trainer(fitted, "mse", theirs)
    optimizer, loss_fn = ours(model.parameters()), nn.MSELoss()
    for _ in range(5):
        assert take_step(model, optimizer, loss_fn, x, y) == trainer.train_on_batch(x, y)
    for own, expected in zip(model.get_weights(), fitted.get_weights(), strict=True):
        assert np.array_equal(own, expected)


@pytest.mark.parametrize("one_hot", [False, True])
def test_cross_entropy_has_the_bits_of_fit(one_hot):
    x, _ = batch(40)
    y = np.arange(40) % 2
    model = two_layers()
    fitted = model.copy()
    trainer = gg.Trainer(fitted, "cross_entropy", gg.SGD(0.1))
    optimizer, loss_fn = optim.SGD(model.parameters(), lr=0.1), nn.CrossEntropyLoss()
    target = np.eye(2)[y] if one_hot else y
    for _ in range(5):
        assert take_step(model, optimizer, loss_fn, x, target) == trainer.train_on_batch(x, target)
    assert all(map(np.array_equal, model.get_weights(), fitted.get_weights()))


@pytest.mark.parametrize("layer", [nn.Sigmoid(), nn.Softmax(dim=1), nn.ReLU(), nn.ELU(0.5), nn.LeakyReLU(0.2)])
def test_a_loop_has_the_bits_of_fit_whatever_the_last_layer(layer):
    x, y = batch(130)
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2), layer)
    fitted = model.copy()
    trainer = gg.Trainer(fitted, "mse", gg.SGD(0.1))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        assert take_step(model, optimizer, nn.MSELoss(), x, y) == trainer.train_on_batch(x, y)
    assert all(map(np.array_equal, model.get_weights(), fitted.get_weights()))


@pytest.mark.parametrize("rows", [31, 500])
def test_a_network_for_several_threads_has_the_bits_of_fit(rows):
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(rows, 150)).astype(np.float32), generator.integers(0, 10, rows)
    model = nn.Sequential(nn.Linear(150, 200), nn.ReLU(), nn.Linear(200, 10))
    fitted = model.copy()
    trainer = gg.Trainer(fitted, "cross_entropy", gg.Adam(1e-3))
    optimizer = optim.Adam(model.parameters())
    for _ in range(3):
        assert take_step(model, optimizer, nn.CrossEntropyLoss(), x, y) == trainer.train_on_batch(x, y)
    assert all(map(np.array_equal, model.get_weights(), fitted.get_weights()))


def test_every_kernel_set_gives_the_same_bits():
    x, y = batch(200)
    results = []
    for name in [name for name, supported in gg.info().kernel_sets.items() if supported]:
        gg.use_kernel_set(name)
        try:
            model = two_layers()
            optimizer = optim.Adam(model.parameters())
            for _ in range(3):
                take_step(model, optimizer, nn.MSELoss(), x, y)
            results.append(np.concatenate([weights.ravel() for weights in model.get_weights()]))
        finally:
            gg.use_kernel_set(None)
    assert len(results) >= 2
    assert all(np.array_equal(result, results[0]) for result in results)


def test_gradients_accumulate_over_several_backwards():
    x, y = batch(20, "float64")
    loss_fn, model = nn.MSELoss(), two_layers("float64")
    singles = []
    for half in (slice(0, 10), slice(10, 20)):
        model.zero_grad()
        loss_fn(model(x[half]), y[half]).backward()
        singles.append([p.grad for p in model.parameters()])
    model.zero_grad()
    first, second = loss_fn(model(x[:10]), y[:10]), loss_fn(model(x[10:]), y[10:])
    first.backward()
    second.backward()
    for p, a, b in zip(model.parameters(), *singles, strict=True):
        assert np.array_equal(p.grad, a + b)
    # The mean over both halves has half their gradients.
    model.zero_grad()
    loss_fn(model(x), y).backward()
    for p, a, b in zip(model.parameters(), *singles, strict=True):
        np.testing.assert_allclose(p.grad, (a + b) / 2, rtol=1e-12, atol=1e-15)
        assert not np.allclose(p.grad, a + b)


def test_sums_and_multiples_of_losses_are_differentiated():
    x, y = batch(6, "float64")
    model, loss_fn = two_layers("float64"), nn.MSELoss()
    loss_fn(model(x), y).backward()
    plain = [p.grad for p in model.parameters()]
    for build, factor in [
        (lambda a, _: 2 * a, 2),
        (lambda a, _: a / 4, 0.25),
        (lambda a, b: a + b, 2),
        (lambda a, b: sum([a, b]) / 2, 1),
        (lambda a, b: 3 * a - b, 2),
        (lambda a, _: -a + 1, -1),
    ]:
        model.zero_grad()
        loss = build(loss_fn(model(x), y), loss_fn(model(x), y))
        loss.backward()
        for p, gradient in zip(model.parameters(), plain, strict=True):
            np.testing.assert_allclose(p.grad, factor * gradient, rtol=1e-14, atol=1e-17)


def test_gradients_agree_with_finite_differences():
    x, y = batch(5, "float64")
    model, loss_fn = two_layers("float64"), nn.MSELoss()
    loss_fn(model(x), y).backward()
    gradients = [p.grad for p in model.parameters()]
    state = {name: np.array(value) for name, value in model.state_dict().items()}
    for (name, value), gradient in zip(state.items(), gradients, strict=True):
        for index in np.ndindex(value.shape):
            sides = []
            for step in (1e-5, -1e-5):
                changed = value.copy()
                changed[index] += step
                model.load_state_dict(state | {name: changed})
                sides.append(loss_fn(model(x), y).item())
            slope = (sides[0] - sides[1]) / 2e-5
            assert abs(slope - gradient[index]) < 1e-8 * max(1, abs(slope))
    assert max(abs(gradient).max() for gradient in gradients) > 0.01


def test_a_forward_pass_outlives_others_and_changes_of_its_data():
    x, y = batch(9)
    model, loss_fn = two_layers(), nn.MSELoss()
    loss_fn(model(x), y).backward()
    expected = [p.grad for p in model.parameters()]
    model.zero_grad()
    mutable = x.copy()
    output = model(mutable)
    mutable[:] = 0
    for rows in (1, 3, 200):
        loss_fn(model(batch(rows, seed=rows)[0]), batch(rows, seed=rows)[1])
    loss_fn(output, y).backward()
    assert all(np.array_equal(p.grad, e) for p, e in zip(model.parameters(), expected, strict=True))


@pytest.mark.parametrize(
    "make", [lambda p: optim.SGD(p, 1e-22, 0.9), lambda p: optim.Adam(p, 1e-3)], ids=["sgd", "adam"]
)
def test_steps_that_might_overflow_have_the_bits_of_fit(make):
    x, y = batch()
    x = x * np.float32(2e10)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    fitted = model.copy()
    optimizer = make(model.parameters())
    sgd = isinstance(optimizer, optim.SGD)
    trainer = gg.Trainer(fitted, "mse", gg.SGD(1e-22, momentum=0.9) if sgd else gg.Adam(1e-3))
    before = model.get_weights()
    for _ in range(3):
        take_step(model, optimizer, nn.MSELoss(), x, y)
        assert trainer.fit(x, y, batch_size=7, shuffle=False, verbose=0).report.careful_steps == 1
    assert all(map(np.array_equal, model.get_weights(), fitted.get_weights()))
    assert not all(map(np.array_equal, model.get_weights(), before))


def test_finished_passes_leave_their_memory_to_the_next():
    program = """
import resource
import numpy as np
from ganglion import nn, optim

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

def now():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize() / 2**20

model = nn.Sequential(nn.Linear(8, 1000), nn.Tanh(), nn.Linear(1000, 1))
optimizer, loss_fn = optim.SGD(model.parameters(), lr=1e-3), nn.MSELoss()
x, y = np.ones((200, 8), np.float32), np.ones((200, 1), np.float32)

def loop(steps):
    kept = []
    for step in range(steps):
        rows = 200 - step % 7
        loss = loss_fn(model(x[:rows]), y[:rows])
        loss_fn(model(x[:50]), y[:50])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        kept.append(loss.item())
    return kept

loop(20)
before = peak()
loop(300)
print(peak() - before)
before = now()
alive = [model(x) for _ in range(100)]
print(now() - before)
"""
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    grown, held = map(float, output.split())
    assert grown < 200  # MiB; 600 passes would hold more than a thousand
    assert held > 50  # a pass that is still in somebody's hands keeps its memory


@pytest.mark.parametrize("rows", [1, 40])
def test_threads_train_models_of_their_own_side_by_side(rows):
    x, y = batch(rows)

    def train(model):
        optimizer = optim.Adam(model.parameters())
        for _ in range(50):
            take_step(model, optimizer, nn.MSELoss(), x, y)
        return model.get_weights()

    alone = [train(two_layers(seed=seed)) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: train(two_layers(seed=seed)), range(4)))
    for a, b in zip(alone, together, strict=True):
        assert all(map(np.array_equal, a, b))
