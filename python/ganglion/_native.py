"""The one door to the compiled core: everything else in the package takes the core's names from here."""

from __future__ import annotations

import os
from typing import TypeAlias

# libgomp reads GOMP_SPINCOUNT once, when it is loaded. By default an idle thread spins for milliseconds, which costs
# NumPy's threads a factor of 30 where both alternate; 10,000 turns are enough to bridge the gap between two phases.
_ours = "OMP_WAIT_POLICY" not in os.environ and "GOMP_SPINCOUNT" not in os.environ
if _ours:
    os.environ["GOMP_SPINCOUNT"] = "10000"
try:
    from ganglion import _ganglion_core
    from ganglion._ganglion_core import (
        Activation,
        Context,
        Custom,
        Dense,
        Differential,
        Dropout,
        Feed,
        Flatten,
        Initializer,
        Loss,
        Metric,
        Network,
        NonFiniteInputError,
        Normalization,
        Optimizer,
        Pass,
        Passes,
        Report,
        Rescale,
        Schedule,
        Training,
        TrainingDivergedError,
        UpdateGroup,
        Updates,
        __version__,
        apply_activation,
        default_team,
        differentiate_activation,
        kernel_sets,
        labels,
        mean_loss,
        measured_peak,
        measured_update,
        try_matmul,
    )
finally:
    if _ours:
        del os.environ["GOMP_SPINCOUNT"]

Layer: TypeAlias = (
    Activation | Custom | Dense | Dropout | Flatten | Normalization | Rescale
)  # as the core is told of them

__all__ = [
    "Activation",
    "Context",
    "Custom",
    "Dense",
    "Differential",
    "Dropout",
    "Feed",
    "Flatten",
    "Initializer",
    "Layer",
    "Loss",
    "Metric",
    "Network",
    "NonFiniteInputError",
    "Normalization",
    "Optimizer",
    "Pass",
    "Passes",
    "Report",
    "Rescale",
    "Schedule",
    "Training",
    "TrainingDivergedError",
    "UpdateGroup",
    "Updates",
    "__version__",
    "_ganglion_core",
    "apply_activation",
    "default_team",
    "differentiate_activation",
    "kernel_sets",
    "labels",
    "mean_loss",
    "measured_peak",
    "measured_update",
    "try_matmul",
]
