"""What may follow a hypothesis: the quick way and the whole one agree, and each rule holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled.decoding import BeamOptions, LogProbabilities, search
from unrolled.decoding.constraints import Allowed, Pairs, best_tokens, repeats
from unrolled.errors import ConfigError

from .tables import BEGIN, END, Table, score_of


class Shuffled(LogProbabilities):
    """Scores whose `top` leaves equals in the opposite order, and counts how it was asked."""

    def __init__(self, values: Tensor) -> None:
        super().__init__(values)
        self.values = values
        self.asked: list[str] = []

    def all(self) -> Tensor:
        self.asked.append("all")
        return self.values

    def top(self, k: int) -> tuple[Tensor, Tensor]:
        self.asked.append("top")
        found = self.values.flip(-1).sort(dim=-1, descending=True, stable=True)
        width = self.values.shape[-1]
        return found.values[:, :k], width - 1 - found.indices[:, :k]


@settings(max_examples=150)
@given(
    rows=st.integers(1, 5),
    vocabulary=st.integers(4, 40),
    count=st.integers(1, 6),
    levels=st.sampled_from([0, 1, 3]),
    forbidden=st.sets(st.integers(0, 45), max_size=25),
    data=st.data(),
)
def test_the_best_tokens_are_those_of_the_whole_vocabulary_sorted(
    rows: int, vocabulary: int, count: int, levels: int, forbidden: set[int], data: st.DataObject
) -> None:
    seed = data.draw(st.integers(0, 10**6))
    raw = torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed))
    if levels:
        raw = (raw * levels).round() / levels
    values = raw.log_softmax(-1)
    pair = st.tuples(st.integers(0, rows - 1), st.integers(0, vocabulary - 1))
    bans = sorted(data.draw(st.sets(pair, max_size=60)))
    banned = Pairs(*(np.array([one[i] for one in bans], np.int64) for i in (0, 1)))
    forced_rows = sorted(data.draw(st.sets(st.integers(0, rows - 1))))
    forced = Pairs(
        np.array(forced_rows, np.int64),
        np.array([data.draw(st.integers(0, vocabulary - 1)) for _ in forced_rows], np.int64),
    )
    before = values.clone()
    found, tokens = best_tokens(
        Shuffled(values), count, Allowed(tuple(forbidden), banned, forced), np.arange(rows), 0
    )
    assert torch.equal(values, before)
    for row in range(rows):
        if row in forced_rows:
            token = int(forced.tokens[forced_rows.index(row)])
            wanted = [(float(values[row, token]), token)]
        else:
            every = [
                (-float(values[row, token]), token)
                for token in range(vocabulary)
                if token not in forbidden and (row, token) not in bans
            ]
            wanted = [(-minus, token) for minus, token in sorted(every)[:count]]
        left = [
            (value, token)
            for value, token in zip(found[row].tolist(), tokens[row].tolist(), strict=True)
            if value > -math.inf
        ]
        assert left[: len(wanted)] == wanted
        assert row not in forced_rows or len(left) == 1


def test_the_whole_vocabulary_is_looked_at_only_where_it_must_be() -> None:
    values = torch.randn(3, 100, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    none = Pairs(np.empty(0, np.int64), np.empty(0, np.int64))
    few = Pairs(np.array([0, 2]), np.array([5, 6]))
    many = Pairs(np.zeros(40, np.int64), np.arange(40))
    for allowed, asked in (
        (Allowed((), none, none), ["top"]),
        (Allowed((0, 3), few, none), ["top"]),
        (Allowed((), many, none), ["top", "all"]),
        (Allowed((), none, few), ["top", "all"]),
        (Allowed(tuple(range(50)), none, none), ["all"]),
    ):
        scores = Shuffled(values)
        best_tokens(scores, 4, allowed, np.arange(3), 0)
        assert scores.asked == asked


class Narrow(Table):
    """A table that shows a search how many of its best tokens it may see at most."""

    def step(self, tokens: Tensor) -> LogProbabilities:
        return Shuffled(super().step(tokens).all())


@settings(max_examples=40)
@given(
    beam=st.integers(1, 4),
    levels=st.sampled_from([0, 1]),
    no_repeat=st.integers(0, 2),
    seed=st.integers(0, 10**6),
)
def test_in_which_order_a_model_gives_equals_changes_nothing(
    beam: int, levels: int, no_repeat: int, seed: int
) -> None:
    options = BeamOptions(beam=beam, n_best=beam, max_length=7, no_repeat=no_repeat)
    given_ = {"begin": BEGIN, "end": END, "sentences": 2, "options": options}
    one, other = (
        search(kind([seed, seed + 1], 8, levels=levels), **given_) for kind in (Table, Narrow)
    )
    for first, second in zip(one, other, strict=True):
        assert [(each.tokens, each.score) for each in first] == [
            (each.tokens, each.score) for each in second
        ]


@given(history=st.lists(st.integers(0, 3), max_size=12), n=st.integers(1, 4), row=st.integers(0, 2))
def test_a_token_is_a_repeat_where_it_closes_what_stood_there_before(
    history: list[int], n: int, row: int
) -> None:
    table = np.full((3, len(history)), -1) + np.arange(len(history)) * 100 + 1000
    table[row] = history
    rows, tokens = repeats(table, n)
    assert n == 1 or set(rows.tolist()) <= {row}
    tokens = tokens[rows == row]
    grams = {tuple(history[i : i + n]) for i in range(len(history) - n + 1)}
    for token in range(4):
        closed = (*history[len(history) - n + 1 :], token) if n > 1 else (token,)
        assert (token in tokens.tolist()) == (len(closed) == n and closed in grams)


@settings(max_examples=60)
@given(n=st.integers(1, 4), beam=st.integers(1, 4), seed=st.integers(0, 10**6))
def test_no_n_tokens_in_a_row_come_twice(n: int, beam: int, seed: int) -> None:
    options = BeamOptions(beam=beam, n_best=beam, no_repeat=n, max_length=14, min_length=10)
    for found in search(
        Table([seed, seed + 1], 5), begin=BEGIN, end=END, sentences=2, options=options
    ):
        for one in found:
            grams = [one.tokens[i : i + n] for i in range(len(one.tokens) - n + 1)]
            assert len(set(grams)) == len(grams)


@pytest.mark.parametrize("beam", [1, 3])
def test_answers_keep_to_their_own_limits(beam: int) -> None:
    lengths = list(range(1, 12))
    table = Table(lengths, 5)
    options = BeamOptions(beam=beam, n_best=beam, max_length=(0.5, 1.6), min_length=2)
    found = search(table, begin=BEGIN, end=END, sentences=lengths, options=options)
    for length, answers in zip(lengths, found, strict=True):
        limit = math.floor(0.5 * length + 1.6)
        for one in answers:
            assert len(one.tokens) + one.finished <= limit
            assert len(one.tokens) == limit or one.finished
            assert not one.finished or len(one.tokens) >= 2


@pytest.mark.parametrize("beam", [1, 2, 4])
def test_answers_begin_with_the_prefix_of_their_sentence(beam: int) -> None:
    prefixes = [[2, 2, 2], [], [BEGIN], [3, 2]]
    options = BeamOptions(
        beam=beam, n_best=beam, max_length=8, min_length=1, no_repeat=1, forbidden=(2, BEGIN)
    )
    table = Table(range(4), 9)
    found = search(table, begin=BEGIN, end=END, sentences=4, options=options, prefixes=prefixes)
    for sentence, (prefix, answers) in enumerate(zip(prefixes, found, strict=True)):
        for one in answers:
            assert list(one.tokens[: len(prefix)]) == prefix
            # The rules hold again behind it.
            rest = one.tokens[len(prefix) :]
            assert not {2, BEGIN} & set(rest)
            before = (BEGIN, *one.tokens)
            for place, value in enumerate(one.token_log_probabilities[: len(one.tokens)]):
                scores = table.log_probabilities(sentence, before[: place + 1])
                assert value == float(scores[one.tokens[place]])


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("token", [4, 99])
def test_a_prefix_that_the_model_holds_impossible_is_refused(beam: int, token: int) -> None:
    with pytest.raises(ConfigError, match=f"gives token {token}, at place 1 of sentence 1"):
        search(
            Table(range(2), 6, never=[4]),
            begin=BEGIN,
            end=END,
            sentences=2,
            options=BeamOptions(beam=beam, max_length=9),
            prefixes=[[2, 2, 2], [3, token]],
        )


@pytest.mark.parametrize("beam", [1, 3])
def test_where_nothing_may_follow_the_answer_is_cut(beam: int) -> None:
    options = BeamOptions(
        beam=beam, n_best=beam, max_length=9, no_repeat=1, min_length=9, coverage_penalty=0.3
    )
    table = Table([0], 4, sources=[5])
    (found,) = search(table, begin=BEGIN, end=END, sentences=[5], options=options)
    assert len(found) == beam
    for one in found:
        assert not one.finished
        assert sorted(one.tokens) == [0, 2, 3]
        wanted = score_of(table, 0, one.tokens, one.token_log_probabilities, options)
        assert one.score == pytest.approx(wanted, abs=1e-6)
    shut = BeamOptions(beam=beam, max_length=9, min_length=2, forbidden=(0, 2, 3))
    ((one,),) = search(Table([0], 4), begin=BEGIN, end=END, sentences=1, options=shut)
    assert (one.tokens, one.log_probability, one.score, one.finished) == ((), 0.0, 0.0, False)
