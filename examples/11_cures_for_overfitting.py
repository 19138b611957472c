"""Cures for overfitting: more data, L2, dropout, early stopping, batch normalization, and several of them together.

The images of 10_overfitting.py, a fifth of them with a wrong label, which a large network learns by heart. A cure is
good if it makes the network right more often on images that it has not seen; that it gets fewer of the wrong labels
"right" is no loss. Each number is the mean of several networks that began with other weights.

Try: L2(0.001) and L2(0.1); Dropout(0.2); `gg.AdamW(3e-3, weight_decay=3.0)`; batches of 5 and of 100.

    python examples/11_cures_for_overfitting.py
"""

import argparse
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import ganglion as gg
from ganglion import plotting

FEW, WRONG, UNITS = 200, 0.2, 256


def digits():
    """Three sets of images, no image in two of them, each set as (images, labels)."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    x, x_test, y, y_test = train_test_split(images, labels, test_size=450, stratify=labels, random_state=0)
    x, x_validation, y, y_validation = train_test_split(x, y, test_size=450, stratify=y, random_state=0)
    random = np.random.default_rng(0)
    wrong = random.random(len(y)) < WRONG
    y[wrong] = (y[wrong] + random.integers(1, 10, wrong.sum())) % 10
    return (x, y), (x_validation, y_validation), (x_test, y_test)


def plain():
    return [gg.Dense(UNITS, activation="relu", input_shape=(64,)), gg.Dense(10)]


def with_l2(coefficient=0.01):
    """Large weights cost something: the loss gets coefficient · Σ w² on top."""
    penalty = gg.L2(coefficient)
    return [
        gg.Dense(UNITS, activation="relu", input_shape=(64,), kernel_regularizer=penalty),
        gg.Dense(10, kernel_regularizer=penalty),
    ]


def with_dropout(rate=0.8, coefficient=None):
    """In each step a random choice of the hidden units is off, so that none can rely on another."""
    hidden, output = plain() if coefficient is None else with_l2(coefficient)
    return [hidden, gg.Dropout(rate), output]


def with_batch_normalization():
    """Each unit's values are shifted and scaled to mean 0 and deviation 1 over the batch."""
    return [gg.Dense(UNITS, input_shape=(64,)), gg.BatchNormalization(), gg.ReLU(), gg.Dense(10)]


def stop_early():
    """Ends the training 10 epochs after the lowest validation loss, and takes back the weights of that epoch."""
    return [gg.EarlyStopping(patience=10)]


CURES = {  # name: layers, images (None: all there are), callbacks
    "none": (plain, FEW, list),
    "more data": (plain, None, list),
    "L2": (with_l2, FEW, list),
    "dropout": (with_dropout, FEW, list),
    "batch normalization": (with_batch_normalization, FEW, list),
    "early stopping": (plain, FEW, stop_early),
    "all but normalization": (lambda: with_dropout(coefficient=0.003), None, stop_early),
}


def try_cure(layers, images, callbacks, sets, epochs, seeds):
    """Train some networks; returns their shares of right answers on the three sets, their epochs and curves."""
    (x, y), validation, test = sets
    training = x[:images], y[:images]
    found, curves = [], []
    for seed in range(seeds):
        trainer = gg.Trainer(gg.Sequential(layers(), seed=seed), "cross_entropy", gg.Adam(3e-3), metrics=["accuracy"])
        settings = {"epochs": epochs, "batch_size": 20, "callbacks": callbacks(), "verbose": 0}
        history = trainer.fit(*training, validation_data=validation, **settings)
        right = [trainer.evaluate(*part)["accuracy"] for part in (training, validation, test)]
        found.append([*right, len(history.epoch)])
        curves.append(history.history["val_accuracy"])
    return np.mean(found, axis=0), curves


def main(quick: bool, pictures: Path) -> None:
    sets, epochs, seeds = digits(), 30 if quick else 200, 1 if quick else 5
    print(f"{'right of':<24}{'training':>10}{'validation':>12}{'test':>8}{'epochs':>10}")
    drawn, validation = {}, {}
    for name, cure in CURES.items():
        (right, validation[name], test, used), curves = try_cure(*cure, sets, epochs, seeds)
        print(f"{name:<24}{right:10.1%}{validation[name]:12.1%}{test:8.1%}{used:10.0f}")
        if "stop" not in cure[2].__name__:
            drawn[name] = np.mean(curves, axis=0)
    print(f"The validation set prefers {max(validation, key=validation.get)!r}.")
    print("Batch normalization stands on many lists of cures. It makes training quicker: learning by heart, too.")

    pictures.mkdir(parents=True, exist_ok=True)
    path = pictures / "11_cures_for_overfitting.png"
    plotting.lines(range(1, epochs + 1), drawn, xlabel="epoch", ylabel="right of the validation set", path=path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs and networks")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
