"""The exceptions' families, so that code that catches built-in ones catches ours."""

import pytest

import ganglion as gg
from ganglion import _native, errors


@pytest.mark.parametrize(
    ("error", "bases"),
    [
        (errors.NotFittedError, (ValueError, AttributeError)),
        (errors.TrainingDivergedError, (FloatingPointError,)),
        (errors.CheckpointError, (ValueError,)),
        (errors.CheckpointVersionError, (errors.CheckpointError, ValueError)),
        (_native.NonFiniteInputError, (ValueError,)),
    ],
)
def test_bases(error, bases):
    for base in bases:
        assert issubclass(error, base)


def test_the_module_names_what_it_has():
    assert gg.errors is errors
    assert sorted(errors.__all__) == [name for name in sorted(vars(errors)) if isinstance(getattr(errors, name), type)]


def test_the_package_names_what_it_has():
    for name in gg.__all__:
        assert getattr(gg, name) is not None
    with pytest.raises(AttributeError, match="module 'ganglion' has no attribute 'nothing'"):
        gg.nothing  # noqa: B018


def test_lazy_modules_are_the_modules():
    from ganglion import data, reference

    assert gg.data is data
    assert gg.reference is reference
