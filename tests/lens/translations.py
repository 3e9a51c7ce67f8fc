"""A translation as a trace has it, made by hand: what is read, what is answered, and the search."""

from __future__ import annotations

from typing import Any

import numpy as np

from unrolled.lens.trace_parts import Beam, Links
from unrolled.lens.traces import Expected, Trace, TracedLayer

GERMAN = (
    *("Ein", " Mann", " in", " einem", " blau", "en", " Hemd", " steht", " auf", " einer"),
    *(" Leiter", " und", " putzt", " ein", " Fenster", "."),
)
# By the place in the translation what may come, how likely, and where it leads.
ENGLISH: dict[int, list[tuple[str, float, int]]] = {
    0: [("A", 0.86, 1), ("The", 0.06, 1), ("One", 0.04, 1), ("An", 0.02, 1)],
    1: [(" man", 0.93, 2), (" guy", 0.03, 2), (" person", 0.02, 2)],
    2: [(" in", 0.74, 3), (" wearing", 0.21, 3), (" with", 0.03, 3)],
    3: [(" a", 0.95, 4), (" an", 0.02, 4), (" blue", 0.02, 5)],
    4: [(" blue", 0.91, 5), (" light", 0.05, 5), (" bl", 0.02, 5)],
    5: [(" shirt", 0.96, 6), (" jacket", 0.02, 6), (" top", 0.01, 6)],
    6: [(" is", 0.44, 7), (" stands", 0.34, 8), (" standing", 0.13, 8), (" on", 0.03, 9)],
    7: [(" standing", 0.72, 8), (" on", 0.17, 9), (" cleaning", 0.06, 13)],
    8: [(" on", 0.9, 9), (" at", 0.04, 9), (" and", 0.03, 12)],
    9: [(" a", 0.94, 10), (" the", 0.03, 10)],
    10: [(" ladder", 0.95, 11), (" la", 0.02, 11)],
    11: [(" cleaning", 0.47, 13), (" and", 0.42, 12), (" washing", 0.06, 13)],
    12: [(" cleaning", 0.45, 13), (" cleans", 0.32, 13), (" washes", 0.1, 13)],
    13: [(" a", 0.78, 14), (" the", 0.13, 14), (" windows", 0.06, 15)],
    14: [(" window", 0.96, 15), (" win", 0.02, 15)],
    15: [(".", 0.97, 16), ("\n", 0.02, 17)],
    16: [("\n", 0.99, 17), (".", 0.005, 16)],
}
END = 17
# The sources that are looked at from each place of the translation.
SEEN = {
    **{0: [0], 1: [1], 2: [2], 3: [3], 4: [4, 5], 5: [6, 4], 6: [7, 1], 7: [7], 8: [8], 9: [9]},
    **{10: [10], 11: [12, 11], 12: [12], 13: [13], 14: [14], 15: [15], 16: [15, 14]},
}


def searched(width: int = 4) -> tuple[Beam, list[int]]:
    """The search, and at which places of `ENGLISH` its best hypothesis was."""
    columns: dict[str, list[Any]] = {
        name: [] for name in ("tokens", "steps", "parents", "log_p", "sums", "fates", "ranks")
    }
    places: list[int] = []
    live, ended = [(-1, 0, 0.0)], []
    for step in range(30):
        found = sorted(
            (
                (total + np.log(p), np.log(p), token, parent, place, to)
                for parent, place, total in live
                for token, p, to in ENGLISH[place]
            ),
            key=lambda one: -one[0],
        )
        live = []
        for total, log_p, token, parent, place, to in found[: 2 * width]:
            fate = "finished" if to == END else "kept" if len(live) < width else "pruned"
            node = len(places)
            values = (token, step, parent, log_p, total, fate, -1)
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
            places.append(place)
            if fate == "finished":
                ended.append(node)
            elif fate == "kept":
                live.append((node, to, total))
        if len(ended) >= width + 3:
            break
    scores = np.full(len(places), np.nan, dtype=np.float32)
    for node in ended:
        scores[node] = columns["sums"][node] / (columns["steps"][node] + 1)
    for rank, node in enumerate(sorted(ended, key=lambda node: -scores[node])[:width]):
        columns["ranks"][node] = rank
    beam = Beam(
        width,
        tuple(columns["tokens"]),
        np.array(columns["steps"]),
        np.array(columns["parents"]),
        np.float32(columns["log_p"]),
        np.float32(columns["sums"]),
        tuple(columns["fates"]),
        np.array(columns["ranks"]),
        scores,
    )
    return beam, [places[node] for node in beam.path(beam.best)]


