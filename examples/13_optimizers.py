"""Optimizers on one valley: f(x, y) = x²/20 + y², steep across and nearly flat along, from (−7, 2) to (0, 0).

Plain descent jumps from wall to wall, as the slope points across the valley and hardly along it. Momentum rolls on
like a ball; AdaGrad, RMSprop and Adam take steps of a length of its own in each direction. RMSprop's are about as long
as its rate, however flat the ground: near the bottom it dances, until the rate falls. The optimizers are those that
train networks: here x and y are the two weights of a layer whose output is (x, y), and f is its loss.

Try: SGD with 1.05; momentum of 0.5; AdaGrad with 0.3; `beta1=0` in Adam; a valley of your own in `valley` and
`gradient`, like x⁴/500 + y² with the gradient (x³/125, 2y), which is flatter and flatter towards its end.

    python examples/13_optimizers.py
"""

import argparse
from pathlib import Path

import numpy as np

import ganglion as gg
from ganglion import plotting

START, LIMITS = (-7.0, 2.0), ((-8, 8), (-3, 3))
OPTIMIZERS = {
    "SGD": gg.SGD(0.95),
    "momentum": gg.SGD(0.1, momentum=0.9),
    "Nesterov": gg.SGD(0.1, momentum=0.9, nesterov=True),
    "AdaGrad": gg.AdaGrad(1.5),
    "RMSprop": gg.RMSprop(0.3),
    "Adam": gg.Adam(0.3),
}


def valley(x, y):
    return x * x / 20 + y * y


class Valley(gg.CustomLoss):
    """The valley as a loss, which looks at the output alone."""

    def values(self, output, target):
        return valley(output[:, 0], output[:, 1])

    def gradient(self, output, target):
        return output * [1 / 10, 2]


def descend(optimizer, steps):
    """The places (x, y) at which an optimizer comes by, the start first."""
    model = gg.Sequential([gg.Dense(2, use_bias=False, input_shape=(1,))], dtype="float64")
    model.set_weights([[START]])
    trainer = gg.Trainer(model, Valley(), optimizer)
    one, places = np.ones((1, 1)), [START]
    for _ in range(steps):
        trainer.train_on_batch(one, np.zeros((1, 2)))  # the input 1 makes the weights the output
        places.append(tuple(model.get_weights()[0][0]))
    return np.array(places)


def report(paths, steps):
    """Print where each is now and then, and when it has come close for good."""
    shown = [step for step in (1, 2, 5, 10, 20, 30, 100) if step <= steps]
    print("the valley's depth after steps " + "".join(f"{step:>10}" for step in shown) + "   below 0.01 from")
    for name, path in paths.items():
        depths = valley(*path.T)
        above = np.flatnonzero(depths >= 0.01)[-1] + 1
        close = f"step {above}" if above <= steps else "never"
        print(f"{name:<31}" + "".join(f"{depths[step]:10.2g}" for step in shown) + f"{close:>18}")


def turns(path):
    """How often the path goes from one wall of the valley to the other."""
    return int(np.sum(path[1:, 1] * path[:-1, 1] < 0))


def main(quick: bool, pictures: Path) -> None:
    steps = 30 if quick else 100
    paths = {name: descend(optimizer, steps) for name, optimizer in OPTIMIZERS.items()}
    report(paths, steps)
    print("\nfrom wall to wall in the first 30 steps: " + ", ".join(f"{n} {turns(p[:31])}" for n, p in paths.items()))

    pictures.mkdir(parents=True, exist_ok=True)
    ways, depths = pictures / "13_optimizers.png", pictures / "13_depths.png"
    panels = plotting.panels(len(paths), columns=3, path=ways)
    for panel, (name, path) in zip(panels, paths.items(), strict=True):
        plotting.descent_paths(valley, {name: path[:31]}, panel, limits=LIMITS)
    plotting.finish(panels, ways)
    curves = {name: valley(*path.T) for name, path in paths.items()}
    plotting.lines(range(steps + 1), curves, xlabel="step", ylabel="depth", log=True, path=depths)
    print(f"\npictures: {ways.name}, {depths.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
