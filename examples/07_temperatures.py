"""A thermometer in unknown units: a line fits its readings, a network fits them too well.

Eleven readings, °C beside a scale that nobody knows. A linear unit finds out which scale it is. A network of 13 tanh
units bends to every error of the readings: the loss of what it trains on falls, that of readings held out rises.

Try: 3 units in place of 13; `kernel_regularizer=gg.L2(0.01)` in its layers; other readings held out.

    python examples/07_temperatures.py
"""

import argparse
from pathlib import Path

import numpy as np

import ganglion as gg
from ganglion import plotting

CELSIUS = np.array([[0.5], [14], [15], [28], [11], [8], [3], [-4], [6], [13], [21]])
UNKNOWN = np.array([[35.7], [55.9], [58.2], [81.9], [56.3], [48.9], [33.9], [21.8], [48.4], [60.4], [68.4]])
HELD_OUT = np.arange(len(CELSIUS)) % 3 == 2  # every third reading


def scaled(units):
    """Inputs around 0, about as large as 1: what weights that start small can work with."""
    return (np.asarray(units) - 50) / 20


def line():
    """A linear unit on all readings."""
    model = gg.Sequential([gg.Dense(1, input_shape=(1,))], seed=0)
    trainer = gg.Trainer(model, loss="mse", optimizer=gg.SGD(0.1))
    trainer.fit(scaled(UNKNOWN), CELSIUS, epochs=500, batch_size=11, verbose=0)
    weight, bias = (float(values.item()) for values in model.get_weights())
    loss = trainer.evaluate(scaled(UNKNOWN), CELSIUS)["loss"]
    slope, offset = weight / 20, 50 * weight / 20 - bias
    print(f"A line through all readings: °C = {slope:.4f}·u − {offset:.2f}, mean error² {loss:.4f}")
    print("  From Fahrenheit it is        °C = 0.5556·u − 17.78: that is the scale, read with some error.")
    return model


def network():
    return gg.Sequential([gg.Dense(13, activation="tanh", input_shape=(1,)), gg.Dense(1)], seed=0)


def train(model, epochs, callbacks=()):
    """Train on two thirds of the readings, look at the rest after each epoch; the history."""
    trainer = gg.Trainer(model, loss="mse", optimizer=gg.Adam(0.01))
    held_out = scaled(UNKNOWN[HELD_OUT]), CELSIUS[HELD_OUT]
    readings = scaled(UNKNOWN[~HELD_OUT]), CELSIUS[~HELD_OUT]
    fit = trainer.fit(
        *readings, epochs=epochs, batch_size=8, validation_data=held_out, callbacks=list(callbacks), verbose=0
    )
    return fit.history


def overfit(epochs):
    """The network, trained until it knows its eight readings by heart."""
    model = network()
    history = train(model, epochs)
    print("\n1-13-1 with tanh, on 8 readings; 3 are held out\n  epoch    error² of the 8    of the 3")
    for epoch in (1, 10, 100, 300, 1000, 3000, 10000):
        if epoch <= epochs:
            print(f"  {epoch:5} {history['loss'][epoch - 1]:18.4f} {history['val_loss'][epoch - 1]:11.4f}")
    best = int(np.argmin(history["val_loss"]))
    print(f"  The held-out error is smallest after epoch {best + 1}: {history['val_loss'][best]:.4f}")
    return model, history


def stop_in_time(epochs):
    """The same network, stopped where the held-out error has been rising for a while, and taken back to its best."""
    model = network()
    stop = gg.EarlyStopping(patience=500)
    history = train(model, epochs, [stop])
    print(f"\nWith early stopping it ends after {len(history['loss'])} epochs and goes back to its best weights.")
    return model


def compare(models):
    print("\nWhat they make of the readings held out, which the line has seen")
    print("        u      °C" + "".join(f"{name:>20}" for name in models))
    for u, degrees in zip(UNKNOWN[HELD_OUT], CELSIUS[HELD_OUT], strict=True):
        answers = (model.predict(scaled([u]))[0, 0] for model in models.values())
        print(f"  {u[0]:7.1f} {degrees[0]:7.1f}" + "".join(f"{answer:20.2f}" for answer in answers))


def draw(models, history, path):
    axes = plotting.panels(2, path=path)
    held_out = scaled(UNKNOWN[HELD_OUT]), CELSIUS[HELD_OUT]
    plotting.fit_1d(models, scaled(UNKNOWN[~HELD_OUT]), CELSIUS[~HELD_OUT], validation=held_out, ax=axes[0])
    axes[0].set(xlabel="(u − 50) / 20", ylabel="°C")
    curves = {"8 trained on": history["loss"], "3 held out": history["val_loss"]}
    epochs = range(1, len(history["loss"]) + 1)
    plotting.lines(epochs, curves, xlabel="epoch", ylabel="mean error²", log=True, ax=axes[1])
    plotting.finish(axes, path)


def main(quick: bool, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    epochs = 1000 if quick else 10000
    models = {"line": line()}
    models["trained to the end"], history = overfit(epochs)
    models["stopped in time"] = stop_in_time(epochs)
    compare(models)
    path = pictures / "07_temperatures.png"
    draw(models, history, path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer epochs")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
