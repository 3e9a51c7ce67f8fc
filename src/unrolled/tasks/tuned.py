"""What tuning a language model's say comes to: the weights, what was tried, and what was found."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Generic, Self, TypeVar

# What is tried of the weight of a second pass; 0: it has no say.
SECOND = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)


@dataclass(frozen=True)
class LanguageWeights:
    """How much language models count beside a network; a task adds its numbers.

    Attributes:
        told: what they were chosen by, in words; "" for the usual ones.
    """

    told: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        return weights_told(asdict(self))

    @property
    def numbers(self) -> dict[str, float]:
        """The numbers by name."""
        return {name: one for name, one in asdict(self).items() if name != "told"}

    def given(self, **numbers: float | None) -> Self:
        """Others where they are given."""
        known: dict[str, Any] = {name: one for name, one in numbers.items() if one is not None}
        return replace(self, **known)


def weights_told(weights: Mapping[str, Any]) -> str:
    """Weights in a line, from their values by name, as a model's card keeps them."""
    numbers = ", ".join(f"{name} {one:g}" for name, one in weights.items() if name != "told")
    return numbers + (f" (chosen by {weights['told']})" if weights.get("told") else "")


W = TypeVar("W", bound=LanguageWeights)


@dataclass(frozen=True)
class Trial(ABC, Generic[W]):
    """One choice of weights; a task adds the figures that it was judged by.

    Attributes:
        weights: what was tried; None: without language models.
    """

    NAMES: ClassVar[dict[str, str]]
    """Each figure's name as it is written, by its attribute; what counts first comes first."""
    UNIT: ClassVar[str] = ""
    BETTER: ClassVar[str]
    """What a better figure means, in words."""

    weights: W | None

    @property
    @abstractmethod
    def rates(self) -> tuple[float, ...]:
        """What is to be small: what counts first comes first."""

    @property
    def figures(self) -> dict[str, float]:
        """The figures by attribute."""
        return {name: getattr(self, name) for name in self.NAMES}

    def __str__(self) -> str:
        written = zip(self.NAMES.values(), self.figures.values(), strict=True)
        return ", ".join(f"{name} {value:.2f}{self.UNIT}" for name, value in written)


T = TypeVar("T", bound="Trial[Any]")


@dataclass(frozen=True)
class Tuned(Generic[T]):
    """What was found; a task adds how many of what chose.

    Attributes:
        before: what is answered without language models.
        best: with the weights that were chosen.
        trials: all that was tried, in order; `before` is the first.
    """

    COUNTED: ClassVar[str]
    """What chose, the name of its count."""

    before: T
    best: T
    trials: tuple[T, ...]

    @property
    def helps(self) -> bool:
        """Whether what counts first is better than without; or as good, and the next better."""
        return self.best.rates < self.before.rates
