"""Descriptions and families: frozen values that say what to do, and the tables that know them by name.

Every layer, initializer, loss, optimizer, schedule and metric is a description. Being in its family's table is all that
a new one needs to be found by name, shown, compared, stored in a model's file and read back.
"""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

__all__ = ["Description", "Family", "from_config", "itself", "nearest_of", "unknown_name"]


def itself(value: Any) -> Any:
    """The value of a synonym that is only another name."""
    return value


class _Callable(ABCMeta):
    """Of a description's class: what happens to the names of arguments before its ``__init__`` sees them."""

    if not TYPE_CHECKING:  # a type checker looks at __init__

        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            if "__init__" in vars(cls) and "__dataclass_params__" not in vars(cls):  # a user's own class
                return super().__call__(*args, **kwargs)
            if len(args) > sum(not field.kw_only for field in fields(cls)):
                given = ", ".join(map(repr, args))
                raise TypeError(f"{cls.__name__}({given}): {_by_position(cls)}")
            known = {field.name: None for field in _in_order(cls)} if kwargs else {}
            for name in kwargs.keys() - known.keys():
                if name not in cls.synonyms:
                    argument = f"argument of {cls.__name__}"
                    raise TypeError(unknown_name(argument, name, known, cls.elsewhere.get(name)))
                field, convert = cls.synonyms[name]
                if field in kwargs:
                    raise TypeError(f"{cls.__name__} takes {field} or {name}, which mean the same, not both")
                kwargs[field] = convert(kwargs.pop(name))
            return super().__call__(*args, **kwargs)

        @property
        def __signature__(cls) -> Any:
            from inspect import signature

            own = signature(cls.__init__)
            return own.replace(parameters=list(own.parameters.values())[1:])


