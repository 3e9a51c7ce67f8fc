"""The baseline gate: a network's held-out scores beside its simple rival's, and a plain verdict."""

from __future__ import annotations

import re
import warnings
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from unrolled.errors import ConfigError
from unrolled.tasks.tables import aligned

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


_COVERAGE = re.compile(r"coverage (?:of the )?(\d+%)(?: interval)?")


def heading(metric: str) -> str:
    """A metric over a column of a table: `MASE of the median` is `MASE`, and `coverage of the 80%
    interval` is `80% holds`."""
    covered = _COVERAGE.fullmatch(metric)
    return f"{covered[1]} holds" if covered else metric.split(" of ")[0].split(",")[0]


def figure(metric: str, value: float | None) -> str:
    """Its value below: four digits, a coverage in percent."""
    if value is None:
        return ""
    return f"{value:.1%}" if _COVERAGE.fullmatch(metric) else f"{value:#.4g}"


@dataclass(frozen=True)
class Evaluation:
    """Held-out scores of a model.

    Attributes:
        comparisons: the gate; the first one decides the verdict.
        details: other held-out figures by name, such as the coverage of an interval; and, as
            "metric, rival", the figures of all rivals.
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
        """A table with a line for each forecaster where there are details; then the verdicts."""
        lines = self._table() if self.details else []
        lines += [str(comparison) for comparison in self.comparisons]
        return "\n".join([*lines, f"measured on {self.held_out}"])

    def _table(self) -> list[str]:
        network = {one.metric: one.network for one in self.comparisons}
        rivals: dict[str, dict[str, float]] = {}
        for name, value in self.details.items():
            metric = next((one for one in network if name.startswith(f"{one}, ")), None)
            if metric is None:
                network[name] = value
            else:
                rivals.setdefault(name.removeprefix(f"{metric}, "), {})[metric] = value
        for one in self.comparisons:
            rivals.setdefault(one.baseline_name, {})[one.metric] = one.baseline
        first = self.comparisons[0].metric
        ranked = sorted(rivals.items(), key=lambda rival: rival[1].get(first, float("inf")))
        rows = [["", *map(heading, network)]]
        for name, figures in (("network", network), *ranked):
            rows.append([name, *(figure(metric, figures.get(metric)) for metric in network)])
        return aligned(rows)

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
