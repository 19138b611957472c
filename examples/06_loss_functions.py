"""Loss functions: one number for how wrong an output is, small where it is right.

The sum of squares, ½ Σ (y − t)², for any outputs; the cross entropy, −Σ t log y, for probabilities: it looks at that of
the right class alone, and punishes being sure of the wrong one without limit.

Try: outputs of your own in EXAMPLES; a probability of 0 for the right class, and why its loss is 16.1 and not infinite.

    python examples/06_loss_functions.py
"""

import argparse
from pathlib import Path

import numpy as np

import ganglion as gg
import ganglion.functional as F
from ganglion import plotting

TARGET = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0]  # a 2, one-hot
EXAMPLES = {
    "sure of the 2, and right": [0.1, 0.05, 0.6, 0.0, 0.05, 0.1, 0.0, 0.1, 0.0, 0.0],
    "sure of a 7, and wrong": [0.1, 0.05, 0.1, 0.0, 0.05, 0.1, 0.0, 0.6, 0.0, 0.0],
    "no idea": [0.1] * 10,
}


def of_one_image():
    print("Ten probabilities of an image that shows a 2   sum of squares   cross entropy")
    for name, y in EXAMPLES.items():
        print(f"  {name:40} {F.sum_squares_error(y, TARGET):18.6f} {F.cross_entropy_error(y, TARGET):15.6f}")
    print(f"  No idea among ten classes costs ln 10 = {np.log(10):.6f}: a network's first loss, if all is well.")


def of_a_batch():
    batch = np.array(list(EXAMPLES.values()))
    labels = [2, 2, 2]
    print("\nA batch costs the mean of its rows, by labels as by one-hot rows:")
    print(f"  labels {labels}: {F.cross_entropy_error(batch, labels):.6f}", end="")
    print(f"   one-hot: {F.cross_entropy_error(batch, np.array([TARGET] * 3)):.6f}")


def gradient_of_softmax_and_cross_entropy():
    """What backpropagation begins with: no quotient is left of it."""
    scores = np.array([1.0, 2.0, 4.0])
    target = np.array([0, 1, 0])
    y = F.softmax(scores)
    slopes = F.numerical_gradient(lambda scores: F.cross_entropy_error(F.softmax(scores), target), scores)
    print("\nSoftmax and cross entropy together have the gradient y − t:")
    print("  y − t       " + " ".join(f"{value:9.5f}" for value in y - target))
    print("  by chords   " + " ".join(f"{value:9.5f}" for value in slopes))


def in_training(epochs):
    """The same small network on the same points, the losses alone differ."""
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, size=(200, 2))
    labels = (x[:, 0] * x[:, 1] > 0).astype(int) + (x[:, 0] > 0.5)
    one_hot = np.eye(3)[labels]
    print(f"\nTraining on three classes, {epochs} epochs:")
    for loss, y in {"sum_squares_error": one_hot, "cross_entropy": labels}.items():
        layers = [gg.Dense(16, activation="tanh", input_shape=(2,)), gg.Dense(3, activation="softmax")]
        model = gg.Sequential(layers, seed=0)
        trainer = gg.Trainer(model, loss=loss, optimizer=gg.SGD(0.1), metrics=["accuracy"])
        history = trainer.fit(x, y, epochs=epochs, batch_size=20, verbose=0).history
        print(f"  {loss:18} first epoch: accuracy {history['accuracy'][0]:.3f}", end="")
        print(f"   last: loss {history['loss'][-1]:.4f}, accuracy {history['accuracy'][-1]:.3f}")


def draw(path):
    """What two classes cost, by the probability of the right one."""
    p = np.linspace(0.005, 1, 200)
    target = [1, 0]
    losses = {
        "cross entropy": [F.cross_entropy_error([y, 1 - y], target) for y in p],
        "sum of squares": [F.sum_squares_error([y, 1 - y], target) for y in p],
    }
    # by the score z before a sigmoid, p = 1 / (1 + exp(−z)): the slope that training follows
    z = np.linspace(-8, 8, 200)
    y = F.sigmoid(z)
    slopes = {"cross entropy": 1 - y, "sum of squares": 2 * (1 - y) * F.sigmoid_derivative(z)}
    axes = plotting.panels(2, path=path)
    plotting.lines(p, losses, xlabel="probability of the right class", ylabel="loss", title="loss", ax=axes[0])
    words = {"xlabel": "score of the right class before the sigmoid", "ylabel": "steepness"}
    plotting.lines(z, slopes, **words, title="what there is to learn by", ax=axes[1])
    plotting.finish(axes, path)


def main(quick: bool, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    of_one_image()
    of_a_batch()
    gradient_of_softmax_and_cross_entropy()
    in_training(epochs=10 if quick else 200)
    path = pictures / "06_loss_functions.png"
    draw(path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
