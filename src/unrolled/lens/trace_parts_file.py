"""What only some traces have, in the file of a trace: cards and arrays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from unrolled.lens.sound_parts import Heard, Sound, SoundsAlike
from unrolled.lens.trace_parts import Beam, Fate, Forecast, Links, Series, Spectrogram
from unrolled.lens.traces import Trace

# By the part of a trace, its type and its arrays; all else of it stands in the card.
_PARTS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "series": (Series, ("values", "reads")),
    "fan": (Forecast, ("quantiles", "truth")),
    "links": (Links, ("weights",)),
    "beam": (Beam, ("steps", "parents", "log_p", "sums", "ranks", "scores")),
    "spectrogram": (Spectrogram, ("values",)),
    "heard": (
        Heard,
        ("chances", "spans", "confidences", "reference_spans", "reference_confidences"),
    ),
    "sound": (Sound, ("samples",)),
    "alike": (SoundsAlike, ()),
}


class Strict(BaseModel):
    """A card takes what it names, of the type that it names, and nothing else."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SeriesCard(Strict):
    """A `Series` without its arrays."""

    name: str
    times: list[str]


class ForecastCard(Strict):
    """A `Forecast` without its arrays."""

    times: list[str]
    levels: list[float]


class LinksCard(Strict):
    """`Links` without their array."""

    sources: list[str]
    targets: list[str]


class BeamCard(Strict):
    """A `Beam` without its arrays."""

    width: int
    tokens: list[str]
    fates: list[Fate]


class SpectrogramCard(Strict):
    """A `Spectrogram` without its array."""

    hop: float
    path: list[str]


class HeardCard(Strict):
    """A `Heard` without its arrays."""

    text: str
    names: list[str]
    words: list[str]
    reference: list[str]
    repeats: bool = False


class SoundCard(Strict):
    """A `Sound` without its array."""

    rate: int


class ContextCard(Strict):
    """An `OtherContext`."""

    side: str
    word: str
    odds: float


class RivalCard(Strict):
    """A `Rival`."""

    text: str
    how: str
    acoustic: float
    language: float
    hot: float
    second: float
    total: float
    margin: float
    odds: float
    contexts: list[ContextCard]


class ExplainedWordCard(Strict):
    """An `ExplainedWord`."""

    text: str
    start: float
    end: float
    why: str
    rivals: list[RivalCard]


class SoundsAlikeCard(Strict):
    """A `SoundsAlike`."""

    words: list[ExplainedWordCard]


class PartsCard(Strict):
    """The parts that are there."""

    series: SeriesCard | None = None
    fan: ForecastCard | None = None
    links: LinksCard | None = None
    beam: BeamCard | None = None
    spectrogram: SpectrogramCard | None = None
    heard: HeardCard | None = None
    sound: SoundCard | None = None
    alike: SoundsAlikeCard | None = None


def arrays_of(trace: Trace) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays of the parts, by their names in the file."""
    for name, (_, arrays) in _PARTS.items():
        part = getattr(trace, name)
        for array in arrays if part is not None else ():
            yield f"{name}.{array}", np.ascontiguousarray(getattr(part, array))


def card_of(trace: Trace) -> dict[str, Any]:
    """The rest of the parts, as arguments of a `PartsCard`."""
    found: dict[str, Any] = {}
    for name, (_, arrays) in _PARTS.items():
        if (part := getattr(trace, name)) is not None:
            plain = {key: value for key, value in vars(part).items() if key not in arrays}
            found[name] = {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in plain.items()
            }
    return found


def parts_of(card: PartsCard, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    """The inverse of both.

    Raises:
        KeyError: an array is missing.
        ConfigError: they do not belong together.
    """
    found: dict[str, Any] = {}
    for name, (kind, own) in _PARTS.items():
        if (part := getattr(card, name)) is not None:
            plain = {
                key: tuple(value) if isinstance(value, list) else value
                for key, value in part.model_dump().items()
            }
            found[name] = kind(**plain, **{array: arrays[f"{name}.{array}"] for array in own})
    return found
