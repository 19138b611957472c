"""What is neither copied nor pickled, because its state is the core's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganglion import _native

__all__ = ["Uncopied"]


class Uncopied:
    """Base of trainers: copied and pickled like any object until they train or evaluate, and refused from then on."""

    _trainings: dict[str, _native.Training]

    def __getstate__(self) -> dict[str, Any]:
        if self._trainings:
            raise TypeError(
                "a Trainer that has trained or evaluated is not copied or pickled, as the core holds its moments: copy "
                "or save its model, trainer.model.save(path), and make a new Trainer"
            )
        return {**self.__dict__, "_trainings": {}}  # one of its own in a shallow copy, too
