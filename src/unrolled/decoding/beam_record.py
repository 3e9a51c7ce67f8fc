"""`BeamRecord`: a whole beam search as a tree, in plain numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unrolled.decoding.answers import Answers, Ended

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Numbers = NDArray[np.float64]

Fate = Literal["kept", "finished", "pruned"]


@dataclass(frozen=True)
class BeamRecord:
    """The search for the answers to one sentence: each node is a token that was looked at.

    Attributes:
        width: the beam.
        steps: of each node the step that looked at it, from 0; they never fall.
        parents: the place of the token before, which is always an earlier one; -1 of the first.
        tokens: their ids.
        log_p: the log-probability of the token after those before, in nats.
        sums: that of the whole hypothesis up to there.
        fates: "kept", the search went on from there or would have; "finished", it is the end of an
            answer; "pruned", others were better.
        ranks: of the last token of each answer its place, 0 the best; -1 of all other nodes.
        scores: what hypotheses that ended are ranked by; None of all other nodes.
        left_out: how many nodes there were beyond the most that are kept.

    Of those that were pruned only the best of each step are looked at, so that kept, finished and
    pruned ones together are up to twice the beam.
    """

    width: int
    steps: tuple[int, ...]
    parents: tuple[int, ...]
    tokens: tuple[int, ...]
    log_p: tuple[float, ...]
    sums: tuple[float, ...]
    fates: tuple[Fate, ...]
    ranks: tuple[int, ...]
    scores: tuple[float | None, ...]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.tokens)

    def path(self, place: int) -> tuple[int, ...]:
        """The places of a hypothesis's nodes, from its first token to the one at `place`."""
        found = [place]
        while (parent := self.parents[found[-1]]) >= 0:
            found.append(parent)
        return tuple(reversed(found))

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON can write it."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


class _Step(NamedTuple):
    """What one step looked at, in all sentences; each `(M,)`, best first in each sentence."""

    step: Ints
    sentence: Ints
    parent: Ints  # Number of a node in the trail, or -1.
    token: Ints
    value: Numbers
    total: Numbers
    node: Ints  # Number in the trail; -1 of what was pruned.
    done: Bools


class Recorder:
    """Listens to a search.

    Args:
        width: the beam.
        most: nodes of a sentence that are kept; those of its answers are kept in any case.
    """

    def __init__(self, width: int, most: int) -> None:
        self._width = width
        self._most = most
        self._seen: list[_Step] = []

    def step(self, step: int, there: Bools, *of_candidates: NDArray[Any]) -> None:
        """Takes the candidates of a step, those that are there: the columns of `_Step`."""
        columns = [each[there].copy() for each in of_candidates]
        self._seen.append(_Step(np.full(int(there.sum()), step), *columns))

    def records(self, answers: Answers) -> list[BeamRecord]:
        """The record of each sentence."""
        if not self._seen:
            return []
        columns: list[Any] = list(zip(*self._seen, strict=True))
        every = _Step._make(np.concatenate(each) for each in columns)
        order = np.argsort(every.sentence, kind="stable")
        edges = np.searchsorted(every.sentence[order], np.arange(len(answers.counts) + 1))
        return [
            self._record(best, ended, _Step._make(each[order[begin:end]] for each in every))
            for best, ended, begin, end in zip(
                answers.best(), answers.ended, edges[:-1], edges[1:], strict=True
            )
        ]

    def _record(self, best: list[Ended], ended: list[Ended], seen: _Step) -> BeamRecord:
        place_of = {node: place for place, node in enumerate(seen.node.tolist()) if node >= 0}
        parents = [place_of.get(node, -1) for node in seen.parent.tolist()]
        # Nodes of answers matter most, then those that led on. A parent matters no less than its
        # children and comes before them, so that none is left without.
        rank = np.where(seen.node >= 0, 1, 2)
        for one in best:
            place = place_of.get(one.node, -1)
            while place >= 0:
                rank[place] = 0
                place = parents[place]
        most = max(self._most, int((rank == 0).sum()))
        chosen = np.sort(np.argsort(rank, kind="stable")[:most])
        again = {-1: -1} | {old: new for new, old in enumerate(chosen.tolist())}
        places = {one.node: place for place, one in enumerate(best)}
        scores = {one.node: one.score for one in ended}
        nodes = [int(node) for node in seen.node[chosen]]
        done = seen.done[chosen].tolist()
        return BeamRecord(
            width=self._width,
            steps=tuple(seen.step[chosen].tolist()),
            parents=tuple(again[parents[place]] for place in chosen.tolist()),
            tokens=tuple(seen.token[chosen].tolist()),
            log_p=tuple(seen.value[chosen].tolist()),
            sums=tuple(seen.total[chosen].tolist()),
            fates=tuple(
                "finished" if end else "kept" if node >= 0 else "pruned"
                for node, end in zip(nodes, done, strict=True)
            ),
            ranks=tuple(places.get(node, -1) if node >= 0 else -1 for node in nodes),
            scores=tuple(scores.get(node) if node >= 0 else None for node in nodes),
            left_out=len(rank) - len(chosen),
        )
