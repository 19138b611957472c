"""Two settings that decide most: the learning rate and the batch size, and how they hang together.

Too small a rate hardly gets anywhere in the time one has; too large a one throws the weights to where nothing is
learned any more. A larger batch means fewer steps in a pass over the data, each along a better gradient. With a rate
that grows as the batch does, the loss comes down as quickly with large batches as with small ones, as long as the rate
itself is not too large: the rule of Goyal et al., "Accurate, Large Minibatch SGD", 2017.

Try: momentum=0.9 with rates ten times smaller; `gg.Adam` in place of `gg.SGD`; more epochs; another seed.

    python examples/12_learning_rate_and_batch_size.py
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import ganglion as gg
from ganglion import plotting


def digits():
    """Images to train on and to test with, each set as (images, labels)."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    x, x_test, y, y_test = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    return (x, y), (x_test, y_test)


def train(training, test, *, rate, batch_size, epochs):
    """Train with plain descent: the loss of each epoch, and the share of right answers of the test set."""
    model = gg.Sequential([gg.Dense(32, activation="relu", input_shape=(64,)), gg.Dense(10)], seed=0)
    trainer = gg.Trainer(model, "cross_entropy", gg.SGD(rate), metrics=["accuracy"])
    history = trainer.fit(*training, epochs=epochs, batch_size=batch_size, verbose=0)
    return history.history["loss"], trainer.evaluate(*test)["accuracy"]


def learning_rates(rates, epochs, training, test):
    print(f"batches of 32, {epochs} epochs")
    print(f"{'rate':>8}{'loss of epoch 1':>18}{f'of epoch {epochs}':>14}{'right of the test set':>24}")
    curves = {}
    for rate in rates:
        curves[f"{rate:g}"], right = train(training, test, rate=rate, batch_size=32, epochs=epochs)
        first, last = curves[f"{rate:g}"][0], curves[f"{rate:g}"][-1]
        print(f"{rate:8g}{first:18.3g}{last:14.3g}{right:24.1%}")
    return curves


def batch_sizes(sizes, epochs, training, test):
    """Each size with one rate for all, and with a rate that grows with the batch."""
    print(f"\n{epochs} epochs{'rate 0.1':>30}{'rate 0.1 · batch / 32':>34}")
    print(f"{'batch':>8}{'steps':>8}{'last loss':>14}{'test':>8}{'rate':>18}{'last loss':>14}{'test':>8}")
    fixed, scaled = [], []
    for size in sizes:
        steps = -(-len(training[0]) // size) * epochs
        losses, right = train(training, test, rate=0.1, batch_size=size, epochs=epochs)
        rate = 0.1 * size / 32
        others, others_right = train(training, test, rate=rate, batch_size=size, epochs=epochs)
        print(f"{size:8}{steps:8}{losses[-1]:14.3g}{right:8.1%}", end="")
        print(f"{rate:18.4g}{others[-1]:14.3g}{others_right:8.1%}")
        fixed.append(right)
        scaled.append(others_right)
    return {"rate 0.1": fixed, "rate 0.1 · batch / 32": scaled}


def main(quick: bool, pictures: Path) -> None:
    sets = digits()
    rates = [0.001, 0.1, 10] if quick else [0.0001, 0.001, 0.01, 0.1, 1, 3, 10]
    sizes = [8, 128] if quick else [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]
    curves = learning_rates(rates, 3 if quick else 20, *sets)
    right = batch_sizes(sizes, 3 if quick else 20, *sets)

    pictures.mkdir(parents=True, exist_ok=True)
    path = pictures / "12_learning_rate_and_batch_size.png"
    panels = plotting.panels(2, path=path)
    epochs = range(1, len(next(iter(curves.values()))) + 1)
    plotting.lines(epochs, curves, panels[0], xlabel="epoch", ylabel="loss", log=True, title="learning rate")
    words = {"xlabel": "rows in a batch", "ylabel": "right of the test set", "title": "batch size"}
    plotting.lines(sizes, right, panels[1], log="x", **words)
    panels[1].set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    plotting.finish(panels, path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rates, sizes and epochs")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
