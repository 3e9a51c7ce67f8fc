"""A trace as one HTML page that works from disk."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.page import write_page
from unrolled.lens.properties import PROPERTIES
from unrolled.lens.records import Report
from unrolled.lens.traces import BY_UNIT, OVER_TIME, Trace, TracedLayer
from unrolled.lens.tracing import fewer_units

# Numbers that a page can hold and still open soon.
MOST = 10_000_000
MOST_IN_NOTEBOOK = 1_000_000
_TITLE = 40  # characters


def write_trace(
    trace: Trace, path: str | PathLike[str], *, beside: Mapping[str, Trace] | None = None
) -> Path:
    """Write a trace as one page; see `Trace.to_html`."""
    return write_page(path, title_of(trace), data_of(trace, beside=beside))


def title_of(trace: Trace) -> str:
    """What the page of a trace is called: who reads, and how what it reads begins."""
    if trace.series is not None:
        return f"{trace.model}: {trace.series.name}"
    if trace.heard is not None:
        return _titled(trace.model, trace.heard.text or "nothing heard")
    if trace.inputs == tuple(map(str, range(1, len(trace) + 1))):
        return f"{trace.model}, step by step"  # its steps have no names
    read = trace if trace.source is None else trace.source
    # Half of a surrogate pair can stand in a text, and in no title.
    return _titled(trace.model, ("" if read.joined else " ").join(read.inputs[: 2 * _TITLE]))


def _titled(model: str, text: str) -> str:
    text = " ".join(text.split()).encode("utf-8", "replace").decode()
    return f"{model}: {text[:_TITLE]}{'…' if len(text) > _TITLE else ''}"


def data_of(trace: Trace, *, beside: Mapping[str, Trace] | None = None) -> dict[str, Any]:
    """What a page shows of a trace, as of a `Report`; see `Trace.to_html`."""
    numbers = numbers_in(trace)
    if numbers > MOST:
        raise ConfigError(
            f"trace: got {numbers:,} numbers, expected {MOST:,} at most, which a page can show;"
            " trace with fewer steps= or units="
        )
    report = Report(
        title=title_of(trace),
        subtitle="What the network did with one sequence: states, gates and gradients.",
        made="",
        notes=[*trace.notes, *(() if trace.source is None else trace.source.notes)],
    )
    others = [_gradient(name, other) for name, other in (beside or {}).items()]
    return {**report.to_json(), "trace": {**to_json(trace), "beside": others}}


def for_notebook(trace: Trace) -> Trace:
    """The same with as many units as a notebook, which keeps every output in its file, can bear."""
    numbers = numbers_in(trace)
    if numbers <= MOST_IN_NOTEBOOK:
        return trace
    layers = [*trace.layers, *(() if trace.source is None else trace.source.layers)]
    widest = max(len(layer.units) for layer in layers)
    return fewer_units(trace, max(1, widest * MOST_IN_NOTEBOOK // numbers))


def numbers_in(trace: Trace) -> int:
    """How many numbers a page of it holds."""
    others = [
        *([] if trace.links is None else [trace.links.weights.size]),
        *([] if trace.spectrogram is None else [trace.spectrogram.values.size]),
        *([] if trace.heard is None else [trace.heard.chances.size]),
        # Two samples take the room of one number.
        *([] if trace.sound is None else [trace.sound.samples.size // 2]),
    ]
    own = sum(
        values.size
        for layer in trace.layers
        for part in OVER_TIME
        for values in getattr(layer, part).values()
    )
    return own + sum(others) + (0 if trace.source is None else numbers_in(trace.source))


def _gradient(name: str, trace: Trace) -> dict[str, Any]:
    """Of the last layer that has one."""
    norms = [layer.norms["h"] for layer in trace.layers if "h" in layer.norms]
    if not norms:
        raise ConfigError(
            f"beside: the trace {name!r} has no gradients; trace it with a loss to compare them"
        )
    return {"name": name, "norms": packed(norms[-1])}


def to_json(trace: Trace) -> dict[str, Any]:
    """The trace as values that JSON takes; arrays as `packed` has them."""
    expected, answers, influence = trace.expected, trace.answers, trace.influence
    return {
        "model": trace.model,
        "inputs": list(trace.inputs),
        "layers": [_layer(layer) for layer in trace.layers],
        "losses": None if trace.losses is None else packed(trace.losses),
        "expected": None
        if expected is None
        else {
            "choices": expected.choices,
            "chances": packed(expected.chances),
            "came": expected.came,
        },
        "answers": None
        if answers is None
        else {
            "names": answers.names,
            "chances": packed(answers.chances),
            "running": answers.running,
            "chosen": answers.chosen,
            "truth": answers.truth,
        },
        "notes": list(trace.notes),
        "loss": trace.loss,
        "properties": {name: packed(values) for name, values in _properties(trace).items()},
        "joined": trace.joined,
        "influence": None
        if influence is None
        else {
            "of": influence.of,
            "ahead": influence.ahead,
            "size": packed(influence.size),
            "product": packed(influence.product),
        },
        **_parts(trace),
    }


def _properties(trace: Trace) -> dict[str, np.ndarray]:
    """What of the text units may follow, where it changes at all: of a text that was not read
    character by character, what does not depend on its blanks."""
    whole = trace.joined and all(len(text) == 1 for text in trace.inputs)
    names = PROPERTIES if whole else ("quotes", "brackets")
    found = {name: PROPERTIES[name](trace.inputs) for name in names}
    return {name: values for name, values in found.items() if np.ptp(values) > 0}


def _parts(trace: Trace) -> dict[str, Any]:
    """What only some tasks have."""
    found: dict[str, Any] = {}
    if (series := trace.series) is not None:
        found["series"] = {
            "name": series.name,
            "times": series.times,
            "values": _plain(series.values),
            "reads": series.reads.tolist(),
        }
    if (fan := trace.fan) is not None:
        found["fan"] = {
            "times": fan.times,
            "levels": fan.levels,
            "quantiles": _plain(fan.quantiles),
            "truth": _plain(fan.truth),
        }
    if (links := trace.links) is not None:
        found["links"] = {
            "sources": links.sources,
            "targets": links.targets,
            "weights": packed(links.weights),
        }
    if (beam := trace.beam) is not None:
        found["beam"] = {
            "width": beam.width,
            "tokens": beam.tokens,
            "steps": beam.steps.tolist(),
            "parents": beam.parents.tolist(),
            "fates": beam.fates,
            "ranks": beam.ranks.tolist(),
            **{name: _plain(getattr(beam, name)) for name in ("log_p", "sums", "scores")},
        }
    if trace.source is not None:
        found["source"] = to_json(trace.source)
    if (sound := trace.spectrogram) is not None:
        found["spectrogram"] = {
            "values": packed(sound.values),
            "hop": sound.hop,
            "path": sound.path,
        }
    if trace.alike is not None:
        found["alike"] = trace.alike.words
    if (heard := trace.heard) is not None:
        found["heard"] = {
            "text": heard.text,
            "names": heard.names,
            "chances": packed(heard.chances),
            "words": _words(heard.words, heard.spans, heard.confidences),
            "reference": _words(
                heard.reference, heard.reference_spans, heard.reference_confidences
            ),
            "repeats": heard.repeats,
        }
    if trace.sound is not None:
        found["sound"] = {"wav": b64encode(trace.sound.wav()).decode("ascii")}
    return found


def _words(texts: tuple[str, ...], spans: np.ndarray, sure: np.ndarray) -> list[dict[str, Any]]:
    return [
        {"text": text, "start": start, "end": end, "confidence": confidence}
        for text, (start, end), confidence in zip(texts, _plain(spans), _plain(sure), strict=True)
    ]


def _layer(layer: TracedLayer) -> dict[str, Any]:
    parts = (*OVER_TIME, *BY_UNIT, "norms")
    return {
        "name": layer.name,
        "index": layer.index,
        "reverse": layer.reverse,
        "cell": layer.cell,
        "units": layer.units.tolist(),
        "cuts": layer.cuts.tolist(),
        "rates": layer.rates,
        **{
            part: {name: packed(values) for name, values in getattr(layer, part).items()}
            for part in parts
        },
    }


def _plain(values: np.ndarray) -> Any:
    """Numbers in the user's unit as they are, for what is short."""
    if values.ndim > 1:
        return [_plain(row) for row in values]
    return [float(f"{one:.9g}") if np.isfinite(one) else None for one in values.tolist()]


def packed(values: np.ndarray) -> dict[str, Any]:
    """An array as its shape and its bytes, which a page reads at once: text with the digits of a
    million numbers takes seconds."""
    blob = np.ascontiguousarray(values, dtype="<f4").tobytes()
    return {"shape": list(values.shape), "f32": b64encode(blob).decode("ascii")}
