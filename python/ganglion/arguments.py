"""Names that a function's arguments or a module do not have, and what is said of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, TypeVar, cast

from ganglion.descriptions import nearest_of, unknown_name

__all__ = ["known_arguments", "no_attribute", "remedy"]

# What people write, and mean.
MEANT = {
    **dict.fromkeys(("nb_epoch", "num_epochs", "n_epochs", "nepochs"), "epochs"),
    **dict.fromkeys(("bs", "batch", "minibatch_size"), "batch_size"),
    **dict.fromkeys(("criterion", "loss_fn", "loss_function", "objective"), "loss"),
    **dict.fromkeys(("X", "X_train", "x_train", "data", "inputs"), "x"),
    **dict.fromkeys(("Y", "y_train", "target", "targets", "labels"), "y"),
    **dict.fromkeys(("validation", "val_data"), "validation_data"),
    **dict.fromkeys(("val_split", "split"), "validation_split"),
}
REMEDIES = {
    **dict.fromkeys(("lr", "learning_rate"), "it is the optimizer's: optimizer=Adam(learning_rate=0.01)"),
    "show_accuracy": "it is a metric: compile(…, metrics=['accuracy'])",
}

Function = TypeVar("Function", bound=Callable[..., Any])


def remedy(name: str, known: Iterable[str]) -> str | None:
    """What to do instead of writing `name` in `fit`, `compile` or one of their like."""
    meant = MEANT.get(name, name)
    return f"did you mean {meant!r}?" if meant in known else REMEDIES.get(name)


def known_arguments(elsewhere: Mapping[str, str] = MappingProxyType({})) -> Callable[[Function], Function]:
    """Decorate a function: the message about an argument that it lacks has those that it has, and a remedy.

    Parameters
    ----------
    elsewhere
        Remedies for names that other libraries use.

    Examples
    --------
    >>> @known_arguments({"lr": "it is the optimizer's"})
    ... def fit(x, *, epochs=1): ...
    >>> fit(1, epoch=3)
    Traceback (most recent call last):
    TypeError: unknown argument of fit 'epoch'; known: x, epochs; did you mean 'epochs'?
    """

    def decorate(function: Function) -> Function:
        code = function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        known = tuple(name for name in names if name != "self")
        all_known = frozenset(known)

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            if not kwargs.keys() <= all_known:
                name = next(name for name in kwargs if name not in known)
                instead = elsewhere.get(name) or remedy(name, known)
                called = type(args[0]).__name__ if function.__name__ == "__init__" else function.__name__
                raise TypeError(unknown_name(f"argument of {called}", name, known, instead))
            return function(*args, **kwargs)

        return cast("Function", checked)

    return decorate


def no_attribute(module: str, name: str, known: Iterable[str], instead: str | None = None) -> AttributeError:
    """The error of a module that is asked for what it lacks, with a remedy or the nearest of the names that it has.

    Examples
    --------
    >>> raise no_attribute("ganglion.nn", "ReLu", ["Linear", "ReLU"])
    Traceback (most recent call last):
    AttributeError: module 'ganglion.nn' has no attribute 'ReLu': did you mean 'ReLU'?
    """
    if instead is None and not name.startswith("_"):  # such names are asked for by Python itself
        instead = nearest_of(name, known)
    return AttributeError(f"module {module!r} has no attribute {name!r}{f': {instead}' if instead else ''}")