@dataclass(frozen=True, repr=False)
class Description(metaclass=_Callable):
    """Base of all descriptions: a frozen dataclass whose ``repr`` leaves out what has its default."""

    row: ClassVar[str]  # what the family's table and the core call it
    synonyms: ClassVar[Mapping[str, tuple[str, Callable[[Any], Any]]]] = {}  # other names of fields, and their values
    elsewhere: ClassVar[Mapping[str, str]] = {}  # arguments that other libraries have, and what to do instead
    families: ClassVar[Mapping[str, Family[Any]]] = {}  # for fields that hold another description: its family

    def __post_init__(self) -> None:
        for name, family in self.families.items():
            value = getattr(self, name)
            if value is not getattr(type(self), name, MISSING):  # the default may be None
                self._set(name, family.canonical(name, value))

    def _set(self, name: str, value: object) -> None:
        """Replace what was given by what it means; for ``__post_init__`` only."""
        object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = []
        for field in _in_order(self):
            value = getattr(self, field.name)
            if field.default is MISSING:
                shown.append(repr(value))
            elif value != field.default:
                shown.append(f"{field.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def to_config(self) -> dict[str, Any]:
        """The class's name and every field, as JSON knows them; `from_config` reads it."""
        config = {"class": type(self).__name__}
        return config | {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


def _refuse(self: Description, name: str, value: object) -> None:
    """Say that nothing is assigned to a description."""
    remedy = f"make another one, {type(self).__name__}(…, {name}={value!r})"
    if name in ("lr", "learning_rate"):
        remedy = f"trainer.learning_rate = {value!r} sets the rate"
    raise FrozenInstanceError(f"cannot assign to field {name!r} of {self!r}, which is not changed once made: {remedy}")


def _in_order(description: Description | type[Description]) -> list[Field[Any]]:
    """What can be given by position, then what is given by name."""
    return sorted(fields(description), key=lambda field: bool(field.kw_only))


def _by_position(cls: type[Description]) -> str:
    names = {kind: [field.name for field in fields(cls) if bool(field.kw_only) == kind] for kind in (False, True)}
    first = ", ".join(names[False]) or "nothing"
    return f"by position it takes {first}" + (f", and by name {', '.join(names[True])}" if names[True] else "")


def _plain(value: Any) -> Any:
    if isinstance(value, Description):
        return value.to_config()
    return list(value) if isinstance(value, tuple) else value


D = TypeVar("D", bound=Description)
Row = TypeVar("Row", bound=Description)


class Family(Generic[D]):
    """The table of one kind of description.

    Parameters
    ----------
    kind
        What messages call it: "activation".
    base
        The class that all of its rows derive from.
    elsewhere
        Names that other libraries use, and what to do instead.
    """

    def __init__(self, kind: str, base: type, elsewhere: Mapping[str, str] = MappingProxyType({})) -> None:
        self.kind = kind
        self.base = base
        self.elsewhere = elsewhere
        self.names: dict[str, type[D]] = {}

    def add(self, row: str, *aliases: str) -> Callable[[type[Row]], type[Row]]:
        """Decorate a class: it becomes the row of this name; aliases are further names that users may write."""

        def decorate(description: type[Row]) -> type[Row]:
            description.row = row
            description.__setattr__ = _refuse  # type: ignore[method-assign,assignment]  # the dataclass's gives no remedy
            for name in (row, *aliases):
                self.names[name] = cast("type[D]", description)
            return description

        return decorate

    @property
    def classes(self) -> dict[str, type[D]]:
        """The rows by the names of their classes."""
        return {description.__name__: description for description in self.names.values()}

    def find(self, argument: str, value: object) -> D:
        """The description that an argument means: itself, or the row of that name with its defaults.

        Raises
        ------
        ValueError
            An unknown name; the message lists the known ones.
        TypeError
            Neither a name nor a description of this family.
        """
        if isinstance(value, self.base):
            return cast("D", value)
        if isinstance(value, str):
            if value not in self.names:
                value = self._spelled(value)
            if value not in self.names:
                raise ValueError(unknown_name(argument, value, self.names, self.elsewhere.get(value.lower())))
            return self.names[value]()
        expected = f"{argument} must be the name of {_article(self.kind)} {self.kind} or an object of its class"
        if isinstance(value, type) and issubclass(value, self.base):
            raise TypeError(f"{expected}; given the class itself: write {value.__name__}()")
        remedy = self._meant(getattr(value, "__name__", type(value).__name__))
        given = f"{value!r} of type {type(value).__name__}"
        if callable(value) and hasattr(value, "__name__"):
            given = f"the function {value.__name__}"
            remedy = remedy or self._instead("a function")
        elif "\n" in given:
            given = f"one of {type(value).__module__}.{type(value).__name__}"
        raise TypeError(f"{expected}; given {given}{remedy}")

    def _meant(self, name: str) -> str:
        """What to write instead of an object of this name, which is not ours."""
        own = self.names.get(self._spelled(name))
        return f": write {own.__name__}()" if own else self._instead(name.lower())

    def _instead(self, name: str) -> str:
        return f": {self.elsewhere[name]}" if name in self.elsewhere else ""

    def _spelled(self, name: str) -> str:
        """The known name that is spelled so but for case and underscores, as ``"HeNormal"`` is ``"he_normal"``."""
        return next((known for known in self.names if _letters(known) == _letters(name)), name)

    def canonical(self, argument: str, value: object) -> D | str:
        """The row's name where that says everything, else the description."""
        found = self.find(argument, value)
        plain = all(getattr(found, field.name) == field.default for field in fields(found))
        return found.row if plain else found


def _letters(name: str) -> str:
    return name.replace("_", "").lower()


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def unknown_name(argument: str, given: object, known: Iterable[str], remedy: str | None = None) -> str:
    """The message for a name that is not in a table: the known ones, and a remedy or the nearest of them."""
    known = list(known)
    if remedy is None:
        remedy = nearest_of(str(given), known)
    return f"unknown {argument} {given!r}; known: {', '.join(known)}{f'; {remedy}' if remedy else ''}"


def nearest_of(given: str, known: Iterable[str]) -> str | None:
    """The question whether the nearest of the known names was meant, where one is near."""
    from difflib import get_close_matches

    names = {name.lower(): name for name in known}
    nearest = get_close_matches(given.lower(), names, n=1)
    return f"did you mean {names[nearest[0]]!r}?" if nearest else None


def from_config(config: object, classes: Mapping[str, type[D]], where: str) -> D:
    """Build a description from what `Description.to_config` made of it, trusting nothing.

    A field that is missing takes its default, so that files outlive new fields.

    Parameters
    ----------
    config
        What JSON gave.
    classes
        The classes that it may name.
    where
        What messages call it: "layer 2".

    Raises
    ------
    ValueError
        An unknown class or key, a missing one without a default, or a value that the class refuses.
    """
    if not isinstance(config, dict):
        raise ValueError(f"{where} must be an object with a class and its arguments; given {config!r}")
    name = config.get("class")
    if not isinstance(name, str) or name not in classes:
        raise ValueError(f"{where}: {unknown_name('class', name, classes)}")
    description = classes[name]
    known = {field.name: field.default for field in fields(description)}
    for key in config.keys() - {"class"} - known.keys():
        raise ValueError(f"{where}: {unknown_name(f'argument of {name}', key, known)}")
    for key, default in known.items():
        if default is MISSING and key not in config:
            raise ValueError(f"{where}: {name} lacks {key!r}")
    arguments = {}
    for key in config.keys() & known.keys():
        value = config[key]
        family = description.families.get(key)
        if family is not None and isinstance(value, dict):
            value = from_config(value, family.classes, f"{where}, {key}")
        arguments[key] = value
    try:
        return description(**arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None
