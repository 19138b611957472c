"""The pre-flight check: data, model and learning rate looked at before a training, on copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganglion.preflight.findings import Check, Finding

if TYPE_CHECKING:
    from ganglion.trainer import Trainer

__all__ = ["Check", "Finding", "check"]


def check(trainer: Trainer, x: object, y: object, *, verbose: bool = True) -> Check:
    """Look for what usually goes wrong with data, model, loss and learning rate, before training.

    `Trainer.check` is this. Looked at are, as far as what is before lets them:

    - *inputs*, *constant features*: NaN and infinity, scale as the first trainable layer sees it, columns that are the
      same in all rows;
    - *targets*, *order*: what the loss takes, classes from 0, missing and rare classes, values that look like classes,
      scale, rows sorted by class;
    - *layers*, *last layer*: nothing between two dense layers, weights that are all the same, softmax inside the model,
      dropout at its end; probabilities for a loss of logits and the reverse, a softmax too many, outputs that cannot
      reach the targets;
    - *first loss*: with initial weights that of knowing nothing, ln(classes), or at least not far more than that of
      a constant guess;
    - *gradients*: vanishing or missing in the first layers, with the model's weights as they are;
    - *learning rate*: up to 100 steps over a few batches, from the model's weights, at each rate from 1e-6 to 10 and at
      the trainer's own; a range of good ones (after L. N. Smith, "Cyclical learning rates for training neural
      networks", WACV 2017, section 3.3, but each rate by itself);
    - *overfits a batch*: whether a copy can learn some eight rows by heart (A. Karpathy, "A recipe for training neural
      networks", 2019).

    Bad data is a finding, not an exception. Nothing of the model or the trainer is changed, and the same data gives the
    same findings. To take about a second, the trials use a copy of the model without its dropout, and a few rows from
    all parts of the data: 1,024 for statistics, 256 for the first loss and the gradients, 128 for rates (fewer
    steps, rates and rows for a model with millions of parameters). NaN and constant features are looked for in all rows
    up to 2²⁶ elements, else in every k-th row, which the report says.

    Parameters
    ----------
    trainer
        Model, loss, optimizer and metrics.
    x, y
        The training data, arrays or frames as `Trainer.fit` takes them.
    verbose
        Whether to print the report.

    Returns
    -------
    Check
        Its ``ok`` says whether there is neither a warning nor an error.

    Raises
    ------
    RuntimeError
        If the model is being trained.
    TypeError
        If verbose is neither True nor False.

    Examples
    --------
    >>> import numpy as np, ganglion as gg
    >>> x = np.random.default_rng(0).integers(0, 256, (200, 16))
    >>> y = (x[:, 0] > x[:, 1]).astype(int)
    >>> model = gg.Sequential(gg.Dense(16, "relu"), gg.Dense(2), seed=1)
    >>> result = gg.Trainer(model, "cross_entropy").check(x, y, verbose=False)
    >>> print(result.findings[0].level, result.findings[0].message, sep=": ")
    warning: x is 0 to 255; all 16 columns are large, with a root mean square above 10
    >>> model.input_shape is None  # still
    True
    """
    from ganglion.preflight.examination import examine

    return examine(trainer, x, y, verbose=verbose)
