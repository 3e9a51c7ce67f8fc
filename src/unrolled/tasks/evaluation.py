"""The baseline gate: a network's held-out scores beside its simple rival's, and a plain verdict."""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from unrolled.errors import ConfigError
from unrolled.tasks.label_scores import LabelScores
from unrolled.tasks.poor import Misheard, Poor, poor_from
from unrolled.tasks.tables import aligned

# A difference below this share of the rival's score is noise to a reader, not a win.
TIE = 0.005

# What a network is called that is measured without the simple model that answers with it.
ALONE = "network alone"

Verdict = Literal["network wins", "network loses", "tie"]


@dataclass(frozen=True)
class Comparison:
    """One metric of the network beside the rival's, on the same held-out data.

    Attributes:
        metric: its name, with its unit.
        network, baseline: the scores.
        baseline_name: which rival.
        higher_is_better: as for an accuracy; an error or a loss is the better the lower it is.
        who: what is compared.
    """

    metric: str
    network: float
    baseline: float
    baseline_name: str
    higher_is_better: bool = False
    who: str = "network"

    @property
    def verdict(self) -> Verdict:
        """Who is better; closer than half a percent is a tie."""
        if abs(self.network - self.baseline) <= TIE * abs(self.baseline):
            return "tie"
        sign = -1 if self.higher_is_better else 1
        won = sign * self.network < sign * self.baseline  # so that NaN loses
        return "network wins" if won else "network loses"

    def __str__(self) -> str:
        words = {
            "network wins": f"the {self.who} wins",
            "network loses": f"the {self.who} LOSES",
            "tie": "a tie",
        }[self.verdict]
        scores = f"{self.who} {self.network:.3f}, {self.baseline_name} {self.baseline:.3f}"
        return f"{self.metric}: {scores}: {words}"


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
        labels: label by label how well a classifier or tagger did; None for other tasks.
        notes: how it was measured, a line each, such as the signature of a score.
        worst: the sentences that a translator translated worst, or the recordings that were heard
            worst, the worst first.
    """

    comparisons: tuple[Comparison, ...]
    details: dict[str, float] = field(default_factory=dict)
    held_out: str = ""
    labels: LabelScores | None = None
    notes: tuple[str, ...] = ()
    worst: tuple[Poor | Misheard, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict of the first comparison."""
        return self.comparisons[0].verdict

    @property
    def alone(self) -> Comparison | None:
        """The first comparison of the network without the simple model that answers with it; None
        where it answers alone."""
        first = self.comparisons[0]
        own = self.details.get(f"{first.metric}, {ALONE}")
        return None if own is None else replace(first, network=own, who=ALONE)

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
        """A table with a line for each forecaster where there are details; the verdicts; notes."""
        lines = self._table() if self.details else []
        lines += [str(comparison) for comparison in self.comparisons]
        lines += [] if self.alone is None else [str(self.alone)]
        return "\n".join([*lines, f"measured on {self.held_out}", *self.notes])

    def contestants(self) -> dict[str, dict[str, float]]:
        """The figures of the network and of each rival by metric, the best rival first.

        Those of the network name all metrics; a rival may lack some.
        """
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
        first = self.comparisons[0]
        sign = -1 if first.higher_is_better else 1
        ranked = sorted(
            rivals.items(), key=lambda rival: sign * rival[1].get(first.metric, sign * float("inf"))
        )
        return {"network": network, **dict(ranked)}

    def _table(self) -> list[str]:
        contestants = self.contestants()
        metrics = list(contestants["network"])
        rows = [["", *map(heading, metrics)]]
        for name, figures in contestants.items():
            rows.append([name, *(figure(metric, figures.get(metric)) for metric in metrics)])
        return aligned(rows)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        found: dict[str, Any] = {
            "comparisons": [asdict(one) for one in self.comparisons],
            "details": dict(self.details),
            "held_out": self.held_out,
        }
        if self.labels is not None:
            found["labels"] = self.labels.to_dict()
        if self.notes:
            found["notes"] = list(self.notes)
        if self.worst:
            found["worst"] = [asdict(one) for one in self.worst]
        return found

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> Evaluation:
        """The inverse of `to_dict`; JSON has no NaN, and says null."""

        def known(figures: dict[str, Any]) -> dict[str, Any]:
            return {name: math.nan if one is None else one for name, one in figures.items()}

        comparisons = tuple(Comparison(**known(one)) for one in raw["comparisons"])
        details = known(raw["details"])
        labels = LabelScores.from_dict(raw["labels"]) if raw.get("labels") else None
        notes = tuple(raw.get("notes", ()))
        worst = tuple(map(poor_from, raw.get("worst", ())))
        return cls(comparisons, details, raw["held_out"], labels, notes, worst)


class NetworkLoses(UserWarning):
    """The simple rival is better than the network on the held-out part."""


def warn_if_lost(evaluation: Evaluation, *, alone: bool = False) -> None:
    """Say plainly that a simple rival is better; with `alone`, than the network by itself too."""
    compared = list(evaluation.comparisons)
    if alone and evaluation.alone is not None:
        compared.append(evaluation.alone)
    lost = [one for one in compared if one.verdict == "network loses"]
    if lost:
        warnings.warn(str(lost[0]), NetworkLoses, stacklevel=4)  # the caller of fit
