"""The exceptions of the package. All derive from built-in ones; bad arguments raise plain TypeError and ValueError."""

from __future__ import annotations

from ganglion._native import TrainingDivergedError

__all__ = [
    "CheckpointError",
    "CheckpointVersionError",
    "NotCompiledError",
    "NotFittedError",
    "TrainingDivergedError",
    "TrainingWarning",
]

TrainingDivergedError.__module__ = "ganglion.errors"  # where users meet it, and what their tracebacks say


class CheckpointError(ValueError):
    """A file is not what a model file must be; nothing of it was used."""


class CheckpointVersionError(CheckpointError):
    """A model file was written by a newer version of ganglion."""


class NotCompiledError(ValueError, AttributeError):
    """A model was to be trained or evaluated before `Sequential.compile` said how."""


class NotFittedError(ValueError, AttributeError):
    """The model's sizes are not known yet, so that it has no weights to predict with, show or save."""


class TrainingWarning(UserWarning):
    """Something goes wrong in a layer while it learns; the text names the layer and a cure."""
