"""Beam search: the answers to many sentences at once, a few hypotheses of each side by side.

Of every hypothesis that is gone on with, the best tokens are candidates. In each sentence the
`beam` best of them that are not the end are gone on with; one that is the end finishes an answer
where it is among the `beam` best of all; with `prune`, both only where they are near enough to the
best. "Best" is by the log-probability of the whole; of equal ones that of the earlier parent comes
first, and of one parent's the likelier token, then the lower.

A sentence is done when `beam` answers have finished, at its most steps, or as soon as nothing that
goes on can still come among its `n_best`: the bound is its log-probability over the length penalty
of the most steps, so that nothing is lost by it.

Sources: Graves 2012, arXiv 1211.3711 (beam search over recurrent networks); Sutskever, Vinyals and
Le 2014, arXiv 1409.3215; Wu et al. 2016, arXiv 1609.08144 (penalties); Freitag and Al-Onaizan 2017,
arXiv 1702.01806 (pruning by a threshold).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from unrolled.decoding.answers import Answers, Question, hypotheses
from unrolled.decoding.beam_options import BeamOptions
from unrolled.decoding.beam_record import BeamRecord, Recorder
from unrolled.decoding.greedy import search_greedily
from unrolled.decoding.hypotheses import Hypothesis
from unrolled.decoding.penalties import length_penalty
from unrolled.decoding.questions import ask
from unrolled.decoding.rows import Rows
from unrolled.decoding.scorer import Scorer
from unrolled.decoding.trail import Trail

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
Numbers = NDArray[np.float64]


def search(
    scorer: Scorer,
    *,
    begin: int,
    end: int,
    sentences: int | Sequence[int] | Tensor,
    options: BeamOptions | None = None,
    prefixes: Sequence[Sequence[int]] | None = None,
    limits: Sequence[int] | None = None,
    device: str | torch.device = "cpu",
) -> list[list[Hypothesis]]:
    """The best answers to each sentence, as far as a beam finds them.

    What comes out for a sentence depends on no other and not on their order, as far as that holds
    for the scorer's numbers.

    Args:
        scorer: the model, with a fresh state of one row for each sentence.
        begin: the token that comes before every answer.
        end: the token that ends an answer.
        sentences: the length of each source, which `max_length`, the coverage penalty and the width
            of the attention go by; or how many sentences there are.
        options: how to search; None for the defaults.
        prefixes: of each sentence the tokens that its answers begin with, whatever the options do
            not allow. They count in scores and lengths.
        limits: of each sentence the most steps, the end being one, in place of the options'
            `max_length`.
        device: where the scorer wants its tensors.

    Returns:
        For each sentence up to `n_best` hypotheses, best first, no two of them with the same
        tokens. There are fewer where the search ended with fewer. Those that did not reach the end
        come last, and only where fewer than `n_best` did.

    Raises:
        ConfigError: arguments that do not fit together, or scores that are NaN, above 0, or leave
            nothing that is possible; it names the sentence and the step.
    """
    question = ask(begin, end, sentences, options or BeamOptions(), prefixes, limits, device)
    return _answer(scorer, question, None)[0]


def search_with_record(
    scorer: Scorer,
    *,
    begin: int,
    end: int,
    sentences: int | Sequence[int] | Tensor,
    options: BeamOptions | None = None,
    prefixes: Sequence[Sequence[int]] | None = None,
    limits: Sequence[int] | None = None,
    device: str | torch.device = "cpu",
    most_nodes: int = 2000,
) -> tuple[list[list[Hypothesis]], list[BeamRecord]]:
    """What `search` finds, and how it came there, of each sentence.

    Args:
        most_nodes: how many nodes of a sentence to keep at most; those of its answers are kept in
            any case.

    The other arguments, and the errors, are those of `search`.
    """
    question = ask(begin, end, sentences, options or BeamOptions(), prefixes, limits, device)
    recorder = Recorder(question.options.beam, most_nodes)
    found, records = _answer(scorer, question, recorder)
    return found, records


def _answer(
    scorer: Scorer, question: Question, recorder: Recorder | None
) -> tuple[list[list[Hypothesis]], list[BeamRecord]]:
    trail = Trail()
    answers = Answers(len(question.limits), question.options.n_best)
    with torch.no_grad():
        rows = Rows(scorer, question, trail)
        if question.options.beam == 1 and recorder is None:
            search_greedily(rows, question, answers)
        else:
            search_widely(rows, question, answers, recorder)
    records = recorder.records(answers) if recorder is not None else []
    return hypotheses(answers.best(), trail, question.widths), records


@dataclass(frozen=True)
class _Slots:
    """The hypotheses that are gone on with: up to `K` in each of `N'` sentences, best first.

    Attributes:
        sentences: `(N',)`, which sentences are not done.
        alive: `(N', K)`, which slots have a hypothesis; in that order they are the model's rows.
        totals: `(N', K)`, log-probabilities, minus infinity of an empty slot.
        nodes: `(N', K)`, their last tokens in the trail.
    """

    sentences: Ints
    alive: Bools
    totals: Numbers
    nodes: Ints

    @property
    def rows(self) -> Ints:
        """`(N', K)`, the row of each; any where there is none."""
        return self.alive.cumsum().reshape(self.alive.shape) - 1


@dataclass(frozen=True)
class _Candidates:
    """The best continuations of each sentence, best first; all are `(N', C)`.

    Attributes:
        possible: whether there is one.
        total: the log-probability of the whole.
        token, value: the token, and its own log-probability.
        row, parent: the row and the node that it continues.
    """

    possible: Bools
    total: Numbers
    token: Ints
    value: Numbers
    row: Ints
    parent: Ints


def search_widely(
    rows: Rows, question: Question, answers: Answers, recorder: Recorder | None = None
) -> None:
    """Beam search over all sentences, for a beam of any width."""
    beam, sentences = question.options.beam, np.arange(len(rows.owners))
    slots = _Slots(
        sentences,
        np.ones((len(sentences), 1), np.bool_),
        np.zeros((len(sentences), 1)),
        np.full((len(sentences), 1), -1),
    )
    while len(slots.sentences):
        # One token more than the beam, since the end may be among them.
        values, tokens = rows.best(beam + 1)
        one = _candidates(slots, values, tokens, beam)
        near = one.possible & (one.total >= one.total[:, :1] - question.options.margin)
        ending = one.token == question.end
        done = near & ending & (np.arange(ending.shape[1]) < beam)
        going = near & ~ending
        going &= np.cumsum(going, axis=1) <= beam

        kept = going | done
        node = np.full(kept.shape, -1)
        node[kept] = rows.trail.add(
            one.parent[kept], one.token[kept], one.value[kept], one.row[kept]
        )
        owner = np.broadcast_to(slots.sentences[:, None], kept.shape)
        if done.any():
            scores = rows.scores(one.total[done], one.row[done])
            answers.finish(owner[done], node[done], one.total[done], scores)
        if recorder is not None:
            there = (one.possible, owner, one.parent, one.token, one.value, one.total)
            recorder.step(rows.step, *there, node, done)

        blocked = (values == -math.inf).all(axis=1)
        over = _over(slots, one, going, node, blocked, rows, question, answers)
        slots, choice = _next(slots, one, going, node, ~over)
        if len(slots.sentences):
            rows.select(one.row[~over][choice], one.token[~over][choice])


def _candidates(slots: _Slots, values: Numbers, tokens: Ints, beam: int) -> _Candidates:
    count, width = len(slots.sentences), tokens.shape[1]
    sums = np.full((*slots.alive.shape, width), -math.inf)
    sums[slots.alive] = values
    sums = (sums + slots.totals[:, :, None]).reshape(count, -1)
    # The better hypotheses come first, and so do the better tokens of each: a stable sort leaves
    # equals in the order of the rule. Among `2 * beam`, at most `beam` are the end.
    order = np.argsort(-sums, axis=1, kind="stable")[:, : 2 * beam]
    line = np.arange(count)[:, None]
    total = sums[line, order]
    slot, place = np.divmod(order, width)
    # An empty slot shows any row here; its candidates are not possible.
    row = slots.rows[line, slot]
    parent = slots.nodes[line, slot]
    return _Candidates(
        total > -math.inf, total, tokens[row, place], values[row, place], row, parent
    )


def _over(
    slots: _Slots,
    one: _Candidates,
    going: Bools,
    node: Ints,
    blocked: Bools,
    rows: Rows,
    question: Question,
    answers: Answers,
) -> Bools:
    """`(N',)`, which sentences are done; hypotheses of theirs that are wanted are cut here.

    `blocked` `(R,)` says which rows nothing may follow, not even the end.
    """
    limits, counts = question.limits[slots.sentences], answers.counts[slots.sentences]
    stuck = ~going.any(axis=1)
    last = ~stuck & (rows.step + 1 >= limits)
    wanting = counts < question.options.n_best
    if (wanting & last).any():
        sentence, place = (going & (wanting & last)[:, None]).nonzero()
        total, row = one.total[sentence, place], one.row[sentence, place]
        scores = rows.scores(total, row)
        answers.cut(slots.sentences[sentence], node[sentence, place], total, scores)
    if (wanting & stuck).any():
        unable = slots.alive & blocked[slots.rows]
        sentence, place = (unable & (wanting & stuck)[:, None]).nonzero()
        total = slots.totals[sentence, place]
        row = slots.rows[sentence, place]
        scores = rows.scores(total, row, stepped=False)
        answers.cut(slots.sentences[sentence], slots.nodes[sentence, place], total, scores)
    # A log-probability only falls, the length penalty only grows with the length, and no coverage
    # penalty is above 0: so no score that is still to come is above this one.
    best = np.where(going, one.total, -math.inf).max(axis=1)
    bound = best / length_penalty(limits, question.options.length_penalty)
    hopeless = bound <= answers.thresholds[slots.sentences]
    return stuck | last | hopeless | (counts >= question.options.beam)


def _next(
    slots: _Slots, one: _Candidates, going: Bools, node: Ints, on: Bools
) -> tuple[_Slots, tuple[Ints, Ints]]:
    """The slots of the sentences that go on, and the candidates in them, in the order of rows."""
    going = going[on]
    width = int(going.sum(axis=1).max(initial=0))
    places = np.argsort(~going, axis=1, kind="stable")[:, :width]
    line = np.arange(len(places))[:, None]
    alive = going[line, places]
    totals = np.where(alive, one.total[on][line, places], -math.inf)
    found = _Slots(slots.sentences[on], alive, totals, node[on][line, places])
    sentence, slot = alive.nonzero()
    return found, (sentence, places[sentence, slot])
