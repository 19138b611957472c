"""One network in four vocabularies: ganglion's own, Keras's, PyTorch's and scikit-learn's.

Keras's and PyTorch's lines below run twice: with ganglion, which understands them, and with the library itself where it
is installed. From the same first weights and with the same batches all come to the same network: ganglion's three to
the last bit, the others up to their rounding, which is told on the error output. scikit-learn draws weights of its own.

Try: momentum=0.9 in all four; "tanh" in place of "relu"; batches of 16; Adam.

    python examples/14_four_libraries.py
"""

import argparse
import os
import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import ganglion
from ganglion import plotting

RATE, BATCH = 0.1, 32


def digits():
    """Images to train on and to test with, each set as (images, labels)."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    x, x_test, y, y_test = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    return x, y, x_test, y_test


def in_our_words(x, y, epochs):
    import ganglion as gg

    model = gg.Sequential([gg.Dense(32, activation="relu", input_shape=(64,)), gg.Dense(10)], seed=0)
    weights = model.get_weights()
    trainer = gg.Trainer(model, loss="cross_entropy", optimizer=gg.SGD(RATE))
    trainer.fit(x, y, epochs=epochs, batch_size=BATCH, shuffle=False, verbose=0)
    return model, weights


def in_kerass_words(keras, weights, x, y, epochs):
    """`keras` is ganglion, or Keras."""
    layers = [keras.layers.Input((64,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(10)]
    model = keras.Sequential(layers)
    model.set_weights(weights)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(learning_rate=RATE), loss=loss)
    model.fit(x, y, epochs=epochs, batch_size=BATCH, shuffle=False, verbose=0)
    return model.get_weights()


def in_pytorchs_words(torch, weights, x, y, epochs):
    """`torch` is ganglion, or PyTorch; the latter wants tensors for arrays."""
    tensor = getattr(torch, "tensor", np.asarray)
    x, y = tensor(x), tensor(y)
    model = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.ReLU(), torch.nn.Linear(32, 10))
    kernel0, bias0, kernel1, bias1 = map(tensor, weights)
    model.load_state_dict({"0.weight": kernel0.T, "0.bias": bias0, "2.weight": kernel1.T, "2.bias": bias1})
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    loss_fn = torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        for start in range(0, len(x), BATCH):
            loss = loss_fn(model(x[start : start + BATCH]), y[start : start + BATCH])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return [np.array(p.detach()).T for p in model.parameters()]


def in_scikit_learns_words(x, y, epochs):
    settings = {"solver": "sgd", "learning_rate_init": RATE, "momentum": 0, "alpha": 0, "shuffle": False}
    return MLPClassifier([32], batch_size=BATCH, max_iter=epochs, **settings).fit(x, y)


def with_the_others(ours, weights, x, y, x_test, y_test, epochs):
    """Run the same lines with the libraries that are installed; on the error output how near they come to ours."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    for name, words in {"keras": in_kerass_words, "torch": in_pytorchs_words}.items():
        if all(find_spec(module) for module in (name, "torch")):
            theirs = words(import_module(name), weights, x, y, epochs)
            apart = max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True))
            print(f"{name}: weights at most {apart:.1e} from ours", file=sys.stderr)
    print(f"sklearn: {in_scikit_learns_words(x, y, epochs).score(x_test, y_test):.2%} right", file=sys.stderr)


def main(quick: bool, pictures: Path) -> None:
    x, y, x_test, y_test = digits()
    epochs = 5 if quick else 30
    model, weights = in_our_words(x, y, epochs)
    ours = model.get_weights()
    print(f"64-32-10, {epochs} epochs: {(model.predict_classes(x_test) == y_test).mean():.2%} of the test images right")
    for name, words in {"Keras": in_kerass_words, "PyTorch": in_pytorchs_words}.items():
        found = words(ganglion, weights, x, y, epochs)
        same = all(np.array_equal(a, b) for a, b in zip(ours, found, strict=True))
        print(f"ganglion in {name}'s words: {'the same weights to the last bit' if same else 'OTHER WEIGHTS'}")
    if not quick:
        with warnings.catch_warnings(action="ignore"):
            with_the_others(ours, weights, x, y, x_test, y_test, epochs)

    pictures.mkdir(parents=True, exist_ok=True)
    path = pictures / "14_confusion.png"
    plotting.confusion_matrix(y_test, model.predict_classes(x_test), path=path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs, ganglion alone")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
