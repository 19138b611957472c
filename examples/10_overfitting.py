"""Train, validation and test set: how a network learns by heart, how one notices, and what each set is for.

Two hundred images of digits, a fifth of them with a wrong label, as happens where people label in a hurry. A large
network gets even those right; what it then knows of images that it has not seen is the worse for it.

- the training set changes the weights;
- the validation set makes the choices: when to stop, how large a network;
- the test set is looked at once, at the end, and tells what the choice is worth.

Try: all labels right (`WRONG = 0`); 800 images; the test set in place of the validation set in `choose`.

    python examples/10_overfitting.py
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import ganglion as gg
from ganglion import plotting

IMAGES, WRONG = 200, 0.2


def digits():
    """Three sets of images, no image in two of them, each set as (images, labels)."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    x, x_test, y, y_test = train_test_split(images, labels, test_size=450, stratify=labels, random_state=0)
    x, x_validation, y, y_validation = train_test_split(x, y, test_size=450, stratify=y, random_state=0)
    x, y = x[:IMAGES], y[:IMAGES]
    random = np.random.default_rng(0)
    wrong = random.permutation(IMAGES)[: int(WRONG * IMAGES)]
    y[wrong] = (y[wrong] + random.integers(1, 10, len(wrong))) % 10
    return (x, y), (x_validation, y_validation), (x_test, y_test)


def train(units, epochs, training, validation, callbacks=()):
    """Train a network with so many hidden units; returns its trainer and what it saw."""
    model = gg.Sequential([gg.Dense(units, activation="relu", input_shape=(64,)), gg.Dense(10)], seed=0)
    trainer = gg.Trainer(model, "cross_entropy", gg.Adam(3e-3), metrics=["accuracy"])
    history = trainer.fit(
        *training, epochs=epochs, batch_size=20, validation_data=validation, callbacks=callbacks, verbose=0
    )
    return trainer, history


def by_heart(epochs, training, validation):
    """Train a large network for long and look at both sets on the way."""
    _, history = train(256, epochs, training, validation)
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    print("256 hidden units:   training set            validation set")
    print("epoch              loss     right          loss     right")
    for epoch in [n for n in (1, 2, 5, 10, 20, 50, 100, 200) if n <= epochs]:
        loss, right, val_loss, val_right = (history.history[name][epoch - 1] for name in names)
        print(f"{epoch:5}          {loss:8.3f}  {right:8.1%}      {val_loss:8.3f}  {val_right:8.1%}")
    best = int(np.argmin(history.history["val_loss"])) + 1
    print(f"The validation loss was lowest after epoch {best}. All that came later was learning by heart.\n")
    return history


def sizes(units, epochs, training, validation):
    """Train small and large networks to the end, and with the weights of the epoch that validation liked best."""
    print("  hidden      after the last epoch              after the best epoch")
    print("   units    training    validation      number    training    validation")
    trainers, right = [], {"training": [], "validation, last epoch": [], "validation, best epoch": []}
    for count in units:
        last, _ = train(count, epochs, training, validation)
        best, history = train(count, epochs, training, validation, [gg.EarlyStopping(patience=epochs)])
        numbers = [trainer.evaluate(*part)["accuracy"] for trainer in (last, best) for part in (training, validation)]
        epoch = int(np.argmin(history.history["val_loss"])) + 1
        print("{:8}    {:8.1%}    {:10.1%}".format(count, *numbers[:2]), end="    ")
        print("{:8}    {:8.1%}    {:10.1%}".format(epoch, *numbers[2:]))
        for values, number in zip(right.values(), (numbers[0], numbers[1], numbers[3]), strict=True):
            values.append(number)
        trainers.append((last, best))
    return trainers, right


def choose(units, trainers, right, test):
    """Choose by the training set, as one should not, and by the validation set; see what each choice is worth."""
    by_training = int(np.argmax(right["training"]))
    by_validation = int(np.argmax(right["validation, best epoch"]))
    print("\nchosen by              units    right of the test set")
    for name, index, trainer in (
        ("the training set", by_training, trainers[by_training][0]),
        ("the validation set", by_validation, trainers[by_validation][1]),
    ):
        print(f"{name:<20}{units[index]:8}{trainer.evaluate(*test)['accuracy']:25.1%}")


def main(quick: bool, pictures: Path) -> None:
    training, validation, test = digits()
    epochs, units = (50, [8, 64]) if quick else (200, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
    history = by_heart(epochs, training, validation)
    trainers, right = sizes(units, epochs, training, validation)
    choose(units, trainers, right, test)
    pictures.mkdir(parents=True, exist_ok=True)
    curves, by_size = pictures / "10_learning_by_heart.png", pictures / "10_sizes.png"
    history.plot(path=curves)
    plotting.lines([f"{count}" for count in units], right, xlabel="hidden units", ylabel="right", path=by_size)
    print(f"\npictures: {curves.name}, {by_size.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs and sizes")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
