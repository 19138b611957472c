"""Batch, stochastic and mini-batch descent: how many rows to look at before each step.

The gradient of all rows points the right way and costs a whole pass over the data. That of one row costs next to
nothing and points roughly the right way. Mini-batches are in between, and what nearly everybody uses.

Try: a rate of 0.5 in `compare`; `gg.SGD(gg.Exponential(0.1, 100, 0.9))`, a rate that falls by a tenth in 100 steps, by
which the stochastic path comes to rest; 1,000 points in `line` and as many rows for "batch" in METHODS.

    python examples/05_batch_sizes_of_descent.py
"""

import argparse
from pathlib import Path

import numpy as np

import ganglion as gg
from ganglion import plotting

METHODS = {"stochastic": 1, "mini-batch": 10, "batch": 100}  # rows a step
START = (-1.0, 2.0)  # weight and bias


def line(points=100):
    """Points near y = 2x + 0.5."""
    random = np.random.default_rng(0)
    x = random.uniform(-1.5, 1.5, size=(points, 1))
    return x, 2 * x + 0.5 + random.uniform(-1, 1, size=(points, 1))


def place(model):
    """Where a linear unit is in the plane of weight and bias."""
    return [float(values.item()) for values in model.get_weights()]


def descend(x, y, batch_size, rate, epochs):
    """Train from START; the path, a point a step, and the losses over all rows, one an epoch."""
    model = gg.Sequential([gg.Dense(1, input_shape=(1,))], seed=0)
    model.set_weights([[[START[0]]], [START[1]]])
    trainer = gg.Trainer(model, loss="mse", optimizer=gg.SGD(rate))
    path, losses = [place(model)], [trainer.evaluate(x, y)["loss"]]
    note = gg.LambdaCallback(
        on_batch_end=lambda step, logs: path.append(place(model)),
        on_epoch_end=lambda epoch, logs: losses.append(trainer.evaluate(x, y)["loss"]),
    )
    trainer.fit(x, y, epochs=epochs, batch_size=batch_size, callbacks=[note], verbose=0)
    return np.array(path), losses


def compare(x, y, epochs, rate=0.1):
    """Each method with the same rate."""
    weight, bias = np.polyfit(x[:, 0], y[:, 0], 1)
    print(f"A line through {len(x)} points; the best has weight {weight:.4f} and bias {bias:.4f}. Rate {rate}.")
    shown = [epoch for epoch in (0, 1, 2, 5, 10, 20, 50) if epoch <= epochs]
    print("\nLoss after epoch" + "".join(f"{epoch:9}" for epoch in shown))
    paths, curves = {}, {}
    for name, batch_size in METHODS.items():
        paths[name], curves[name] = descend(x, y, batch_size, rate, epochs)
        print(f"  {name:14}" + "".join(f"{curves[name][epoch]:9.5f}" for epoch in shown))
    print("\n                steps  rows a step   how far from the best: at the end   on average over the last epoch")
    for name, path in paths.items():
        distances = np.hypot(*(path - (weight, bias)).T)
        last = distances[-(len(x) // METHODS[name]) :].mean()
        print(f"  {name:12} {len(path) - 1:7} {METHODS[name]:12} {distances[-1]:36.4f} {last:32.4f}")
    return paths, curves


def draw(x, y, paths, curves, path):
    def loss(weight, bias):
        """Mean squared error of any number of lines at once."""
        return np.mean((weight[..., None] * x[:, 0] + bias[..., None] - y[:, 0]) ** 2, axis=-1)

    axes = plotting.panels(2, path=path)
    first = {name: points[:101] for name, points in paths.items()}
    plotting.descent_paths(loss, first, limits=((-1.4, 3.4), (-0.6, 3.4)), ax=axes[0])
    axes[0].set(xlabel="weight", ylabel="bias")
    axes[0].set_title("at most 100 steps", loc="left", fontweight="bold")
    epochs = range(len(curves["batch"]))
    words = {"xlabel": "epoch", "ylabel": "loss", "title": "loss over all rows"}
    plotting.lines(epochs, curves, **words, log=True, ax=axes[1])
    plotting.finish(axes, path)


def main(quick: bool, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    x, y = line()
    paths, curves = compare(x, y, epochs=10 if quick else 50)
    path = pictures / "05_batch_sizes_of_descent.png"
    draw(x, y, paths, curves, path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
