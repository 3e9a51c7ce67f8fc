"""What a report holds: plain dataclasses that know how to become JSON, and nothing about models.

    Report
    ├── forecasts   ForecastPanel ── ForecastSeries ── Fan
    ├── scores      ScoreRow
    ├── text        TextPanel
    ├── translation TranslationPanel ── TranslatedLine
    ├── speech      SpeechPanel ── HeardSoFar
    ├── losses      LossCurve
    ├── runs        RunRecord, see `run_records`
    └── unfolded    Trace (of `traces`): a network unfolded over what it read

Shapes: `K` steps of a fan. Each record checks its own lengths, so that a page never draws a value
at the wrong time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

from unrolled.errors import ConfigError
from unrolled.lens.traces import Trace

if TYPE_CHECKING:
    from unrolled.lens.run_records import RunRecord

MEDIAN = "0.5"


class Record:
    """Base of the records: `to_json()` gives dicts, lists, text, finite numbers and None only."""

    def to_json(self) -> dict[str, Any]:
        """The record as values that strict JSON takes; NaN and infinity become None."""
        plain = _plain(self)
        assert isinstance(plain, dict)
        return plain


@dataclass(slots=True)
class Fan(Record):
    """One forecast with its uncertainty, made at one moment, beside what came true.

    Args:
        ds: the K times that were forecast.
        quantiles: level as text (`"0.1"`, `"0.5"`, ...) to K values, in the unit of the panel.
        actual: the K values that came, None where not known.
        origin: the last time that the network had seen.
    """

    ds: list[str]
    quantiles: dict[str, list[float]]
    actual: list[float | None]
    origin: str

    def __post_init__(self) -> None:
        steps = len(self.ds)
        _same_length("Fan.actual", self.actual, steps)
        for level, values in self.quantiles.items():
            _check_level(level)
            _same_length(f"Fan.quantiles[{level!r}]", values, steps)


@dataclass(slots=True)
class ForecastSeries(Record):
    """One series: what was observed (`ds`, `y`), and the fans at rolling origins, oldest first."""

    id: str
    ds: list[str]
    y: list[float | None]
    fans: list[Fan] = field(default_factory=list)

    def __post_init__(self) -> None:
        _same_length("ForecastSeries.y", self.y, len(self.ds))


@dataclass(slots=True)
class ForecastPanel(Record):
    """One data set: its name, the unit of its values, and one sentence that says what to see."""

    name: str
    unit: str
    story: str
    series: list[ForecastSeries] = field(default_factory=list)


@dataclass(slots=True)
class ScoreRow(Record):
    """The network beside its simple rival on the same held-out data.

    `verdict` is shown as it stands ("network wins", "network loses", "tie"); the page takes its
    colour from those words.
    """

    task: str
    metric: str
    lower_is_better: bool
    network: float
    baseline_name: str
    baseline: float
    verdict: str
    detail: str = ""


@dataclass(slots=True)
class TextPanel(Record):
    """A sample of written text, with two held-out scores in bits per character: lower is better."""

    prompt: str
    sample: str
    temperature: float
    bits_per_character: float
    baseline_name: str
    baseline_bits: float
    seconds: float


@dataclass(slots=True)
class TranslatedLine(Record):
    """A line that was translated: what was read, what was said, and what is right.

    Args:
        source: as it was read.
        said, right: the translation, and the one that it should be.
        code, language: of the source, such as "pt-BR" and "Portuguese".
        remark: what else is to be told, such as that nothing of that language was learnt.
        trace: of this translation, to see where it looked; None: it is not shown.
    """

    source: str
    said: str
    right: str
    code: str = ""
    language: str = ""
    remark: str = ""
    trace: Trace | None = None


@dataclass(slots=True)
class TranslationPanel(Record):
    """Some lines of a translator: what they are, and one sentence that says what to see."""

    name: str
    story: str
    lines: list[TranslatedLine] = field(default_factory=list)


@dataclass(slots=True)
class HeardSoFar(Record):
    """What a stream had heard after so many seconds of the sound."""

    seconds: float
    text: str


@dataclass(slots=True)
class SpeechPanel(Record):
    """A sound that was heard as it came: what it is, and one sentence that says what to see.

    Args:
        said, right: what was heard in the end, and what was spoken.
        so_far: what was heard on the way, each time that it changed.
        trace: of the whole sound, which the page plays; None: it is not shown.
    """

    name: str
    story: str
    said: str
    right: str
    so_far: list[HeardSoFar] = field(default_factory=list)
    trace: Trace | None = None


@dataclass(slots=True)
class LossCurve(Record):
    """The loss while training, as `(step, seconds since the start, loss)`.

    `points` is the loss of the training batches, `validation` that of the held-out part.
    """

    name: str
    unit: str
    points: list[tuple[int, float, float]]
    validation: list[tuple[int, float, float]] = field(default_factory=list)


@dataclass(slots=True)
class Report(Record):
    """All that one page shows; each part may be empty, and is then left out.

    `made` is an ISO time; `machine` names what it ran on (`{"processor": "...", "threads": "2"}`);
    `notes` are sentences for the end of the page.
    """

    title: str
    subtitle: str
    made: str
    machine: dict[str, str] = field(default_factory=dict)
    forecasts: list[ForecastPanel] = field(default_factory=list)
    scores: list[ScoreRow] = field(default_factory=list)
    text: TextPanel | None = None
    translation: TranslationPanel | None = None
    speech: SpeechPanel | None = None
    losses: list[LossCurve] = field(default_factory=list)
    runs: list[RunRecord] = field(default_factory=list)
    unfolded: Trace | None = None
    notes: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"<Report {self.title!r}>"

    def widget(self) -> Any:
        """The page of the report as a widget of a notebook; its `show` gives it another report.

        A report at the end of a cell shows its page without one: the widget is for what changes.

        Raises:
            MissingExtra: anywidget is not installed.
        """
        from unrolled.lens.notebook import widget_of

        return widget_of(self.to_json())

    def _repr_html_(self) -> str:
        from unrolled.lens.notebook import frame_of

        return frame_of(self.title, self.to_json())


def _plain(value: Any) -> Any:
    if isinstance(value, Trace):
        from unrolled.lens.trace_page import to_json

        return _plain(to_json(value))
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: _plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    # Scalars of numpy and torch that are not Python floats already (float32, int64).
    if hasattr(value, "item"):
        return _plain(value.item())
    raise ConfigError(
        f"a record holds {type(value).__name__}, expected numbers, text, lists or None; "
        "turn it into plain values first"
    )


def _same_length(name: str, values: list[Any], expected: int) -> None:
    if len(values) != expected:
        raise ConfigError(f"{name} has {len(values)} entries, expected {expected}: one per step")


def _check_level(level: str) -> None:
    try:
        inside = 0.0 < float(level) < 1.0
    except ValueError:
        inside = False
    if not inside:
        raise ConfigError(
            f"Fan.quantiles has the level {level!r}, expected text like '0.1' or '0.5'"
        )
