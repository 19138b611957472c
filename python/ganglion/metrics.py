"""What is reported beside the loss, over the rows of an epoch or of a data set; computed in the core while it trains.

What a row says depends on the model. With several outputs its class is the first largest one, its target a label or
the first largest value of its row of targets. With one output, or a loss for which each output is a yes or no of its
own, an output says yes above a threshold, a target above 0.5.

Examples
--------
>>> import numpy as np, ganglion as gg
>>> model = gg.Sequential(gg.Dense(1, kernel_initializer="ones", input_shape=(1,)))
>>> trainer = gg.Trainer(model, "mse", metrics=["accuracy", gg.metrics.Precision(0.25), "auc"])
>>> trainer.evaluate(np.array([[0.1], [0.3], [0.6], [0.9]]), [0, 0, 1, 1])["precision"]
0.6666666666666666
"""

from __future__ import annotations

from dataclasses import dataclass

from ganglion import _native, inputs
from ganglion.descriptions import Description, Family

__all__ = [
    "AUC",
    "F1",
    "METRICS",
    "R2",
    "Accuracy",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "TopKAccuracy",
]


class Metric(Description):
    """Base of the metrics."""

    @property
    def key(self) -> str:
        """What `History` and `Trainer.evaluate` call it."""
        return self.row

    def native(self, threshold: float, columns: bool) -> _native.Metric:
        """Its row of the core's table.

        Parameters
        ----------
        threshold
            Above which an output says yes, where the metric does not know better.
        columns
            Whether each of several outputs says yes or no of its own.
        """
        return _native.Metric(self.row, threshold, columns=columns)


NAMES_OF_ACCURACY = ("acc", "categorical_accuracy", "sparse_categorical_accuracy", "binary_accuracy")
ELSEWHERE = {
    **dict.fromkeys(NAMES_OF_ACCURACY, "use 'accuracy'"),
    "a function": "a metric of your own is a class derived from CustomMetric",
}
METRICS = Family[Metric]("metric", Metric, ELSEWHERE)


@dataclass(frozen=True, repr=False)
class Thresholded(Metric):
    """Base of the metrics that count an output as yes or no.

    Parameters
    ----------
    threshold
        Above which an output says yes: a finite number. By default the loss knows: 0.5 for probabilities and for
        numbers that imitate targets 0 and 1, 0 for logits. Where the largest output says the class, it is not used.
    """

    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None:
            self._set("threshold", inputs.real("threshold", self.threshold))

    def native(self, threshold: float, columns: bool) -> _native.Metric:
        """Its row of the core's table."""
        return super().native(threshold if self.threshold is None else self.threshold, columns)


@METRICS.add("accuracy")
class Accuracy(Thresholded):
    """The share of rows that are classified right; with a yes or no in each column, the mean share of its columns."""


@METRICS.add("top_k_accuracy", "top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy")
@dataclass(frozen=True, repr=False)
class TopKAccuracy(Metric):
    """The share of rows whose target is among the k largest outputs, the first of equals counting as larger.

    Parameters
    ----------
    k
        At least 1 and less than the number of classes.
    """

    k: int = 5

    def __post_init__(self) -> None:
        self._set("k", inputs.integer("k", self.k, minimum=1, maximum=inputs.LARGEST_COUNT))

    @property
    def key(self) -> str:
        """``top_k_accuracy``, or ``top_3_accuracy`` for a k that is not the default."""
        return self.row if self.k == 5 else f"top_{self.k}_accuracy"

    def native(self, threshold: float, columns: bool) -> _native.Metric:
        """Its row of the core's table."""
        return _native.Metric(self.row, threshold, self.k, columns)


@METRICS.add("precision")
class Precision(Thresholded):
    """The share of those that are right among the rows said to be positive; 0 if there are none.

    Of two classes the second is positive. With more, it is the mean over the classes that occur among targets or
    answers, as scikit-learn's ``average="macro"``. With a yes or no in each column all columns are counted together.
    """


@METRICS.add("recall")
class Recall(Thresholded):
    """The share of those that are found among the positive rows; 0 if there are none. See `Precision`."""


@METRICS.add("f1", "f1_score")
class F1(Thresholded):
    """2 · precision · recall / (precision + recall), for each class that `Precision` would take the mean over."""


@METRICS.add("auc", "roc_auc")
class AUC(Metric):
    """The area under the receiver operating characteristic: the chance that a positive row scores above a negative one.

    Exact, by ranks, with ties counted half: U / (P · N) of P positive and N negative rows; NaN if one is 0. The score
    is the output, or with two outputs the second less the first. It needs all rows: while an epoch runs it is not
    shown, and 16 bytes a row are kept. J. A. Hanley and B. J. McNeil, "The meaning and use of the area under a receiver
    operating characteristic (ROC) curve", Radiology 143, 1982. Keras's ``AUC`` approximates it with 200 thresholds.
    """


@METRICS.add("mae", "mean_absolute_error")
class MeanAbsoluteError(Metric):
    """1/(B·O) Σ_i Σ_j |t_ij − y_ij|, from the model's outputs y."""


@METRICS.add("mse", "mean_squared_error")
class MeanSquaredError(Metric):
    """1/(B·O) Σ_i Σ_j (t_ij − y_ij)², from the model's outputs y."""


@METRICS.add("r2", "r2_score")
class R2(Metric):
    """The coefficient of determination, 1 − Σ_i (t_i − y_i)² / Σ_i (t_i − mean t)², the mean over the columns.

    A column whose targets are all the same counts 1 if they are met exactly, else 0; scikit-learn's ``r2_score`` too.
    """
