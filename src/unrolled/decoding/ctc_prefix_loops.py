"""Prefix beam search in plain Python: what runs where there are no kernels.

For a prefix l with the last symbol e, at a frame with the log-probabilities y:

    blank'(l)  = total(l) + y_0
    symbol'(l) = symbol(l) + y_e  (+)  from + y_e,    from the prefix k that l extends by e:
                 from = blank(k) where k ends in e, too, else total(k)
    total(l)   = blank(l) (+) symbol(l)

with (+) the sum of the probabilities. Rules and sources are those of
`kernels/include/unrolled/ctc_prefix.h`, and so are the numbers.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from unrolled.decoding.ctc_checks import BLANK, Floats
from unrolled.decoding.ctc_options import CtcOptions
from unrolled.decoding.ctc_state import MEMBER, NODE, PATH, PrefixState
from unrolled.decoding.prefix_scores import Place

_NEVER = -math.inf


class _End(NamedTuple):
    """The most probable alignment that ends in one way."""

    best: float = _NEVER
    path: int = -1
    last: int = -1
    peak: float = 0.0


@dataclass(frozen=True)
class _Member:
    node: int
    bonus: float
    blank: float
    symbol: float
    in_blank: _End
    in_symbol: _End  # its `last` is not known before it ends

    @property
    def total(self) -> float:
        return _add(self.blank, self.symbol)


class _Candidate(NamedTuple):
    score: float
    order: int
    parent: int
    token: int
    stays: _Member | None
    entered: _End | None


def advance_in_python(state: PrefixState, log_probs: Floats, options: CtcOptions) -> PrefixState:
    """The state after the frames of one row, `(T, 1 + V)`."""
    search = _Search(state, options)
    for time, frame in enumerate(log_probs.astype(np.float64), start=state.frames):
        search.frame(frame.tolist(), time)
    return search.state(state.frames + len(log_probs))


def _add(a: float, b: float) -> float:
    """log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a + math.log1p(math.exp(b - a)) if b - a > -37.0 else a


