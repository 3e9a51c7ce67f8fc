"""`PrefixState`: where a prefix beam search is, in plain arrays; and what can be read off it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.decoding.prefix_scores import Place, PrefixScores

NODE = np.dtype([(name, "i4") for name in ("parent", "token", "context", "word", "hot")])
PATH = np.dtype([("previous", "i4"), ("first", "i4"), ("last", "i4"), ("peak", "f4")])
MEMBER = np.dtype(
    [
        *((name, "f8") for name in ("blank", "symbol", "best_blank", "best_symbol", "bonus")),
        *((name, "i4") for name in ("node", "path_blank", "path_symbol", "last")),
        *((name, "f4") for name in ("peak_blank", "peak_symbol")),
    ]
)


@dataclass(frozen=True, eq=False)
class PrefixState:
    """Where a search is, in plain arrays; a step makes a new one and leaves this as it was.

    Attributes:
        frames: frames seen so far.
        nodes: the tree of prefixes.
        paths: the symbols of the most probable alignments.
        members: the prefixes of the beam, best first.

    The fields of the three stand in `kernels/include/unrolled/ctc_prefix.h`.
    """

    frames: int
    nodes: NDArray[Any]
    paths: NDArray[Any]
    members: NDArray[Any]


def start_prefixes(frames: int = 0, place: tuple[int, int, int] = (0, 0, 0)) -> PrefixState:
    """The empty prefix alone, before the frame of that number.

    Args:
        frames: frames seen so far.
        place: where a sentence begins, of `PrefixScores.start`.
    """
    never = -math.inf
    beam = [(0.0, never, 0.0, never, 0.0, 0, -1, -1, -1, 0.0, 0.0)]
    nodes = np.array([(-1, 0, *place)], dtype=NODE)
    return PrefixState(frames, nodes, np.empty(0, dtype=PATH), np.array(beam, dtype=MEMBER))


def prefix_hypotheses(
    state: PrefixState, n_best: int, scores: PrefixScores | None = None
) -> list[CtcHypothesis]:
    """The best prefixes of the beam, best first.

    Args:
        state: where the search is.
        n_best: how many.
        scores: of a search that is over, if it had such: the end of each sentence counts, too.
    """
    nodes, paths = state.nodes.tolist(), state.paths.tolist()
    members = state.members[:n_best] if scores is None else _ended(state, scores)[:n_best]
    totals = np.logaddexp(members["blank"], members["symbol"])
    # As tuples: a stream asks after every chunk, and each field of a record takes a microsecond.
    return [
        _hypothesis(member, total, nodes, paths, state.frames)
        for member, total in zip(members.tolist(), totals.tolist(), strict=True)
    ]


def _ended(state: PrefixState, scores: PrefixScores) -> NDArray[Any]:
    """The members with what the end of a sentence adds, in their new order."""
    members = state.members.copy()
    places = state.nodes[["context", "word", "hot"]][members["node"]].tolist()
    members["bonus"] += scores.ends([Place(*one) for one in places])
    ranked = np.logaddexp(members["blank"], members["symbol"]) + members["bonus"]
    return members[np.argsort(-ranked, kind="stable")]


def _hypothesis(
    member: tuple[Any, ...], total: float, nodes: list[Any], paths: list[Any], frames: int
) -> CtcHypothesis:
    # As MEMBER has them.
    _, _, best_blank, best_symbol, bonus = member[:5]
    node, path_blank, path_symbol, last, peak_blank, peak_symbol = member[5:]
    tokens = []
    while node:
        node, token, *_ = nodes[node]
        tokens.append(token)
    path, peak = path_blank, peak_blank
    if best_symbol > best_blank:
        path, peak, last = path_symbol, peak_symbol, frames - 1
    places, peaks = [], []
    while path >= 0:
        before, first, last_before, peak_before = paths[path]
        places.append((first, last))
        peaks.append(min(1.0, math.exp(peak)))
        path, last, peak = before, last_before, peak_before
    return CtcHypothesis(
        tokens=tuple(tokens[::-1]),
        log_probability=total,
        score=total + bonus,
        frames=tuple(places[::-1]),
        confidences=tuple(peaks[::-1]),
    )


def stable_prefix(state: PrefixState) -> int:
    """How many tokens all prefixes of the beam begin with: no later frame can change these."""
    parents = state.nodes["parent"].tolist()
    lines = []
    for node in state.members["node"].tolist():
        line = []
        while node:
            line.append(node)
            node = parents[node]
        lines.append(line[::-1])
    first = lines[0]
    shared = len(first)
    for line in lines[1:]:
        same = (a == b for a, b in zip(first, line, strict=False))
        shared = min(shared, next((at for at, one in enumerate(same) if not one), len(line)))
    return shared
