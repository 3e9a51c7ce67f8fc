"""The one file of a trace: safetensors with a JSON card. Reading it runs no code."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic_core import PydanticSerializationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from unrolled.errors import ConfigError, ModelFileError
from unrolled.lens.trace_parts import Influence
from unrolled.lens.trace_parts_file import PartsCard, Strict, arrays_of, card_of, parts_of
from unrolled.lens.traces import (
    BY_UNIT,
    OVER_TIME,
    Answers,
    Expected,
    Trace,
    TracedLayer,
)
from unrolled.writing import replacing

FORMAT = 4
# Those that are read: 1 has no terms, half-lives and influence, 2 no beam and source, 3 no sound.
FORMATS = (1, 2, 3, FORMAT)
_SOURCE = "source."  # before the names of its arrays


class LayerCard(Strict):
    """A layer without its arrays, but with their names."""

    name: str
    index: int
    reverse: bool
    cell: str
    states: list[str]
    gates: list[str]
    gradients: list[str]
    terms: list[str] = Field(default_factory=list)
    rates: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)
    half_lives: list[str] = Field(default_factory=list)


class InfluenceCard(Strict):
    """An influence without its arrays."""

    of: str
    ahead: int


class TraceCard(PartsCard):
    """A trace without its arrays."""

    format: int
    model: str
    inputs: list[str]
    layers: list[LayerCard]
    choices: list[list[str]] | None
    came: list[str] | None = None
    names: list[str] | None
    running: bool = True
    chosen: list[str] | None = None
    truth: list[str] | None = None
    losses: bool
    notes: list[str]
    loss: str
    joined: bool = False
    influence: InfluenceCard | None = None
    source: TraceCard | None = None


def write(trace: Trace, path: str | os.PathLike[str]) -> Path:
    """See `Trace.save`."""
    # What a trace does not have is left out, so that older versions read it too.
    try:
        card = _card(trace).model_dump_json(exclude_defaults=True)
    except PydanticSerializationError:
        raise ConfigError(
            "save: the text holds half of a surrogate pair, which no file of text can hold; trace"
            " text.encode('utf-8', 'replace').decode()"
        ) from None
    blob = save(dict(_arrays(trace)), metadata={"trace": card})
    with replacing(path) as aside:
        aside.write_bytes(blob)
    return Path(path)


def read(path: str | os.PathLike[str]) -> Trace:
    """See `Trace.load`."""
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"{path}: expected the file of a trace; check the path")
    try:
        with safe_open(path, framework="numpy") as opened:
            text = (opened.metadata() or {}).get("trace")
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError) as error:
        raise ModelFileError(
            f"{path}: not a complete file of a trace ({error}); trace the model again"
        ) from error
    if text is None:
        raise ModelFileError(
            f"{path}: a safetensors file without a trace, expected one written by Trace.save()"
        )
    try:
        _check_format(path, text)
        return _trace(TraceCard.model_validate_json(text), arrays)
    except (KeyError, ValueError, TypeError, RecursionError) as error:
        first = str(error).splitlines()[0]
        raise ModelFileError(
            f"{path}: its parts do not belong together ({first}); trace the model again"
        ) from error


def _check_format(path: Path, text: str) -> None:
    """Before all else: the card of another format may have other entries."""
    raw = json.loads(text)
    found = raw.get("format") if isinstance(raw, dict) else None
    if isinstance(found, int) and found not in FORMATS:
        raise ModelFileError(
            f"{path}: a trace of format {found}, this version reads {FORMAT}; trace the model"
            " again, or take the version of unrolled that wrote it"
        )


def _arrays(trace: Trace) -> Iterator[tuple[str, NDArray[Any]]]:
    for number, layer in enumerate(trace.layers):
        yield f"layer.{number}.units", np.ascontiguousarray(layer.units)
        yield f"layer.{number}.cuts", np.ascontiguousarray(layer.cuts)
        for part in (*OVER_TIME, *BY_UNIT, "norms"):
            for name, values in getattr(layer, part).items():
                yield f"layer.{number}.{part}.{name}", np.ascontiguousarray(values)
    if trace.losses is not None:
        yield "losses", np.ascontiguousarray(trace.losses)
    if trace.expected is not None:
        yield "expected", np.ascontiguousarray(trace.expected.chances)
    if trace.answers is not None:
        yield "answers", np.ascontiguousarray(trace.answers.chances)
    yield from arrays_of(trace)
    if trace.influence is not None:
        yield "influence.size", np.ascontiguousarray(trace.influence.size)
        yield "influence.product", np.ascontiguousarray(trace.influence.product)
    if trace.source is not None:
        yield from ((_SOURCE + name, array) for name, array in _arrays(trace.source))


def _format_of(trace: Trace) -> int:
    """The oldest that has room for it."""
    if trace.heard is not None or trace.sound is not None:
        return FORMAT
    came = trace.expected is not None and len(trace.expected.came) > 0
    return 3 if came or trace.beam is not None or trace.source is not None else 2


def _card(trace: Trace) -> TraceCard:
    return TraceCard(
        format=_format_of(trace),
        model=trace.model,
        inputs=list(trace.inputs),
        layers=[
            LayerCard(
                name=layer.name,
                index=layer.index,
                reverse=layer.reverse,
                cell=layer.cell,
                states=list(layer.states),
                gates=list(layer.gates),
                gradients=list(layer.gradients),
                terms=list(layer.terms),
                rates=layer.rates,
                half_lives=list(layer.half_lives),
            )
            for layer in trace.layers
        ],
        choices=None if trace.expected is None else [list(row) for row in trace.expected.choices],
        came=None if trace.expected is None else list(trace.expected.came) or None,
        names=None if trace.answers is None else list(trace.answers.names),
        running=trace.answers is None or trace.answers.running,
        chosen=None if trace.answers is None else list(trace.answers.chosen) or None,
        truth=None if trace.answers is None else list(trace.answers.truth) or None,
        losses=trace.losses is not None,
        notes=list(trace.notes),
        loss=trace.loss,
        joined=trace.joined,
        **card_of(trace),
        influence=None
        if trace.influence is None
        else InfluenceCard(of=trace.influence.of, ahead=trace.influence.ahead),
        source=None if trace.source is None else _card(trace.source),
    )


def _trace(card: TraceCard, arrays: Mapping[str, NDArray[Any]]) -> Trace:
    expected = answers = influence = source = None
    if card.choices is not None:
        expected = Expected(
            tuple(map(tuple, card.choices)), arrays["expected"], tuple(card.came or ())
        )
    if card.names is not None:
        answers = Answers(
            tuple(card.names),
            arrays["answers"],
            card.running,
            tuple(card.chosen or ()),
            tuple(card.truth or ()),
        )
    if card.influence is not None:
        influence = Influence(
            card.influence.of,
            arrays["influence.size"],
            arrays["influence.product"],
            card.influence.ahead,
        )
    if card.source is not None:
        own = {name: array for name, array in arrays.items() if name.startswith(_SOURCE)}
        source = _trace(card.source, {name.removeprefix(_SOURCE): own[name] for name in own})
    return Trace(
        card.model,
        tuple(card.inputs),
        tuple(_layer(number, layer, arrays) for number, layer in enumerate(card.layers)),
        arrays["losses"] if card.losses else None,
        expected,
        answers,
        tuple(card.notes),
        card.loss,
        influence,
        card.joined,
        **parts_of(card, arrays),
        source=source,
    )


def _layer(number: int, card: LayerCard, arrays: Mapping[str, NDArray[Any]]) -> TracedLayer:
    def of(part: str, names: list[str]) -> dict[str, Any]:
        return {name: arrays[f"layer.{number}.{part}.{name}"] for name in names}

    return TracedLayer(
        card.name,
        card.index,
        card.reverse,
        card.cell,
        arrays[f"layer.{number}.units"],
        of("states", card.states),
        of("before", card.states),
        arrays[f"layer.{number}.cuts"],
        of("gates", card.gates),
        of("gradients", card.gradients),
        of("norms", card.gradients),
        of("terms", card.terms),
        card.rates,
        of("half_lives", card.half_lives),
    )
