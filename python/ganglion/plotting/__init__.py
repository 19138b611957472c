"""Pictures, drawn with matplotlib, which is imported only when one is asked for.

Every function that draws takes

``ax``
    Matplotlib axes to draw into, whose colours of ground and text are left alone; where there are several panels, a
    sequence of them. By default a new figure, whose transparent ground reads on white paper and on a dark page.
``path``
    The file to write, whose ending chooses the format (``.png``, ``.svg``, ``.pdf``); no window opens then.

and returns the axes, whose ``figure`` is the figure.
"""

from __future__ import annotations

from ganglion.plotting.curves import activation_functions, gradients, learning_curves, lines
from ganglion.plotting.descents import descent_curve, descent_paths
from ganglion.plotting.images import first_weights, misclassified
from ganglion.plotting.predictions import confusion_matrix, decision_boundary, fit_1d
from ganglion.plotting.style import COLOURS, DASHES, INK, MARKERS, appearance, finish, panels

__all__ = [
    "COLOURS",
    "DASHES",
    "INK",
    "MARKERS",
    "activation_functions",
    "appearance",
    "confusion_matrix",
    "decision_boundary",
    "descent_curve",
    "descent_paths",
    "finish",
    "first_weights",
    "fit_1d",
    "gradients",
    "learning_curves",
    "lines",
    "misclassified",
    "panels",
]
