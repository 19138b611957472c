"""Comparisons with a bound, each of which also proves that the bound can tell right from wrong."""

import numpy as np


def assert_within(actual, expected, bound):
    """|actual − expected| ≤ bound in every element, which no NaN is."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    excess = np.abs(actual - expected) - bound
    outside = ~(excess <= 0)
    if outside.any():
        place = np.unravel_index(np.nan_to_num(excess, nan=np.inf).argmax(), actual.shape)
        place = tuple(int(index) for index in place)
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
    unwritten = np.array(actual, np.float64)
    unwritten.flat[unwritten.size // 2] = np.nan
    wrong = {"zeroed": np.zeros_like(actual), "not a number": unwritten}
    if actual.size > 1:
        is_matrix = actual.ndim == 2 and min(actual.shape) > 1
        wrong["transposed"] = actual.ravel(order="F").reshape(actual.shape) if is_matrix else actual[::-1]
    return wrong


def assert_only_right_passes(actual, expected, bound, **others):
    """`assert_within`, and that it refuses every mutant and every other wrong result that is given by name."""
    assert_within(actual, expected, bound)
    for name, wrong in (mutants(np.asarray(actual)) | others).items():
        assert_refused(wrong, expected, bound, name)


def assert_refused(wrong, expected, bound, name="the other"):
    """That `assert_within` fails."""
    try:
        assert_within(wrong, expected, bound)
    except AssertionError:
        return
    raise AssertionError(f"the bound is too loose to tell: a result that is wrong ({name}) passes")


def largest_sum(left, right):
    """Of the product of two matrices: the place of the largest element, and the median of its terms that are not 0."""
    product = left @ right
    place = tuple(int(index) for index in np.unravel_index(product.argmax(), product.shape))
    terms = left[place[0]] * right[:, place[1]]
    terms = terms[terms != 0]
    return place, terms[np.argsort(np.abs(terms))[len(terms) // 2]]
