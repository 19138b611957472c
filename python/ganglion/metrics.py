"""What is reported beside the loss; summed in the core while it trains."""

from __future__ import annotations

from ganglion.descriptions import Description, Family

__all__ = ["METRICS", "Accuracy", "Metric"]


class Metric(Description):
    """Base of the metrics."""


NAMES_OF_ACCURACY = ("acc", "categorical_accuracy", "sparse_categorical_accuracy", "binary_accuracy")
METRICS = Family[Metric]("metric", Metric, dict.fromkeys(NAMES_OF_ACCURACY, "use 'accuracy'"))


@METRICS.add("accuracy")
class Accuracy(Metric):
    """The share of rows that are classified right.

    With several outputs a row's class is its first largest output, its target a label or the first largest value of its
    row of targets. With one output the class is 1 where the output, or the target, is greater than 0.5.
    """