class _Search:
    def __init__(self, state: PrefixState, options: CtcOptions) -> None:
        self._options = options
        self._nodes: list[tuple[int, int]] = [(one[0], one[1]) for one in state.nodes.tolist()]
        self._places = [Place(*one[2:]) for one in state.nodes.tolist()]
        self._paths: list[tuple[int, int, int, float]] = state.paths.tolist()
        self._known = {key: number for number, key in enumerate(self._nodes)}
        self._members = [_member(row) for row in state.members.tolist()]

    def frame(self, y: list[float], time: int) -> None:
        """Moves the beam on by the log-probabilities of a frame."""
        members = self._members
        allowed = self._allowed(y)
        totals = [one.total for one in members]
        slots = {one.node: slot for slot, one in enumerate(members)}
        taken, candidates = set(), []
        for slot, one in enumerate(members):
            parent, token = self._nodes[one.node]
            entered = None
            if token and parent in slots:
                taken.add((slots[parent], token))
                if token in allowed:
                    entered = slots[parent]
            candidates.append(self._stay(slot, y, time, totals, entered))
        width = len(y)
        for slot, one in enumerate(members):
            for token in allowed:
                if (slot, token) in taken:
                    continue
                bonus = one.bonus + self._added(one.node, token)
                score = self._from(slot, token, totals) + y[token] + bonus
                order = self._options.beam + slot * width + token
                candidates.append(_Candidate(score, order, slot, token, None, None))
        possible = (one for one in candidates if one.score > _NEVER)
        chosen = heapq.nsmallest(
            self._options.beam, possible, key=lambda one: (-one.score, one.order)
        )
        self._members = [self._kept(one, y, time, totals) for one in chosen]

    def _allowed(self, y: list[float]) -> list[int]:
        """The symbols that may extend a prefix, ascending."""
        threshold, most = self._options.threshold, self._options.most_symbols
        cut = _NEVER if threshold is None else max(y) - threshold
        found = [token for token in range(1, len(y)) if y[token] >= cut and y[token] > _NEVER]
        if most is not None and len(found) > most:
            found = sorted(sorted(found, key=lambda token: -y[token])[:most])
        return found

    def _added(self, node: int, token: int) -> float:
        """What a symbol adds to a prefix."""
        extension, scores = self._options.extension, self._options.scores
        added = 0.0 if extension is None else float(extension[token])
        return added if scores is None else added + scores.extended(self._places[node], token)[0]

    def _from(self, slot: int, token: int, totals: list[float]) -> float:
        again = self._nodes[self._members[slot].node][1] == token
        return self._members[slot].blank if again else totals[slot]

    def _source(self, slot: int, token: int, time: int) -> _End:
        """The alignment that goes on where a prefix is extended."""
        one = self._members[slot]
        again = self._nodes[one.node][1] == token
        if again or one.in_blank.best >= one.in_symbol.best:
            return one.in_blank
        return one.in_symbol._replace(last=time - 1)

    def _stay(
        self, slot: int, y: list[float], time: int, totals: list[float], parent: int | None
    ) -> _Candidate:
        one = self._members[slot]
        token = self._nodes[one.node][1]
        blank, in_blank = totals[slot] + y[BLANK], one.in_blank
        if one.in_symbol.best > in_blank.best:
            in_blank = one.in_symbol._replace(last=time - 1)
        in_blank = in_blank._replace(best=in_blank.best + y[BLANK])
        symbol, in_symbol, entered = one.symbol, one.in_symbol, None
        if token:
            symbol += y[token]
            peak = max(in_symbol.peak, y[token])
            in_symbol = in_symbol._replace(best=in_symbol.best + y[token], peak=peak)
        if parent is not None:
            symbol = _add(symbol, self._from(parent, token, totals) + y[token])
            source = self._source(parent, token, time)
            if source.best + y[token] > in_symbol.best:
                entered = source
        stays = replace(one, blank=blank, symbol=symbol, in_blank=in_blank, in_symbol=in_symbol)
        return _Candidate(stays.total + one.bonus, slot, slot, token, stays, entered)

    def _kept(self, one: _Candidate, y: list[float], time: int, totals: list[float]) -> _Member:
        if one.stays is not None:
            if one.entered is None:
                return one.stays
            return replace(one.stays, in_symbol=self._begin(one.entered, y[one.token], time))
        parent = self._members[one.parent]
        return _Member(
            node=self._child(parent.node, one.token),
            bonus=parent.bonus + self._added(parent.node, one.token),
            blank=_NEVER,
            symbol=self._from(one.parent, one.token, totals) + y[one.token],
            in_blank=_End(),
            in_symbol=self._begin(self._source(one.parent, one.token, time), y[one.token], time),
        )

    def _begin(self, source: _End, value: float, time: int) -> _End:
        self._paths.append((source.path, time, source.last, source.peak))
        return _End(source.best + value, len(self._paths) - 1, -1, value)

    def _child(self, node: int, token: int) -> int:
        if (node, token) not in self._known:
            self._known[node, token] = len(self._nodes)
            self._nodes.append((node, token))
            scores = self._options.scores
            self._places.append(
                Place() if scores is None else scores.extended(self._places[node], token)[1]
            )
        return self._known[node, token]

    def state(self, frames: int) -> PrefixState:
        """The state, with what the beam needs and nothing else."""
        members = self._members
        ends = [one.node for one in members]
        node_at = _places(_needed(ends, [parent for parent, _ in self._nodes]) | {0})
        ends = [end.path for one in members for end in (one.in_blank, one.in_symbol)]
        path_at = _places(_needed(ends, [previous for previous, *_ in self._paths]))
        nodes = [
            (node_at[self._nodes[at][0]], self._nodes[at][1], *self._places[at])
            for at in node_at
            if at >= 0
        ]
        paths = [(path_at[self._paths[at][0]], *self._paths[at][1:]) for at in path_at if at >= 0]
        rows = [
            (
                *(one.blank, one.symbol, one.in_blank.best, one.in_symbol.best, one.bonus),
                *(node_at[one.node], path_at[one.in_blank.path], path_at[one.in_symbol.path]),
                *(one.in_blank.last, one.in_blank.peak, one.in_symbol.peak),
            )
            for one in members
        ]
        arrays = (np.array(nodes, NODE), np.array(paths, PATH), np.array(rows, MEMBER))
        return PrefixState(frames, *arrays)


def _member(row: tuple[Any, ...]) -> _Member:
    blank, symbol, best_blank, best_symbol, bonus, node, path_blank, path_symbol, last, *peaks = row
    in_blank = _End(best_blank, path_blank, last, peaks[0])
    return _Member(
        node, bonus, blank, symbol, in_blank, _End(best_symbol, path_symbol, -1, peaks[1])
    )


def _needed(ends: list[int], before: list[int]) -> set[int]:
    """All that the ends lead back to, themselves among it; below 0 there is nothing."""
    found: set[int] = set()
    for at in ends:
        while at >= 0 and at not in found:
            found.add(at)
            at = before[at]
    return found


def _places(needed: set[int]) -> dict[int, int]:
    """Where each is when the others are dropped; -1 stays."""
    return {-1: -1} | {old: new for new, old in enumerate(sorted(needed))}
