"""A network of two layers learns to read digits: 784-50-10 with sigmoid, by backpropagation, as in the textbook.

The same loop in plain NumPy, two_layer_net_numpy.py, gets the same first weights and the same batches, and must end
where ours does. Without MNIST's files the smaller digits of scikit-learn take their place.

Try: 200 hidden units; a learning rate of 0.5; "relu" in place of "sigmoid", or `gg.Adam()`, where the loop in NumPy,
which knows neither, ends elsewhere.

    python examples/08_two_layer_net.py --data folder-of-mnist
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import two_layer_net_numpy

import ganglion as gg
from ganglion import functional, nn, plotting
from ganglion.reference.random import shuffle

HIDDEN, RATE, BATCH = 50, 0.1, 100


def digits(folder):
    """Images to train on and to test with, as rows of numbers from 0 to 1, each with its digit."""
    if folder is not None:
        return gg.data.mnist(folder)
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32)
    return (images[:1500], labels[:1500]), (images[1500:], labels[1500:])


def two_ways_to_a_gradient():
    """Backpropagation finds in one pass what differences of the loss find in two passes for each weight."""
    model = nn.Sequential(gg.Dense(3, "sigmoid", input_shape=(4,)), gg.Dense(2), seed=1, dtype="float64")
    x, y, loss_fn = np.arange(20).reshape(5, 4) / 10 - 1, [0, 1, 1, 0, 1], nn.CrossEntropyLoss()
    loss_fn(model(x), y).backward()
    by_backpropagation = np.array(next(iter(model.parameters())).grad).T  # (in, out), as get_weights gives them
    weights, *others = model.get_weights()

    def loss_at(w):
        model.set_weights([w, *others])
        return loss_fn(model(x), y).item()

    apart = np.abs(functional.numerical_gradient(loss_at, weights) - by_backpropagation).max()
    print(f"A small network's gradient by differences, {2 * weights.size} passes, and by backpropagation, one pass:")
    print(f"{by_backpropagation.round(4)}\nThey agree to 7 decimals: {'yes' if apart < 5e-8 else 'NO'}\n")


class Accuracies(gg.Callback):
    """Keeps the accuracies on some sets after each epoch."""

    def __init__(self, *sets):
        self.sets, self.values, self.seconds = sets, [], 0.0

    def on_epoch_end(self, epoch, logs=None):
        began = time.perf_counter()
        self.values.append([self.trainer.evaluate(*part)["accuracy"] for part in self.sets])
        self.seconds += time.perf_counter() - began


def main(quick: bool, pictures: Path, data: Path | None) -> None:
    two_ways_to_a_gradient()
    train, test = digits(data)
    steps = len(train[0]) // BATCH  # of an epoch
    epochs = -(-(500 if quick else 10_000) // steps)
    iterations = epochs * steps

    model = gg.Sequential([gg.Dense(HIDDEN, "sigmoid", input_shape=train[0].shape[1:]), gg.Dense(10)], seed=0)
    first_weights = model.get_weights()
    trainer = gg.Trainer(model, "cross_entropy", gg.SGD(RATE), metrics=["accuracy"])
    watch, monitor = Accuracies(train, test), gg.Monitor(every=1000)
    history = trainer.fit(*train, epochs=epochs, batch_size=BATCH, callbacks=[watch, monitor], verbose=0)
    print("epoch  iteration  its loss  right of train  of test")
    for epoch in range(0, epochs, -(-epochs // 17)):
        last, (of_train, of_test) = (epoch + 1) * steps, watch.values[epoch]
        print(f"{epoch + 1:5}  {last:9}  {history.losses[last - 1]:8.4f}  {of_train:14.2%}  {of_test:7.2%}")
    print(f"at the end, after {iterations:,} iterations: {watch.values[-1][1]:.2%} of the test images")

    orders = [shuffle(len(train[0]), model.seed, epoch) for epoch in range(epochs)]  # those of the fit
    ours = (history.seconds - watch.seconds) / iterations
    for dtype, count in (("float32", epochs), ("float64", -(-epochs // 5))):
        accuracies, seconds = two_layer_net_numpy.train(
            first_weights, train, test, dtype=dtype, orders=orders[:count], batch=BATCH, rate=RATE
        )
        apart = np.abs(np.subtract(accuracies, watch.values[: len(accuracies)])).max()
        print(f"NumPy, {dtype}, {count} epochs: ", end="")
        print(f"accuracies within half a point of these: {'yes' if apart < 0.005 else 'NO'}")
        print(
            f"{ours * 1e6:.0f} µs an iteration, NumPy {seconds / (count * steps) / ours:.1f} times as many",
            file=sys.stderr,
        )

    pictures.mkdir(parents=True, exist_ok=True)
    paths = [pictures / f"08_{name}.png" for name in ("loss", "accuracy", "first_weights", "errors")]
    plotting.lines(range(1, iterations + 1), {"loss": history.losses}, xlabel="iteration", ylabel="loss", path=paths[0])
    curves = dict(zip(("train", "test"), np.transpose(watch.values), strict=True))
    axis = range(1, epochs + 1)
    plotting.lines(axis, curves, xlabel="epoch", ylabel="share of right answers", path=paths[1])
    side = int(train[0].shape[1] ** 0.5)
    plotting.first_weights(model, shape=(side, side), path=paths[2])
    plotting.misclassified(*test, model.predict_classes(test[0]), shape=(side, side), path=paths[3])
    print(f"\npictures: {', '.join(path.name for path in paths)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer iterations")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    parser.add_argument("--data", type=Path, default=os.environ.get("GANGLION_MNIST"), help="MNIST's folder")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures, arguments.data)
