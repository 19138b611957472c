"""The network and the loop of 08_two_layer_net.py in NumPy alone: sigmoid, softmax, cross-entropy, descent."""

import time

import numpy as np
from threadpoolctl import threadpool_limits


class TwoLayerNet:
    """Two layers; `weights` are kernel and bias of the first and of the second, and are trained in place.

    Their type is that of the arithmetic: float64 is what NumPy makes of everything unless told otherwise.
    """

    def __init__(self, weights):
        self.w1, self.b1, self.w2, self.b2 = weights

    def predict(self, x):
        """The hidden units, and the probability of each answer."""
        h = 1 / (1 + np.exp(-(x @ self.w1 + self.b1)))
        z = h @ self.w2 + self.b2
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return h, e / e.sum(axis=1, keepdims=True)

    def step(self, x, t, rate):
        """One iteration: forward, backward, update. Returns the loss before the update."""
        h, p = self.predict(x)
        rows = np.arange(len(x))
        loss = -np.log(p[rows, t]).mean()
        p[rows, t] -= 1
        p /= len(x)
        d = p @ self.w2.T * h * (1 - h)
        self.w1 -= rate * (x.T @ d)
        self.b1 -= rate * d.sum(axis=0)
        self.w2 -= rate * (h.T @ p)
        self.b2 -= rate * p.sum(axis=0)
        return loss

    def accuracy(self, x, t):
        """The share of right answers."""
        return (self.predict(x)[1].argmax(axis=1) == t).mean()


@threadpool_limits.wrap(limits=1)  # matrices this small are not multiplied faster by several threads
def train(weights, train_set, test_set, *, dtype, orders, batch, rate):
    """Train on batches in the given order of each epoch.

    Returns
    -------
    accuracies
        On both sets after each epoch.
    seconds
        Of the iterations alone.
    """
    net = TwoLayerNet([np.array(weight, dtype) for weight in weights])
    x, t = train_set
    accuracies, losses, seconds = [], [], 0.0
    for order in orders:
        began = time.perf_counter()
        for start in range(0, len(x), batch):
            rows = order[start : start + batch]
            losses.append(net.step(x[rows], t[rows], rate))
        seconds += time.perf_counter() - began
        accuracies.append([net.accuracy(*train_set), net.accuracy(*test_set)])
    return accuracies, seconds