def translation(*, attention: bool = True, units: int = 24) -> Trace:
    """A German sentence and the English one that a beam of 4 finds for it."""
    beam, places = searched()
    path = beam.path(beam.best)
    answers = tuple(beam.tokens[node] for node in path)
    rng = np.random.default_rng(4)
    source = Trace(
        "Translator",
        GERMAN,
        (
            gru("encoder", 0, False, rng, len(GERMAN), units),
            gru("encoder", 0, True, rng, len(GERMAN), units),
        ),
        loss="what the translation costs",
        joined=True,
    )
    choices = [[token for token, _, _ in (ENGLISH[place] * 2)[:4]] for place in places]
    chances = [
        [p for _, p, _ in ENGLISH[place]] + [0.001] * (4 - len(ENGLISH[place])) for place in places
    ]
    for row, place in zip(choices, places, strict=True):
        row[len(ENGLISH[place]) :] = [" ladders", " the"][: 4 - len(ENGLISH[place])]
    return Trace(
        "Translator",
        ("\n", *answers[:-1]),
        tuple(gru("decoder", k, False, rng, len(path), units) for k in range(2)),
        -beam.log_p[list(path)],
        Expected(tuple(map(tuple, choices)), np.float32(chances), answers),
        loss="what the translation costs",
        joined=True,
        links=Links(GERMAN, answers, looked(places, rng)) if attention else None,
        beam=beam,
        source=source,
    )


def looked(places: list[int], rng: np.random.Generator) -> np.ndarray:
    """Weights `(T, S)`: most on what belongs there, some beside it."""
    at = np.arange(len(GERMAN))
    weights = 0.012 * rng.random((len(places), len(GERMAN)))
    for row, place in zip(weights, places, strict=True):
        for k, seen in enumerate(SEEN[place]):
            row += 0.5**k * np.exp(-(((at - seen) / 0.55) ** 2) * 1.6)
    return np.float32(weights / weights.sum(axis=1, keepdims=True))


def gru(
    name: str, index: int, reverse: bool, rng: np.random.Generator, steps: int, units: int
) -> TracedLayer:
    """A GRU with weights that were drawn, over inputs that were drawn."""
    order = range(steps)[::-1] if reverse else range(steps)
    recurrent = rng.normal(size=(3, units, units)) * 1.1 / np.sqrt(units)
    given = rng.normal(size=(3, steps, units)) * 1.3
    parts = {part: np.zeros((steps, units), np.float32) for part in "rznh"}
    terms = {f"{g}.{k}": np.zeros((steps, units), np.float32) for g in "rzn" for k in "xh"}
    h = before = np.zeros(units)
    for step in order:
        r, z = (1 / (1 + np.exp(-(given[k, step] + recurrent[k] @ h))) for k in (0, 1))
        for k, gate in enumerate("rzn"):
            terms[f"{gate}.x"][step], terms[f"{gate}.h"][step] = given[k, step], recurrent[k] @ h
        n = np.tanh(given[2, step] + r * (recurrent[2] @ h))
        h = (1 - z) * n + z * h
        for part, values in zip("rznh", (r, z, n, h), strict=True):
            parts[part][step] = values
    states = {"h": parts.pop("h")}
    owed = np.float32(rng.normal(size=(steps, units)) * 0.1)
    return TracedLayer(
        name,
        index,
        reverse,
        "GRU",
        np.arange(units),
        states,
        {"h": np.float32(before)},
        np.zeros(steps, bool),
        parts,
        {"h": owed},
        {"h": np.linalg.norm(owed, axis=1)},
        terms,
        half_lives={"gates": np.float32(np.log(0.5) / np.log(parts["z"].mean(axis=0)))},
    )
