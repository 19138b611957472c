"""Keras's arguments: which of them its methods take here, what they mean, and what is said of all others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ganglion import inputs
from ganglion.arguments import remedy
from ganglion.descriptions import unknown_name
from ganglion.progress import style

__all__ = ["METHODS", "accept", "check_batch_size", "check_predict", "of_keras"]

READERS = ("workers", "use_multiprocessing", "max_queue_size")
# What each method has parameters for, and what Keras's has besides.
METHODS = {
    "compile": (
        ["optimizer", "loss", "metrics"],
        ["loss_weights", "weighted_metrics", "run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"],
    ),
    "fit": (
        [
            *("x", "y", "batch_size", "epochs", "verbose", "callbacks", "validation_split", "validation_data"),
            *("shuffle", "class_weight", "sample_weight", "initial_epoch"),
        ],
        ["steps_per_epoch", "validation_steps", "validation_freq", "validation_batch_size", *READERS],
    ),
    "evaluate": (["x", "y", "batch_size", "verbose", "sample_weight", "return_dict"], ["steps", "callbacks", *READERS]),
    "predict": (["x", "batch_size", "verbose", "threads"], ["steps", "callbacks", *READERS]),
    "train_on_batch": (["x", "y", "sample_weight", "class_weight", "return_dict"], []),
}
# Those that have one value here, and what to do for another. The rest say how Keras computes, and change no result.
FIXED = {
    "steps_per_epoch": (None, "an epoch goes through all of x once; to see less of it, pass fewer rows"),
    "validation_steps": (None, "all of the validation data is evaluated; to see less of it, pass fewer rows"),
    "validation_freq": (1, "every epoch is validated; to validate fewer, call fit and evaluate in turn"),
    "steps": (None, "all of x is used; to use less of it, pass fewer rows"),
    "loss_weights": (None, "a model has one output and one loss, whose weight the learning rate is"),
    "weighted_metrics": (None, "put them into metrics"),
    "callbacks": (None, "they belong to fit"),
}
# Keras's metrics that are one here, which looks at the loss and the outputs itself.
METRICS = dict.fromkeys(("acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"), "accuracy")


def of_keras(metric: Any) -> Any:
    """What a metric of Keras is called here; anything else as it is."""
    return METRICS.get(metric, metric) if isinstance(metric, str) else metric


def accept(method: str, others: Mapping[str, Any], own: Collection[str] = ()) -> None:
    """Take or refuse arguments that a method has no parameter for.

    Parameters
    ----------
    method
        One of `METHODS`.
    others
        What was given, by name.
    own
        Further names to list as known.

    Raises
    ------
    TypeError
        An unknown name; the message lists the known ones.
    ValueError
        Another value than the only one that there is.
    """
    parameters, kerass = METHODS[method]
    for name, value in others.items():
        if name not in kerass:
            known = dict.fromkeys([*parameters, *own])
            raise TypeError(unknown_name(f"argument of {method}", name, known, remedy(name, known)))
        only, instead = FIXED.get(name, (value, ""))
        if value is not only and value != only:
            raise ValueError(f"{method} takes {name}={only} alone; given {value!r}: {instead}")


def check_predict(batch_size: object, verbose: object, others: Mapping[str, Any]) -> None:
    """Take what Keras's ``predict`` takes and this one has no use for, and refuse all else."""
    accept("predict", others)
    check_batch_size(batch_size)
    style(verbose)


def check_batch_size(value: object) -> None:
    """Refuse what is no batch size, where there is no use for one."""
    if value is not None:
        inputs.integer("batch_size", value, minimum=1)
