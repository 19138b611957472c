"""A linear unit: y = w·x + b, one neuron without an activation, and how it learns w and b from examples.

Try: `noise` of 5 in `cereals`; a learning rate of 0.5, and of 0.02; fewer than 16 boxes of cereal.

    python examples/01_linear_unit.py
"""

import argparse
from pathlib import Path

import numpy as np

import ganglion as gg
from ganglion import plotting


def unit(weights, bias):
    """A linear unit with one weight an input, set by hand."""
    model = gg.Sequential([gg.Dense(1, input_shape=(len(weights),))])
    model.set_weights([np.reshape(weights, (-1, 1)), [bias]])
    return model


def one_input():
    print("One input: calories of a cereal from its sugar, with w = 2.5 and b = 90 set by hand")
    model = unit([2.5], 90)
    for sugar in (0, 5, 10):
        print(f"  {sugar:2} g of sugar: 2.5 × {sugar:2} + 90 = {model.predict([[sugar]])[0, 0]:5.1f} kcal")


def three_inputs():
    print("\nThree inputs: sugar, fibre, protein; y = w₀x₀ + w₁x₁ + w₂x₂ + b")
    model = unit([2.5, -2.0, 4.0], 90)
    for box in ([5, 2, 3], [0, 10, 4]):
        terms = f"2.5 × {box[0]} − 2.0 × {box[1]} + 4.0 × {box[2]}"
        print(f"  {box}: {terms} + 90 = {model.predict([box])[0, 0]:5.1f} kcal")


def cereals(boxes=16, noise=2.0):
    """Sugar in units of 10 g and energy in units of 100 kcal: numbers around 1, which training likes best."""
    random = np.random.default_rng(0)
    sugar = random.uniform(0, 15, size=(boxes, 1))
    energy = 90 + 2.5 * sugar + random.uniform(-noise, noise, size=(boxes, 1))
    return sugar / 10, energy / 100


def learn(quick):
    """Let a unit find w and b; return it as it was at some epochs."""
    print("\nLearning: w and b start at random, and each epoch moves them a little against the slope of the error")
    x, y = cereals()
    model = gg.Sequential([gg.Dense(1, input_shape=(1,))], seed=0)
    trainer = gg.Trainer(model, loss="mse", optimizer=gg.SGD(0.2))
    stages = {"start": model.copy()}
    print("  epoch   weight     bias     error")
    print(row(0, model, trainer.evaluate(x, y)["loss"]))
    before = 0
    for epoch in (1, 3, 10) if quick else (1, 3, 10, 30, 300):
        trainer.fit(x, y, epochs=epoch - before, batch_size=len(x), verbose=0)  # goes on where the last fit ended
        stages[f"epoch {epoch}"] = model.copy()
        print(row(epoch, model, trainer.evaluate(x, y)["loss"]))
        before = epoch
    weight, bias = (float(values.item()) for values in model.get_weights())
    print(f"  in grams and kcal: {weight * 10:.2f} a gram and {bias * 100:.1f} without sugar; made with 2.50 and 90.0")
    return stages, x, y


def row(epoch, model, error):
    weight, bias = (float(values.item()) for values in model.get_weights())
    return f"  {epoch:5}  {weight:7.4f}  {bias:7.4f}  {error:8.6f}"


def main(quick: bool, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    one_input()
    three_inputs()
    stages, x, y = learn(quick)
    path = pictures / "01_linear_unit.png"
    axes = plotting.panels(path=path)
    plotting.fit_1d(stages, x, y, axes[0])
    axes[0].set(ylim=(-0.1, 1.4), xlabel="sugar in 10 g", ylabel="energy in 100 kcal")
    plotting.finish(axes, path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
