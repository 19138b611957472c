"""The tables of what tests compare on, and networks and data made from them, in the reference and in the core.

The core's own tables say what there is; a row without a case here fails by name.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ganglion import reference

ALPHA = 0.25  # for every activation that takes one: exact in float32

# What the core calls a loss's targets, and the losses that know them.
LOSSES = [
    ("cross_entropy", "labels"),
    ("cross_entropy", "values"),
    ("categorical_crossentropy", "labels"),
    ("categorical_crossentropy", "values"),
    ("binary_cross_entropy", "values"),
    ("binary_crossentropy", "values"),
    ("mse", "values"),
    ("mae", "values"),
    ("huber", "values"),
    ("sum_squares_error", "values"),
]
DELTA = 0.75  # for every loss that takes a number: exact in float32

# How a network must end for losses that take probabilities, where the last activation is not fused with the loss.
ENDS = {"categorical_crossentropy": "sigmoid", "binary_crossentropy": "softmax"}
# Ends that the core refuses, because the loss has another squashing function of its own.
SQUASHED = {("sigmoid", "cross_entropy"), ("softmax", "binary_cross_entropy")}

OPTIMIZERS = {
    "sgd": {},
    "momentum": {"momentum": 0.875},
    "nesterov": {"momentum": 0.875},
    "adam": {"beta1": 0.875, "beta2": 0.96875, "epsilon": 2.0**-20},
    "adamw": {"beta1": 0.875, "beta2": 0.96875, "epsilon": 2.0**-20},
    "rmsprop": {"rho": 0.9375, "epsilon": 2.0**-20},
    "rmsprop_momentum": {"rho": 0.9375, "momentum": 0.875, "epsilon": 2.0**-20},
    "adagrad": {"initial_accumulator": 2.0**-10, "epsilon": 2.0**-20},
}
LEARNING_RATES = {
    "sgd": 0.25,
    "momentum": 0.0625,
    "nesterov": 0.0625,
    "adam": 0.015625,
    "adamw": 0.015625,
    "rmsprop": 0.015625,
    "rmsprop_momentum": 0.00390625,
    "adagrad": 0.25,
}
# In the reference's words.
SCHEDULES = {
    "constant": {"rate": 0.0625},
    "linear": {"initial": 0.0625, "final": 0.015625, "steps": 6},
    "step": {"initial": 0.0625, "steps": 3, "factor": 0.75},
    "exponential": {"initial": 0.0625, "steps": 3, "factor": 0.75},
    "cosine": {"initial": 0.0625, "final": 0.015625, "steps": 6},
    "piecewise": {"boundaries": (2, 5), "rates": (0.0625, 0.03125, 0.015625)},
    "warm_up": {"initial": 0.015625, "steps": 4, "then": reference.Cosine(0.0625, 0.015625, 5)},
    "one_cycle": {"initial": 0.015625, "peak": 0.0625, "final": 0.0078125, "peak_step": 3.5, "steps": 9},
    "sampled": {"rates": tuple(0.0625 / (1 + step) for step in range(10))},
}


def native_optimizer(core, name, **options):
    """A row of the core's table, told in the reference's words."""
    words = {"rho": "beta2"}
    return core.Optimizer(name, **{words.get(word, word): value for word, value in options.items()})


def native_schedule(core, name, **options):
    """A row of the core's table, told in the reference's words."""
    told = {"rate": "initial"}
    options = {told.get(word, word): value for word, value in options.items()}
    if "then" in options:
        options["then"] = native_schedule(core, "cosine", **vars(options["then"]))
    return core.Schedule(name, **options)


def options(activation):
    """The keyword arguments of a row of the table of activations."""
    return dict.fromkeys(reference.ACTIVATIONS[activation].options, ALPHA)


def loss_options(loss):
    """The keyword arguments of a row of the table of losses."""
    return dict.fromkeys(reference.LOSSES[loss].options, DELTA)


def native_loss(core, loss):
    """The same for the core, given its module."""
    return core.Loss(loss, DELTA if reference.LOSSES[loss].options else 0.0)


def last_activation(activation, loss):
    """The activation as the network's last one, or another that the loss can do with."""
    if loss in ENDS:
        return ENDS[loss]
    return "identity" if (activation, loss) in SQUASHED else activation


