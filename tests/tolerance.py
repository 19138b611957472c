"""Comparisons with a bound, each of which also proves that the bound can tell right from wrong."""

import numpy as np


def assert_within(actual, expected, bound):
    """|actual − expected| ≤ bound in every element, which no NaN is."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    outside = ~(np.abs(actual - expected) <= bound)
    if outside.any():
        worst = np.argmax(np.where(outside, np.nan_to_num(np.abs(actual - expected) / bound, nan=np.inf), -1))
        place = tuple(int(i) for i in np.unravel_index(worst, actual.shape))
        raise AssertionError(
            f"{outside.sum()} of {outside.size} outside the bound; worst at {place}: {actual[place]!r}, "
            f"expected {expected[place]!r} ± {np.broadcast_to(bound, actual.shape)[place]:.2g}"
        )


def relative(expected, tolerance):
    """A bound for every element: the tolerance times the largest magnitude."""
    return tolerance * np.abs(expected).max()


def without(actual, place, term):
    """The result if one term of one element's sum had been left out."""
    mutant = np.array(actual, np.float64)
    mutant[place] -= term
    return mutant


def mutants(actual):
    """Wrong results by name: nothing computed, elements in another order, one element never written."""
    zeroed = np.zeros_like(actual)
    in_column_order = actual.ravel(order="F").reshape(actual.shape)
    transposed = in_column_order if min(actual.shape) > 1 and actual.ndim > 1 else actual[::-1]
    unwritten = np.array(actual, np.float64)
    unwritten.flat[unwritten.size // 2] = np.nan
    wrong = {"zeroed": zeroed, "not a number": unwritten}
    return wrong if actual.size == 1 else wrong | {"transposed": transposed}


def assert_only_right_passes(actual, expected, bound, dropped=None):
    """`assert_within`, and that it refuses every mutant; `dropped` is (place, term) of one product for `without`."""
    assert_within(actual, expected, bound)
    wrong = mutants(np.asarray(actual))
    if dropped is not None:
        wrong["one product dropped"] = without(actual, *dropped)
    for name, mutant in wrong.items():
        try:
            assert_within(mutant, expected, bound)
        except AssertionError:
            continue
        raise AssertionError(f"the bound is too loose to tell: a result that is wrong ({name}) passes")


def largest_sum(left, right):
    """Of the product of two matrices: the place of the largest element, and the median of its terms that are not 0."""
    product = left @ right
    i, j = (int(index) for index in np.unravel_index(np.abs(product).argmax(), product.shape))
    terms = left[i] * right[:, j]
    terms = terms[terms != 0]
    return (i, j), terms[np.argsort(np.abs(terms))[len(terms) // 2]]
