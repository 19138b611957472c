"""Vanishing gradients: why deep networks of sigmoids hardly learned, and ReLU's do.

Backpropagation multiplies by the activation's derivative once a layer. Sigmoid's is at most 1/4, so that what reaches
the first of ten layers is tiny: its weights hardly move. tanh's is at most 1, ReLU's is 1 wherever a unit is on.
LeakyReLU's is 0.01 where it is off: in the picture its curve all but covers ReLU's.

Try: another width; `kernel_initializer="he_normal"` for every activation; "elu", "selu" and "gelu" beside these;
a `gg.BatchNormalization()` between the layers, which brings even sigmoid's gradients back.

    python examples/09_vanishing_gradients.py
"""

import argparse
import warnings
from pathlib import Path

import numpy as np

import ganglion as gg
from ganglion import nn, plotting

ACTIVATIONS = {"sigmoid": "glorot_uniform", "tanh": "glorot_uniform", "relu": "he_uniform", "leaky_relu": "he_uniform"}
WIDTH = 32
LOOK_AT = 10  # the depth whose layers are shown one by one


def rings(rows):
    """Points of a square in three rings around its middle, and which ring each lies in."""
    x = np.random.default_rng(0).uniform(-1, 1, (rows, 2)).astype(np.float32)
    distance = x[:, 0] ** 2 + x[:, 1] ** 2
    return x, (distance > 0.3).astype(int) + (distance > 0.7)


def network(activation, depth):
    """As many dense layers as `depth` says, the last of which is the output."""
    hidden = [gg.Dense(WIDTH, activation, kernel_initializer=ACTIVATIONS[activation]) for _ in range(depth - 1)]
    return nn.Sequential(*hidden, gg.Dense(3), seed=0)


def gradient_norms(model, x, y):
    """The length of the loss's gradient with respect to each layer's weights, first layer first."""
    model.build((2,))
    nn.CrossEntropyLoss()(model(x), y).backward()
    return [float(np.linalg.norm(p.grad)) for p in model.parameters() if p.ndim == 2]  # biases have one axis


def layer_by_layer(x, y):
    """Print and return the gradients of networks of ten layers."""
    norms = {name: gradient_norms(network(name, LOOK_AT), x, y) for name in ACTIVATIONS}
    print(f"{LOOK_AT} layers, before training: length of the gradient of each layer's weights")
    print("layer  " + "".join(f"{name:>12}" for name in norms))
    for layer in range(LOOK_AT):
        print(f"{layer + 1:5}  " + "".join(f"{norms[name][layer]:12.1e}" for name in norms))
    ratio = norms["relu"][0] / norms["sigmoid"][0]
    print(f"The first layer's is {float(f'{ratio:.1g}'):,.0f} times as long with ReLU as with sigmoid.\n")
    return norms


def depth_by_depth(x, y, depths):
    """Print and return the first layer's gradients of shallow and deep networks."""
    norms = {name: [gradient_norms(network(name, depth), x, y)[0] for depth in depths] for name in ACTIVATIONS}
    print("the first layer's alone, by depth")
    print("depth  " + "".join(f"{name:>12}" for name in norms))
    for row, depth in enumerate(depths):
        print(f"{depth:5}  " + "".join(f"{norms[name][row]:12.1e}" for name in norms))
    print()
    return norms


def learning(x, y, epochs):
    """Train ten layers with a monitor, which looks at all layers in passing; return what it saw of the first."""
    print(f"{LOOK_AT} layers after {epochs} epochs of Adam (always answering the commonest ring: {share(y):.1%} right)")
    norms = {}
    for name in ACTIVATIONS:
        trainer = gg.Trainer(network(name, LOOK_AT), "cross_entropy", gg.Adam(1e-3), metrics=["accuracy"])
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            history = trainer.fit(x, y, epochs=epochs, batch_size=32, callbacks=[gg.Monitor(every=10)], verbose=0)
        print(f"  {name:<12}{trainer.evaluate(x, y)['accuracy']:7.1%} right")
        for warning in warned:
            print(f"    the monitor warns: {warning.message}")
        norms[name] = next(iter(history.monitored.values()))["gradient_norm"]
    return history.monitored_steps, norms


def share(y):
    """The share of the commonest class."""
    return np.bincount(y).max() / len(y)


def main(quick: bool, pictures: Path) -> None:
    """Measure, train and draw."""
    x, y = rings(200 if quick else 1000)
    layers = layer_by_layer(x, y)
    depths = [2, 10] if quick else list(range(2, 21, 2))
    first = depth_by_depth(x, y, depths)
    steps, watched = learning(x, y, epochs=5 if quick else 60)

    pictures.mkdir(parents=True, exist_ok=True)
    picture = pictures / "09_vanishing_gradients.png"
    left, middle, right = plotting.panels(3, path=picture)
    words = {"ylabel": "length of the gradient", "log": True}
    plotting.lines(range(1, LOOK_AT + 1), layers, left, xlabel="layer", title=f"{LOOK_AT} layers", **words)
    plotting.lines(depths, first, middle, xlabel="layers", title="first layer", **words)
    plotting.lines(steps, watched, right, xlabel="step", title=f"first of {LOOK_AT} layers, in training", **words)
    plotting.finish([left, middle, right], picture)
    print(f"\npicture: {picture.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer depths and epochs")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
