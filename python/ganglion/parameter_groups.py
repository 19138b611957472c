"""What PyTorch's optimizers keep about the parameters that they were given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ganglion import inputs, optimizers
from ganglion.descriptions import unknown_name
from ganglion.results import Parameter

__all__ = ["ParameterGroup", "groups", "model_of"]


class ParameterGroup(dict[str, Any]):
    """A dictionary of ``"params"`` and the options that hold for them; what is written is checked at once.

    Copies and pickles of it are plain dictionaries.

    Raises
    ------
    TypeError, ValueError
        If a key is none of the optimizer's options, or a value of the wrong type or out of bounds.
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        describe: Callable[[dict[str, Any]], optimizers.Optimizer],
        fixed: tuple[str, ...] = (),
    ) -> None:
        super().__init__(options)
        self._describe = describe
        self._fixed = fixed
        self.changed = True  # since the core was told
        self.rate = 0.0
        self._check(dict(self))

    def _check(self, options: dict[str, Any]) -> None:
        rate = inputs.real("lr", options["lr"], minimum=0)
        self.description = self._describe(options)
        self.rate = rate

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self:
            raise ValueError(unknown_name("option", key, [known for known in self if known != "params"]))
        if key == "params":
            raise TypeError("the parameters of a group are fixed; make a new optimizer for others")
        if key in self._fixed and value != self[key]:
            raise ValueError(f"{key} is fixed from the start, {self[key]} here; make a new optimizer for another")
        if key == "lr":  # the one that loops write
            self.rate = inputs.real("lr", value, minimum=0)
        else:
            self._check({**self, key: value})
            self.changed = True
        super().__setitem__(key, value)

    def update(self, *arguments: Any, **options: Any) -> None:
        """Write several options."""
        for key, value in dict(*arguments, **options).items():
            self[key] = value

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def groups(params: Iterable[Any], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What users give as `params`, as dictionaries with lists of parameters."""
    if hasattr(params, "parameters") or getattr(params, "__name__", "") == "parameters":
        what = "the model itself" if hasattr(params, "parameters") else "the method: call it"
        raise TypeError(f"params must be model.parameters(); given {what}")
    if isinstance(params, (str, Mapping, Parameter)) or not isinstance(params, Iterable):
        raise TypeError(f"params must be model.parameters(); given {params!r} of type {type(params).__name__}")
    given = [element[1] if isinstance(element, tuple) and len(element) == 2 else element for element in params]
    dictionaries = given if given and all(isinstance(element, dict) for element in given) else [{"params": given}]
    result = []
    for group in dictionaries:
        if "params" not in group:
            raise ValueError(f"a group of parameters needs 'params'; given {', '.join(map(repr, group))}")
        for key in group.keys() - {"params", *options}:
            raise ValueError(unknown_name("option", key, options))
        own = [group["params"]] if isinstance(group["params"], Parameter) else list(group["params"])
        if not own:
            raise ValueError("params is empty: pass model.parameters(), which is used up once it has been gone through")
        for parameter in own:
            if not isinstance(parameter, Parameter):
                given_type = type(parameter).__name__
                raise TypeError(f"params must be an nn.Sequential's model.parameters(); given one of type {given_type}")
        result.append({**group, "params": own})
    return result


def model_of(parameters: list[Parameter]) -> Any:
    """The model that parameters are of; ValueError where they are of several."""
    models = {id(parameter.model): parameter.model for parameter in parameters}
    if len(models) != 1:
        raise ValueError(f"params must be of one model; given those of {len(models)}: make an optimizer for each")
    return next(iter(models.values()))
