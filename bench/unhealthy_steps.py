"""Does a sick network train slower? Times steps with dead and saturated units and logits of ±90 beside a healthy one.

usage: python bench/unhealthy_steps.py [rounds]

The same network, data and optimizer, other weights. The learning rate is so small that a network stays as it is. Prints
microseconds per step, medians of interleaved rounds, and the ratio to the healthy network, which should be at most 1.2:
numbers below the smallest normal one, which some processors are slow at, must not appear.
"""

import sys
import time

import numpy as np

import ganglion as gg

STEPS = 100


def dead(weights):
    """No hidden unit is ever above zero."""
    weights[1][:] = weights[3][:] = -1e6


def saturated(weights):
    """Every hidden unit is at an end of its range."""
    weights[0] *= 1e4
    weights[2] *= 1e4


def extreme(weights):
    """The logits lie near +90 and -90, where the smallest probabilities are below the smallest normal number."""
    weights[4][:] = 0
    weights[5][:] = np.where(np.arange(10) % 2, 90.0, -90.0)


def tiny(weights):
    """Activations, and so gradients, near the smallest normal number."""
    weights[0] *= 1e-37
    weights[1][:] = 0


CASES = {
    "healthy relu": ("relu", None),
    "dead relu": ("relu", dead),
    "logits of ±90": ("relu", extreme),
    "tiny activations": ("relu", tiny),
    "healthy sigmoid": ("sigmoid", None),
    "saturated sigmoid": ("sigmoid", saturated),
    "healthy tanh": ("tanh", None),
    "saturated tanh": ("tanh", saturated),
}


def trainer(activation, change, x):
    layers = [gg.Dense(256, activation=activation), gg.Dense(256, activation=activation), gg.Dense(10)]
    model = gg.Sequential(layers, seed=0)
    model.build((x.shape[1],))
    weights = model.get_weights()
    if change is not None:
        change(weights)
        model.set_weights(weights)
    return gg.Trainer(model, "cross_entropy", gg.Adam(1e-30), threads=1)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    random = np.random.default_rng(0)
    x = random.standard_normal((128 * STEPS, 300), dtype=np.float32)
    y = random.integers(0, 10, len(x))
    trainers = {name: trainer(*case, x) for name, case in CASES.items()}
    times = {name: [] for name in CASES}
    for _ in range(rounds + 1):
        for name, each in trainers.items():
            start = time.perf_counter()
            each.fit(x, y, batch_size=128, shuffle=False, verbose=0)
            times[name].append((time.perf_counter() - start) / STEPS * 1e6)
    medians = {name: float(np.median(values[1:])) for name, values in times.items()}
    for name, (activation, _) in CASES.items():
        print(f"{name:18} {medians[name]:8.1f} µs   {medians[name] / medians[f'healthy {activation}']:.2f}")


if __name__ == "__main__":
    main()
