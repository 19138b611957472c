"""Networks trained on the real MNIST reach what they should. Minutes long: `pytest -m slow tests/test_mnist.py`."""

import pytest

import ganglion as gg

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mnist(mnist_folder):
    return gg.data.mnist(mnist_folder)


def relu_network(seed):
    return gg.Sequential(
        gg.Dense(512, activation="relu", input_shape=(784,)), gg.Dense(512, activation="relu"), gg.Dense(10), seed=seed
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_plain_adam_reaches_97_5_percent_in_five_epochs(mnist, seed):
    (x, y), test = mnist
    trainer = gg.Trainer(relu_network(seed), "cross_entropy", gg.Adam(1e-3), metrics=["accuracy"])
    trainer.fit(x, y, epochs=5, batch_size=128, verbose=0)
    accuracy = trainer.evaluate(*test)["accuracy"]
    print(f"seed {seed}: {accuracy:.4f}")
    assert accuracy >= 0.975


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_linear_decay_reaches_98_2_percent_in_five_epochs(mnist, seed):
    (x, y), test = mnist
    decay = gg.LinearDecay(1e-3, 0.0, steps=5 * 469)
    trainer = gg.Trainer(relu_network(seed), "cross_entropy", gg.Adam(decay), metrics=["accuracy"])
    trainer.fit(x, y, epochs=5, batch_size=128, verbose=0)
    accuracy = trainer.evaluate(*test)["accuracy"]
    print(f"seed {seed}: {accuracy:.4f}")
    assert accuracy >= 0.982


def test_the_textbooks_network_exceeds_94_percent(mnist):
    """784-50-10, sigmoid, SGD 0.1, batches of 100, 10,000 steps: chapter 4 of Saito, "Deep Learning from Scratch"."""
    (x, y), test = mnist
    model = gg.Sequential(gg.Dense(50, activation="sigmoid", input_shape=(784,)), gg.Dense(10), seed=0)
    trainer = gg.Trainer(model, "cross_entropy", gg.SGD(0.1), metrics=["accuracy"])
    steps = [
        trainer.fit(x[:rows], y[:rows], epochs=epochs, batch_size=100, verbose=0).report.steps
        for epochs, rows in ((16, 60_000), (1, 40_000))
    ]
    assert sum(steps) == 10_000
    accuracy = trainer.evaluate(*test)["accuracy"]
    print(f"{accuracy:.4f}")
    assert accuracy > 0.94
