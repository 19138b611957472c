"""A small network and data for loops written by hand."""

import numpy as np

from ganglion import nn


def two_layers(dtype="float32", seed=0):
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2), seed=seed, dtype=dtype)


def batch(rows=7, dtype="float32", seed=0):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(rows, 3)).astype(dtype), generator.normal(size=(rows, 2)).astype(dtype)


def take_step(model, optimizer, loss_fn, x, y):
    loss = loss_fn(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