def numbers(*shape, seed, index=0):
    """Standard normal numbers that are exact in float32."""
    count = int(np.prod(shape))
    return reference.normal(count, seed, kind=4, index=index).astype(np.float32).astype(np.float64).reshape(shape)


@dataclass(frozen=True)
class Case:
    """A small network with its batch; everything in it follows from the fields.

    Its weights and data are exact in float32, so that both sides begin with the same numbers in either dtype.
    """

    activation: str
    loss: str = "mse"
    target: str = "values"
    widths: tuple[int, ...] = (7, 9, 8, 4)
    rows: int = 13
    use_bias: bool = True
    last_activation: str = ""
    seed: int = 0

    def __post_init__(self):
        if not self.last_activation:
            object.__setattr__(self, "last_activation", ENDS.get(self.loss, "identity"))

    def __str__(self):
        shape = "-".join(map(str, self.widths))
        return f"{self.activation}-{self.last_activation}-{self.loss}-{self.target}-{shape}x{self.rows}-{self.seed}"

    @property
    def activations(self):
        """One for each dense layer."""
        return [self.activation] * (len(self.widths) - 2) + [self.last_activation]

    def weights(self):
        """Kernel and bias of each layer in order; He's variance, so that no layer shrinks what it passes on."""
        arrays = []
        for layer, (inputs, outputs) in enumerate(pairwise(self.widths)):
            kernel = numbers(inputs, outputs, seed=self.seed, index=2 * layer) * np.float32((2 / inputs) ** 0.5)
            arrays.append(kernel.astype(np.float32).astype(np.float64))
            if self.use_bias:
                arrays.append(numbers(outputs, seed=self.seed, index=2 * layer + 1) / 8)
        return arrays

    def x(self, rows=None):
        """(rows, I)."""
        return numbers(rows or self.rows, self.widths[0], seed=self.seed, index=1000)

    def y(self, rows=None):
        """Labels (rows,), or values (rows, O): distributions for cross-entropy, which here do not sum to one."""
        rows, outputs = rows or self.rows, self.widths[-1]
        if self.target == "labels":
            return (reference.uniform(rows, self.seed, kind=4, index=1001) * outputs).astype(np.int32)
        values = numbers(rows, outputs, seed=self.seed, index=1002)
        if self.loss.startswith("binary"):
            return np.where(values > 1, 1.0, np.abs(values) % 1)  # some of them certain
        return np.abs(values) if "cross" in self.loss else values

    def reference(self):
        """The network in the reference."""
        arrays = iter(self.weights())
        layers = []
        for activation in self.activations:
            bias = [next(arrays)] if not self.use_bias else [next(arrays), next(arrays)]
            layers += [reference.Dense(*bias), reference.Activation(activation, **options(activation))]
        return reference.Sequential(layers)

    def core(self, core, dtype):
        """The network in the core, given its module."""
        layers = []
        for number, (units, activation) in enumerate(zip(self.widths[1:], self.activations, strict=True)):
            layers.append(core.Dense(f"dense_{number}", units, self.use_bias, activation, ALPHA, "zeros", "zeros"))
        network = core.Network(self.widths[0], layers, dtype, self.seed)
        for index, array in enumerate(self.weights()):
            network.assign(index, array.astype(dtype))
        return network

    def feed(self, core, dtype, x=None, y=None):
        """The batch, or other data, as the core reads it."""
        x, y = self.x() if x is None else x, self.y() if y is None else y
        if self.target == "labels":
            return core.Feed(x.astype(dtype), y, None)
        return core.Feed(x.astype(dtype), None, y.astype(dtype))
