"""The baseline gate: a network's held-out scores beside its simple rival's, and a plain verdict."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from unrolled.errors import ConfigError

# A difference below this share of the rival's score is noise to a reader, not a win.
TIE = 0.005

Verdict = Literal["network wins", "network loses", "tie"]


@dataclass(frozen=True)
class Comparison:
    """One metric of the network beside the rival's, on the same held-out data.

    Attributes:
        metric: its name, with its unit.
        network, baseline: the scores; lower is better.
        baseline_name: which rival.
    """

    metric: str
    network: float
    baseline: float
    baseline_name: str

    @property
    def verdict(self) -> Verdict:
        """Who is better; closer than half a percent is a tie."""
        if abs(self.network - self.baseline) <= TIE * abs(self.baseline):
            return "tie"
        return "network wins" if self.network < self.baseline else "network loses"

    def __str__(self) -> str:
        words = {
            "network wins": "the network wins",
            "network loses": "the network LOSES",
            "tie": "a tie",
        }[self.verdict]
        return (
            f"{self.metric}: network {self.network:.3f}, {self.baseline_name} {self.baseline:.3f}:"
            f" {words}"
        )


@dataclass(frozen=True)
class Evaluation:
    """Held-out scores of a model.

    Attributes:
        comparisons: the gate; the first one decides the verdict.
        details: other held-out figures by name, such as the coverage of an interval.
        held_out: in words, what the scores are measured on.
    """

    comparisons: tuple[Comparison, ...]
    details: dict[str, float] = field(default_factory=dict)
    held_out: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict of the first comparison."""
        return self.comparisons[0].verdict

    def __getitem__(self, metric: str) -> float:
        """The network's score of a metric (`"MASE"`, the first word, will do), or a detail.

        Raises:
            ConfigError: nothing of that name was measured.
        """
        measured = {one.metric: one.network for one in self.comparisons} | self.details
        short = {one.metric.split()[0].strip(","): one.network for one in self.comparisons}
        if metric not in measured | short:
            raise ConfigError(
                f"got the metric {metric!r}, expected one of {', '.join(measured | short)}"
            )
        return (short | measured)[metric]

    def __str__(self) -> str:
        lines = [str(comparison) for comparison in self.comparisons]
        lines += [f"{name}: {value:.3f}" for name, value in self.details.items()]
        return "\n".join([*lines, f"measured on {self.held_out}"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return {**asdict(self), "comparisons": [asdict(one) for one in self.comparisons]}

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Evaluation:
        """The inverse of `to_dict`."""
        comparisons = tuple(Comparison(**one) for one in raw["comparisons"])
        return cls(comparisons, raw["details"], raw["held_out"])


class NetworkLoses(UserWarning):
    """The simple rival is better than the network on the held-out part."""


def warn_if_lost(evaluation: Evaluation) -> None:
    """Say plainly that a simple rival is better."""
    lost = [one for one in evaluation.comparisons if one.verdict == "network loses"]
    if lost:
        warnings.warn(str(lost[0]), NetworkLoses, stacklevel=4)  # the caller of fit
