"""Activation functions: what makes a network more than one big linear unit, and why their slopes matter.

Training multiplies by the activation's derivative at every layer. Where it is near 0, a unit is saturated and hardly
learns; sigmoid's is never more than 0.25.

Try: `"elu": (F.elu, F.elu_derivative)` and `F.gelu` with its own in FUNCTIONS; inputs of ±10 in INPUTS.

    python examples/03_activations.py
"""

import argparse
from pathlib import Path

import numpy as np

import ganglion.functional as F
from ganglion import plotting

INPUTS = np.array([-5.0, -1.0, -0.1, 0.1, 1.0, 5.0])
FUNCTIONS = {
    "step": (F.step, np.zeros_like),  # flat but for its jump: nothing to learn by
    "sigmoid": (F.sigmoid, F.sigmoid_derivative),
    "tanh": (F.tanh, F.tanh_derivative),
    "relu": (F.relu, F.relu_derivative),
    "leaky_relu": (F.leaky_relu, F.leaky_relu_derivative),
}


def table(title, which):
    print(title)
    print("  x           " + "".join(f"{x:9.1f}" for x in INPUTS))
    for name, functions in FUNCTIONS.items():
        print(f"  {name:12}" + "".join(f"{value:9.4f}" for value in functions[which](INPUTS)))


def check_derivatives():
    """A derivative is the slope of a chord that is short enough: (f(x + h) − f(x − h)) / 2h."""
    print("\nAre the derivatives right? Largest difference to the slopes of short chords at these inputs:")
    for name, (function, derivative) in FUNCTIONS.items():
        difference = np.abs(F.numerical_diff(function, INPUTS) - derivative(INPUTS)).max()
        print(f"  {name:12} {'below 0.0000001' if difference < 1e-7 else f'{difference:.1e}'}")


def why_they_are_needed():
    """Two layers without an activation are one: (xW + b)V + c = x(WV) + (bV + c)."""
    random = np.random.default_rng(0)
    x, w, v = (random.integers(-3, 4, size=(3, 3)) for _ in range(3))
    print("\nTwo linear layers and the one that they amount to, for a 3 × 3 example of whole numbers:")
    print(f"  (xW)V equals x(WV): {np.array_equal((x @ w) @ v, x @ (w @ v))}")
    print(f"  relu(xW)V equals relu(x(WV)): {np.array_equal(F.relu(x @ w) @ v, F.relu(x @ (w @ v)))}")


def softmax():
    print("\nSoftmax: any numbers become probabilities, and large ones do no harm")
    for numbers in ([0.3, 2.9, 4.0], [1010.0, 1000.0, 990.0]):
        shares = F.softmax(np.array(numbers))
        print(f"  {numbers} → " + " ".join(f"{share:.6f}" for share in shares) + f", together {shares.sum():.6f}")


def main(quick: bool, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    table("Values", 0)
    table("\nDerivatives", 1)
    check_derivatives()
    why_they_are_needed()
    softmax()
    path = pictures / "03_activations.png"
    plotting.activation_functions(path=path)
    print(f"\npicture: {path.name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="no difference here: it takes no time")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"), help="the folder to draw into")
    arguments = parser.parse_args()
    main(arguments.quick, arguments.pictures)
