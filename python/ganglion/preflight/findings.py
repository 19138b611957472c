"""What a check says: findings, and the report that they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Check", "Finding", "Level", "listed", "number"]

Level: TypeAlias = Literal["ok", "note", "warning", "error"]

WIDTH = 100  # of a line of the report


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    name
        What was looked at: ``"inputs"``, ``"learning rate"``, ….
    level
        ``"ok"``; ``"note"``, which may be meant so; ``"warning"``, with which training is likely to go badly;
        ``"error"``, with which it cannot begin.
    message
        What was seen.
    remedy
        What to do; empty where there is nothing to do or the message has said it.
    """

    name: str
    level: Level
    message: str
    remedy: str = ""


@dataclass(frozen=True, repr=False)
class Check:
    """What `Trainer.check` found; printed, it is a report.

    Attributes
    ----------
    findings
        In the order in which things were looked at.
    learning_rates
        The lowest and the highest of the rates that suit the optimizer here; None if that was not found out.
    subject
        What was looked at, in words.
    """

    findings: tuple[Finding, ...]
    learning_rates: tuple[float, float] | None = None
    subject: str = ""

    @property
    def ok(self) -> bool:
        """Whether there is neither an error nor a warning."""
        return not any(finding.level in ("warning", "error") for finding in self.findings)

    def __repr__(self) -> str:
        return f"Check(ok={self.ok}, {self._counts()})"

    def __str__(self) -> str:
        levels = max((len(finding.level) for finding in self.findings), default=0)
        names = max((len(finding.name) for finding in self.findings), default=0)
        lines = [f"check of {self.subject}"] if self.subject else []
        indent = " " * (levels + names + 4)
        for finding in self.findings:
            text = _wrapped(finding.message) + [f"→ {line}" for line in _wrapped(finding.remedy)[:1]]
            text += [f"  {line}" for line in _wrapped(finding.remedy)[1:]]
            lines.append(f"{finding.level:<{levels}}  {finding.name:<{names}}  {text[0]}")
            lines += [indent + line for line in text[1:]]
        return "\n".join([*lines, self._counts()])

    def _counts(self) -> str:
        counts = {level: sum(finding.level == level for finding in self.findings) for level in LEVELS}
        words = [f"{n} {word if n == 1 else word + 's'}" for word, n in counts.items() if n and word != "ok"]
        return ", ".join(words) or "nothing to object to"


LEVELS: tuple[Level, ...] = ("error", "warning", "note", "ok")


def _wrapped(text: str) -> list[str]:
    from textwrap import wrap

    return wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def number(value: float) -> str:
    """A measured number with the three digits that a person looks at."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def listed(names: Iterable[object], limit: int = 5) -> str:
    """Some of them, and that there are more: ``0, 3, 7, …``."""
    words = [str(name) for name in names]
    return ", ".join(words[:limit]) + (", …" if len(words) > limit else "")
