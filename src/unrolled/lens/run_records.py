"""What a run's log holds, as records for the page.

    RunRecord
    ├── validation   ScoredStep
    ├── findings     FoundSpan
    └── looks        GradientLook ── GradientProfile

A quantity that is not known, or not finite, is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from unrolled.errors import ConfigError
from unrolled.lens.records import Record
from unrolled.training.diagnostics_thresholds import EXPLODED, VANISHED


@dataclass(slots=True)
class ScoredStep(Record):
    """A validation: after which step, seconds and tokens, and the held-out score."""

    step: int
    seconds: float | None
    tokens: float | None
    score: float | None


@dataclass(slots=True)
class FoundSpan(Record):
    """One finding that was made in look after look.

    Args:
        first, last: the steps of the first and the last of these looks.
        looks: how many they were.
        kind: name of the class, such as `"VanishingGradient"`.
        where: module, layer and direction.
        measured, remedy: in words, as of the last look.
        falling: whether the loss still fell at every look; then nobody was warned.
    """

    first: int
    last: int
    looks: int
    kind: str
    where: str
    measured: str
    remedy: str
    falling: bool


@dataclass(slots=True)
class GradientProfile(Record):
    """How the gradient of the loss passes through time in one layer and direction.

    Args:
        where: module, layer and direction.
        cell: as of `LayerReport`.
        steps: T of the batch that was looked at.
        places: at which t (from 1) the norms were kept.
        norms: ‖dL/dh_t‖ at these places.
        carried, peak: of a gradient of norm 1 that enters at the last step alone: what is left of
            it at the first, and the largest on its way.
        reach: steps back over which it keeps a hundredth; None: to the first.
        lags, back: its norm after so many steps back.
        found: the kinds of findings that the look made of this layer.
    """

    where: str
    cell: str
    steps: int
    places: list[int]
    norms: list[float | None]
    carried: float | None
    peak: float | None
    reach: float | None
    lags: list[int]
    back: list[float | None]
    found: list[str] = field(default_factory=list)


@dataclass(slots=True)
class GradientLook(Record):
    """The profiles of all layers, as they were before a step of the training."""

    step: int
    layers: list[GradientProfile]


@dataclass(slots=True)
class RunRecord(Record):
    """The training of one run. Lists have one entry a point; a point stands for `every` steps.

    Args:
        name: of the run.
        every: steps of the training in a point.
        steps: the last step of each point.
        seconds, tokens: since the start of the run, at that step.
        loss: the mean over the point's steps; `low` and `high` the smallest and the largest.
        rate: the learning rate at that step.
        norm: the largest norm of the gradient before clipping.
        clipped: the share of the point's steps whose gradient was clipped.
        clip: the norm from which on it is.
        validation: the held-out scores.
        best: the step of the best of them, whose weights are kept.
        findings, looks: what was seen in the network on the way.
        notes: what a reader should know of the log, in sentences.
        vanished, exploded: the thresholds of a gradient's `carried` and `peak`.
        loss_unit, score_unit: what losses and held-out scores are counted in; None: the log does
            not say. Nats of which the score counts the bits are given in bits.
    """

    name: str
    every: int
    steps: list[int]
    seconds: list[float | None]
    tokens: list[float | None]
    loss: list[float | None]
    low: list[float | None]
    high: list[float | None]
    rate: list[float | None]
    norm: list[float | None]
    clipped: list[float | None]
    clip: float | None = None
    validation: list[ScoredStep] = field(default_factory=list)
    best: int | None = None
    findings: list[FoundSpan] = field(default_factory=list)
    looks: list[GradientLook] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    vanished: float = VANISHED
    exploded: float = EXPLODED
    loss_unit: str | None = None
    score_unit: str | None = None

    def __post_init__(self) -> None:
        for part in ("seconds", "tokens", "loss", "low", "high", "rate", "norm", "clipped"):
            count = len(getattr(self, part))
            if count != len(self.steps):
                raise ConfigError(
                    f"RunRecord.{part} has {count} entries, expected {len(self.steps)}: one a point"
                )
