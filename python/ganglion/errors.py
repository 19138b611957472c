"""The exceptions of the package. All derive from built-in ones; bad arguments raise plain TypeError and ValueError."""

from __future__ import annotations

from ganglion._native import TrainingDivergedError
from ganglion.safetensors import CheckpointError, CheckpointVersionError

__all__ = ["CheckpointError", "CheckpointVersionError", "NotFittedError", "TrainingDivergedError"]


class NotFittedError(ValueError, AttributeError):
    """The model's sizes are not known yet, so that it has no weights to predict with, show or save."""
