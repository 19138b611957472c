"""From the perceptron to a network: AND, OR, NAND by one unit, XOR by none, and XOR by two layers of units.

A perceptron says 1 where w₁x₁ + w₂x₂ + b > 0: a straight line parts the points it calls 1 from the others. No line
parts XOR's, but two lines do.

Try: other weights in GATES by which AND is still AND; `units=2` in `learn_xor` with another seed.

    python examples/02_perceptron_to_network.py
"""

import argparse
from pathlib import Path

import numpy as np

import ganglion as gg
from ganglion import plotting

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
TRUTH = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "NAND": [1, 1, 1, 0], "XOR": [0, 1, 1, 0]}
GATES = {"AND": (0.5, 0.5, -0.7), "OR": (0.5, 0.5, -0.2), "NAND": (-0.5, -0.5, 0.7)}  # w₁, w₂, b


def perceptron(gate):
    """One unit with a step for activation, its weights set by hand."""
    w1, w2, bias = GATES[gate]
    model = gg.Sequential([gg.Dense(1, activation="step", input_shape=(2,))])
    model.set_weights([[[w1], [w2]], [bias]])
    return model


def by_hand():
    """The three gates by a unit each; XOR(x) = AND(NAND(x), OR(x)) by two layers of the same units."""
    models = {gate: perceptron(gate) for gate in GATES}
    kernels, biases = zip(*(models[gate].get_weights() for gate in ("NAND", "OR")), strict=True)
    models["XOR"] = gg.Sequential([gg.Dense(2, activation="step", input_shape=(2,)), gg.Dense(1, activation="step")])
    models["XOR"].set_weights([np.hstack(kernels), np.concatenate(biases), *models["AND"].get_weights()])
    print("By hand: one perceptron a gate, three in two layers for XOR")
    print("  x₁ x₂   " + "  ".join(f"{gate:>4}" for gate in models))
    answers = [model.predict(X)[:, 0] for model in models.values()]
    for point, row in zip(X, np.transpose(answers), strict=True):
        print(f"   {point[0]:.0f}  {point[1]:.0f}   " + "  ".join(f"{answer:4.0f}" for answer in row))


def learn(gate, layers, epochs, rate=0.5):
    """Train on the four rows of a gate's table; a sigmoid in place of the step has a slope to learn by."""
    model = gg.Sequential([*layers, gg.Dense(1, activation="sigmoid")], seed=1)
    optimizer = gg.SGD(rate, momentum=0.9)
    trainer = gg.Trainer(model, loss="binary_cross_entropy", optimizer=optimizer, metrics=["accuracy"])
    trainer.fit(X, TRUTH[gate], epochs=epochs, batch_size=4, verbose=0)
    result = trainer.evaluate(X, TRUTH[gate])
    right = round(4 * result["accuracy"])
    name = "one unit" if not layers else f"{layers[0].units} hidden units"
    print(f"  {gate:>4} by {name:14}  loss {result['loss']:6.4f}   {right} of 4 right")
    return model


def learn_one_unit(epochs):
    print("\nLearnt: the same gates from their tables")
    return [(gate, learn(gate, [], epochs)) for gate in TRUTH]


def learn_xor(epochs, units=4):
    print("\nLearnt: XOR with a hidden layer")
    return learn("XOR", [gg.Dense(units, activation="tanh")], epochs)


def main(quick: bool, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    epochs = 100 if quick else 1000
    by_hand()
    models = learn_one_unit(epochs)
    models.append(("XOR", learn_xor(epochs)))
    path = pictures / "02_perceptron_to_network.png"
    axes = plotting.panels(len(models), columns=3, path=path)
    for panel, (gate, model) in zip(axes, models, strict=True):
        plotting.decision_boundary(model, X, TRUTH[gate], panel)
        title = gate if len(model.layers) == 1 else f"{gate}, two layers"
        panel.set_title(title, loc="left", fontweight="bold")
    plotting.finish(axes, path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
