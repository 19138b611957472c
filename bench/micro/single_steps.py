"""What `train_on_batch` costs over the same step inside `fit`.

usage: python bench/micro/single_steps.py

One thread. Prints microseconds a step of both, medians of interleaved rounds, and the difference.
"""

import time

import numpy as np

import ganglion as gg

NETWORKS = {"thermo": (1, (13, 1), 11), "rl": (17, (64, 64, 6), 64), "book": (784, (50, 10), 100)}
STEPS, ROUNDS = 1000, 15


def main():
    random = np.random.default_rng(0)
    for name, (inputs, widths, batch) in NETWORKS.items():
        layers = [*(gg.Dense(units, "tanh") for units in widths[:-1]), gg.Dense(widths[-1])]
        trainer = gg.Trainer(gg.Sequential(layers, seed=1), "mse", "adam", threads=1)
        x = random.standard_normal((batch, inputs), np.float32)
        y = random.standard_normal((batch, widths[-1]), np.float32)
        rounds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            trainer.fit(x, y, epochs=STEPS, batch_size=batch, verbose=0)
            middle = time.perf_counter()
            for _ in range(STEPS):
                trainer.train_on_batch(x, y)
            rounds.append((middle - start, time.perf_counter() - middle))
        inside, alone = np.median(rounds[1:], axis=0) / STEPS * 1e6
        print(f"{name:7} in fit {inside:7.2f} µs   train_on_batch {alone:7.2f} µs   over {alone - inside:5.2f} µs")


if __name__ == "__main__":
    main()
