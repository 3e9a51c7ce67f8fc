"""The one file of a trace: safetensors with a JSON card. Reading it runs no code."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from unrolled.errors import ConfigError, ModelFileError
from unrolled.lens.traces import (
    BY_UNIT,
    OVER_TIME,
    Answers,
    Expected,
    Influence,
    Trace,
    TracedLayer,
)
from unrolled.writing import replacing

FORMAT = 2
FORMATS = (1, 2)  # that are read; 1 has no terms, half-lives and influence


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class LayerCard(_Strict):
    """A layer without its arrays, but with their names."""

    name: str
    index: int
    reverse: bool
    cell: str
    states: list[str]
    gates: list[str]
    gradients: list[str]
    terms: list[str] = []
    rates: dict[str, float] = {}
    half_lives: list[str] = []


class InfluenceCard(_Strict):
    """An influence without its arrays."""

    of: str
    ahead: int


class TraceCard(_Strict):
    """A trace without its arrays."""

    format: int
    model: str
    inputs: list[str]
    layers: list[LayerCard]
    choices: list[list[str]] | None
    names: list[str] | None
    losses: bool
    notes: list[str]
    loss: str
    influence: InfluenceCard | None = None


def write(trace: Trace, path: str | os.PathLike[str]) -> Path:
    """See `Trace.save`."""
    blob = save(dict(_arrays(trace)), metadata={"trace": _card(trace).model_dump_json()})
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
        card = TraceCard.model_validate_json(text)
        if card.format not in FORMATS:
            raise ModelFileError(
                f"{path}: a trace of format {card.format}, this version reads {FORMAT}; trace the"
                " model again, or take the version of unrolled that wrote it"
            )
        return _trace(card, arrays)
    except (KeyError, ValidationError, ConfigError) as error:
        first = str(error).splitlines()[0]
        raise ModelFileError(
            f"{path}: its parts do not belong together ({first}); trace the model again"
        ) from error


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
    if trace.influence is not None:
        yield "influence.size", np.ascontiguousarray(trace.influence.size)
        yield "influence.product", np.ascontiguousarray(trace.influence.product)


def _card(trace: Trace) -> TraceCard:
    return TraceCard(
        format=FORMAT,
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
        names=None if trace.answers is None else list(trace.answers.names),
        losses=trace.losses is not None,
        notes=list(trace.notes),
        loss=trace.loss,
        influence=None
        if trace.influence is None
        else InfluenceCard(of=trace.influence.of, ahead=trace.influence.ahead),
    )


def _trace(card: TraceCard, arrays: Mapping[str, NDArray[Any]]) -> Trace:
    expected = answers = influence = None
    if card.choices is not None:
        expected = Expected(tuple(map(tuple, card.choices)), arrays["expected"])
    if card.names is not None:
        answers = Answers(tuple(card.names), arrays["answers"])
    if card.influence is not None:
        influence = Influence(
            card.influence.of,
            arrays["influence.size"],
            arrays["influence.product"],
            card.influence.ahead,
        )
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
