"""Slopes by trying out, and how to walk down them: numerical derivatives, gradient descent, Newton's method.

A step of gradient descent goes against the slope: x ← x − µ·f'(x). On the parabola x² that is x ← (1 − 2µ)·x, so the
rate µ decides everything: below ½ it settles, up to 1 it zigzags, above 1 each step is larger than the one before.

Try: µ = 0.5 and µ = 1 in `rates_on_a_parabola`; other starts in `hills`, and Newton's method from there.

    python examples/04_gradient_descent.py
"""

import argparse
from pathlib import Path

import numpy as np

import ganglion.functional as F
from ganglion import plotting


def parabola(x):
    return x * x


def bowl(x):
    return x[0] * x[0] + x[1] * x[1]


def valley(x):
    return x[0] * x[0] / 20 + x[1] * x[1]  # steep across, nearly flat along


def hill_and_hollows(x):
    return x * x * x * x - 3 * x * x + x  # not convex


def derivatives():
    print("Derivative by a short chord, (f(x + h) − f(x − h)) / 2h")
    for x in (5.0, 10.0):
        slope = F.numerical_diff(lambda x: 0.01 * x * x + 0.1 * x, x)
        print(f"  0.01x² + 0.1x at {x:4}: {slope:.6f}, by hand {0.02 * x + 0.1:.1f}")
    print("Derivative of x³ at 1, by hand 3: long chords miss it, too short ones drown in rounding")
    for h in (1e-1, 1e-2, 1e-4, 1e-10, 1e-13):
        print(f"  h = {h:5.0e}   error {abs(F.numerical_diff(lambda x: x * x * x, 1.0, h) - 3):.0e}")
    print("Gradient of x₀² + x₁²: both partial derivatives")
    for point in ([3.0, 4.0], [0.0, 2.0], [3.0, 0.0]):
        print(f"  at {point}: {' '.join(f'{slope:.6f}' for slope in F.numerical_gradient(bowl, np.array(point)))}")


def rates_on_a_parabola(steps=6):
    print("\nDescent on x² from 1:      " + " ".join(f"step {step:2}" for step in range(steps + 1)))
    paths = {}
    for rate, word in {0.4: "settles", 0.6: "zigzags", 1.2: "runs away", 1e-10: "stands still"}.items():
        _, paths[f"µ = {rate} {word}"] = F.gradient_descent(parabola, 1.0, lr=rate, step_num=steps)
    _, paths["Newton, no rate"] = F.newton_method(parabola, 1.0, step_num=steps)
    for name, path in paths.items():
        print(f"  {name:22}   " + " ".join(f"{x + 0.0:7.4f}" for x in path.round(4)))
    return dict(list(paths.items())[:3])


def hills(steps):
    print("\nTwo hollows, at −1.3008 and 1.1309, and a hill at 0.1699: where one begins decides where one ends")
    paths = {}
    for start in (-2.0, 0.1, 0.25, 2.0):
        end, paths[f"from {start:g}"] = F.gradient_descent(hill_and_hollows, start, lr=0.03, step_num=steps)
        newton, _ = F.newton_method(hill_and_hollows, start, step_num=steps)  # to a slope of 0, and a hill has one
        note = ", the top of the hill" if 12 * newton * newton < 6 else ""  # where f″ = 12x² − 6 is negative
        print(f"  from {start:5.2f}: descent ends at {end:7.4f}, Newton's method at {newton:7.4f}{note}")
    return paths


def two_dimensions(steps):
    print(f"\nx₀²/20 + x₁² from (−7, 2), {steps} steps: the slope across the valley is 20 times the slope along it")
    paths = {}
    for name, rate in {"µ = 0.4": 0.4, "µ = 0.9": 0.9}.items():
        end, paths[name] = F.gradient_descent(valley, [-7.0, 2.0], lr=rate, step_num=steps)
        print(f"  {name:20} ends at {abs(end[0]):.4f} along, {abs(end[1]):.4f} across from the lowest point")
    end, paths["Newton"] = F.newton_method(valley, [-7.0, 2.0], step_num=1)
    print(f"  {'Newton, in one step,':20} ends at {abs(end[0]):.4f} along, {abs(end[1]):.4f} across")
    return paths


def draw_field(path):
    """An arrow at each point, against the gradient: downhill, longer where it is steeper."""
    (axes,) = plotting.panels(path=path, size=(4.4, 4.4))
    grid = np.linspace(-2, 2, 13)
    points = np.stack(np.meshgrid(grid, grid)).reshape(2, -1)
    slopes = np.transpose([F.numerical_gradient(bowl, point) for point in points.T])
    axes.quiver(*points, *-slopes, color=plotting.COLOURS[0])
    axes.set(xlabel="x₀", ylabel="x₁", aspect="equal")
    axes.set_title("downhill on x₀² + x₁²", loc="left", fontweight="bold")
    plotting.finish([axes], path)


def draw_descents(on_parabola, on_hills, in_valley, path):
    axes = plotting.panels(3, path=path)
    plotting.descent_curve(parabola, on_parabola, limits=(-2.2, 2.2), ax=axes[0])
    plotting.descent_curve(hill_and_hollows, on_hills, limits=(-2.1, 2.1), ax=axes[1])
    plotting.descent_paths(lambda x, y: valley((x, y)), in_valley, limits=((-8, 8), (-3, 3)), ax=axes[2])
    axes[2].set(xlabel="x₀", ylabel="x₁")
    for panel, title in zip(axes, ("x²: three rates", "x⁴ − 3x² + x: four starts", "x₀²/20 + x₁²"), strict=True):
        panel.set_title(title, loc="left", fontweight="bold")
    plotting.finish(axes, path)


def main(quick: bool, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    derivatives()
    descents = rates_on_a_parabola(), hills(30 if quick else 200), two_dimensions(20)
    draw_field(pictures / "04_gradient_field.png")
    draw_descents(*descents, pictures / "04_gradient_descent.png")
    print("\npictures: 04_gradient_field.png, 04_gradient_descent.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer steps")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
