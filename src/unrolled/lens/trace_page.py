"""A trace as one HTML page that works from disk."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.errors import ConfigError
from unrolled.lens.page import write_page
from unrolled.lens.records import Report
from unrolled.lens.traces import Trace, TracedLayer
from unrolled.lens.tracing import fewer_units

# Numbers that a page can hold and still open soon.
MOST = 6_000_000
MOST_IN_NOTEBOOK = 1_000_000


def write_trace(trace: Trace, path: str | PathLike[str]) -> Path:
    """Write a trace as one page; see `Trace.to_html`."""
    numbers = _numbers(trace)
    if numbers > MOST:
        raise ConfigError(
            f"to_html: got {numbers:,} numbers, expected {MOST:,} at most, which a page can show;"
            " trace with fewer steps= or units="
        )
    return write_page(path, title_of(trace), data_of(trace))


def title_of(trace: Trace) -> str:
    return f"{trace.model}, step by step"


def data_of(trace: Trace) -> dict[str, Any]:
    """What a page shows of a trace, as of a `Report`."""
    report = Report(
        title=title_of(trace),
        subtitle="What the network did with one sequence: states, gates and gradients.",
        made="",
        notes=list(trace.notes),
    )
    return {**report.to_json(), "trace": to_json(trace)}


def for_notebook(trace: Trace) -> Trace:
    """The same with as many units as a notebook, which keeps every output in its file, can bear."""
    numbers = _numbers(trace)
    if numbers <= MOST_IN_NOTEBOOK:
        return trace
    widest = max(len(layer.units) for layer in trace.layers)
    return fewer_units(trace, max(1, widest * MOST_IN_NOTEBOOK // numbers))


def _numbers(trace: Trace) -> int:
    return sum(
        values.size
        for layer in trace.layers
        for part in (layer.states, layer.gates, layer.gradients)
        for values in part.values()
    )


def to_json(trace: Trace) -> dict[str, Any]:
    """Plain values for the page: what is not a number becomes None, and five digits are kept."""
    expected, answers = trace.expected, trace.answers
    return {
        "model": trace.model,
        "inputs": list(trace.inputs),
        "layers": [_layer(layer) for layer in trace.layers],
        "losses": None if trace.losses is None else _plain(trace.losses),
        "expected": None
        if expected is None
        else {"choices": expected.choices, "chances": _plain(expected.chances)},
        "answers": None
        if answers is None
        else {"names": answers.names, "chances": _plain(answers.chances)},
        "notes": list(trace.notes),
        "loss": trace.loss,
    }


def _layer(layer: TracedLayer) -> dict[str, Any]:
    parts = ("states", "before", "gates", "gradients", "norms")
    return {
        "name": layer.name,
        "index": layer.index,
        "reverse": layer.reverse,
        "cell": layer.cell,
        "units": layer.units.tolist(),
        "cuts": layer.cuts.tolist(),
        **{
            part: {name: _plain(values) for name, values in getattr(layer, part).items()}
            for part in parts
        },
    }


def _plain(values: np.ndarray) -> Any:
    if values.ndim > 1:
        return [_plain(row) for row in values]
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in values.tolist()]
