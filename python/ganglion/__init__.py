"""Dense neural networks on the CPU: described in Python, run in C++, the same bits on every machine and any team.

Examples
--------
>>> import numpy as np, ganglion as gg
>>> model = gg.Sequential([gg.Dense(8, activation="relu", input_shape=(2,)), gg.Dense(2)], seed=0)
>>> trainer = gg.Trainer(model, loss="cross_entropy", optimizer=gg.Adam(0.01), metrics=["accuracy"])
>>> x = np.array([[-1, 0], [1, 0], [-2, 1], [2, 1]], np.float32)
>>> history = trainer.fit(x, [0, 1, 0, 1], epochs=100, verbose=0)
>>> model.predict_classes(x)
array([0, 1, 0, 1])
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganglion._native import __version__

if TYPE_CHECKING:
    from ganglion import (
        callbacks,
        data,
        errors,
        functional,
        initializers,
        layers,
        losses,
        metrics,
        nn,
        optim,
        optimizers,
        plotting,
        reference,
        regularizers,
        schedules,
    )
    from ganglion.callbacks import (
        Callback,
        Checkpoint,
        CSVLogger,
        EarlyStopping,
        LambdaCallback,
        LearningRateSchedule,
        Monitor,
        ReduceOnPlateau,
        TensorBoard,
    )
    from ganglion.checkpoint import load
    from ganglion.custom import CustomLayer, CustomLoss, CustomMetric
    from ganglion.history import History
    from ganglion.layers import (
        ELU,
        GELU,
        SELU,
        Activation,
        BatchNormalization,
        Dense,
        Dropout,
        Flatten,
        Identity,
        LayerNormalization,
        LeakyReLU,
        ReLU,
        Rescale,
        Sigmoid,
        SiLU,
        Softmax,
        Softplus,
        Step,
        Swish,
        Tanh,
    )
    from ganglion.losses import (
        BinaryCrossEntropy,
        CrossEntropy,
        Huber,
        MeanAbsoluteError,
        MeanSquaredError,
        SumSquaresError,
    )
    from ganglion.machine import info, use_kernel_set
    from ganglion.modules import Linear
    from ganglion.optimizers import SGD, AdaGrad, Adam, AdamW, RMSprop
    from ganglion.regularizers import L1, L1L2, L2
    from ganglion.schedules import Cosine, Exponential, LinearDecay, OneCycle, PiecewiseConstant, StepDecay, WarmUp
    from ganglion.sequential import Sequential
    from ganglion.trainer import Trainer
    from ganglion.verification import verify

__all__ = [
    "ELU",
    "GELU",
    "L1",
    "L1L2",
    "L2",
    "SELU",
    "SGD",
    "Activation",
    "AdaGrad",
    "Adam",
    "AdamW",
    "BatchNormalization",
    "BinaryCrossEntropy",
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "Cosine",
    "CrossEntropy",
    "CustomLayer",
    "CustomLoss",
    "CustomMetric",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "Exponential",
    "Flatten",
    "History",
    "Huber",
    "Identity",
    "LambdaCallback",
    "LayerNormalization",
    "LeakyReLU",
    "LearningRateSchedule",
    "Linear",
    "LinearDecay",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Monitor",
    "OneCycle",
    "PiecewiseConstant",
    "RMSprop",
    "ReLU",
    "ReduceOnPlateau",
    "Rescale",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Step",
    "StepDecay",
    "SumSquaresError",
    "Swish",
    "Tanh",
    "TensorBoard",
    "Trainer",
    "WarmUp",
    "__version__",
    "callbacks",
    "data",
    "errors",
    "functional",
    "info",
    "initializers",
    "layers",
    "load",
    "losses",
    "metrics",
    "nn",
    "optim",
    "optimizers",
    "plotting",
    "reference",
    "regularizers",
    "schedules",
    "use_kernel_set",
    "verify",
]

MODULES = {  # where each name comes from; a name that is not here is a module itself
    "callbacks": "Callback Checkpoint CSVLogger EarlyStopping LambdaCallback LearningRateSchedule Monitor "
    "ReduceOnPlateau TensorBoard",
    "checkpoint": "load",
    "custom": "CustomLayer CustomLoss CustomMetric",
    "history": "History",
    "layers": "ELU GELU SELU Activation BatchNormalization Dense Dropout Flatten Identity LayerNormalization LeakyReLU "
    "ReLU Rescale Sigmoid SiLU Softmax Softplus Step Swish Tanh",
    "losses": "BinaryCrossEntropy CrossEntropy Huber MeanAbsoluteError MeanSquaredError SumSquaresError",
    "machine": "info use_kernel_set",
    "modules": "Linear",
    "optimizers": "SGD AdaGrad Adam AdamW RMSprop",
    "regularizers": "L1 L1L2 L2",
    "schedules": "Cosine Exponential LinearDecay OneCycle PiecewiseConstant StepDecay WarmUp",
    "sequential": "Sequential",
    "trainer": "Trainer",
    "verification": "verify",
}
ORIGIN = {name: module for module, names in MODULES.items() for name in names.split()}

ELSEWHERE = {
    **dict.fromkeys(("tensor", "Tensor", "from_numpy"), "arrays are NumPy's: np.array([1.0, 2.0])"),
    "no_grad": "model.predict(x) keeps nothing for gradients",
    **dict.fromkeys(("models", "Model"), "a network is a Sequential of layers"),
    **dict.fromkeys(("random", "manual_seed", "set_seed"), "the seed is the model's: Sequential(layers, seed=0)"),
    **dict.fromkeys(
        ("utils", "to_categorical", "one_hot"), "labels are taken as they are; one-hot rows are np.eye(classes)[y]"
    ),
    **dict.fromkeys(("DataLoader", "Dataset", "TensorDataset"), "arrays go to fit(x, y, batch_size=32) as they are"),
    "datasets": "data.mnist(folder) reads MNIST's files",
    "train_test_split": "it is in sklearn.model_selection",
}

if not TYPE_CHECKING:  # a type checker looks at the imports above, and would find every name here

    def __getattr__(name: str) -> Any:
        """Import what is asked for first when it is asked for, so that ``import ganglion`` costs next to nothing."""
        from importlib import import_module

        if name in ORIGIN:
            value = getattr(import_module(f"{__name__}.{ORIGIN[name]}"), name)
            globals()[name] = value
            return value
        module = f"{__name__}.{name}"
        try:
            if not name.startswith("_"):
                return import_module(module)
        except ModuleNotFoundError as error:
            if error.name != module:
                raise
        from ganglion.arguments import no_attribute

        families = "initializers metrics callbacks layers losses optimizers regularizers schedules"
        homes = [import_module(f"{__name__}.{family}") for family in families.split()]
        inside = next((f"it is {home.__name__}.{name}" for home in homes if name in home.__all__), None)
        raise no_attribute(__name__, name, __all__, ELSEWHERE.get(name, inside))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
