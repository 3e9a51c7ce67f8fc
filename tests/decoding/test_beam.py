"""Beam search finds what the plainest search finds, whatever else is in the batch."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from unrolled.decoding import BeamOptions, Hypothesis, LogProbabilities, search, search_with_record
from unrolled.errors import ConfigError

from .tables import BEGIN, END, Plain, Table, every_answer, plain_search

PENALTIES: list[dict[str, object]] = [
    {"length_penalty": 0.0},
    {"length_penalty": 0.6},
    {"length_penalty": 1.0},
    {"length_penalty": 3.0},
    {"length_penalty": "mean"},
    {"length_penalty": 1.0, "coverage_penalty": 0.4},
    {"length_penalty": 0.0, "coverage_penalty": 2.0},
]


def find(table: Table, options: BeamOptions, **more: object) -> list[list[Hypothesis]]:
    lengths = [table.sources[one] if table.sources else 0 for one, _ in table.rows]
    return search(table, begin=BEGIN, end=END, sentences=lengths, options=options, **more)  # type: ignore[arg-type]


def same(found: Sequence[Hypothesis], wanted: Sequence[Plain]) -> None:
    assert [one.tokens for one in found] == [one.tokens for one in wanted]
    assert [one.finished for one in found] == [one.finished for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert one.token_log_probabilities == pytest.approx(other.values, abs=0)
        assert one.log_probability == pytest.approx(math.fsum(other.values), abs=1e-9)
        assert one.score == pytest.approx(other.score, abs=1e-5)


OPTIONS = st.fixed_dictionaries(
    {
        "beam": st.integers(1, 5),
        "length_penalty": st.sampled_from([0.0, 0.5, 1.0, 2.5, "mean"]),
        "coverage_penalty": st.sampled_from([0.0, 0.0, 0.5]),
        "prune": st.sampled_from([None, None, 0.0, 0.7, 2.0]),
        "no_repeat": st.integers(0, 3),
        "max_length": st.one_of(
            st.integers(1, 8), st.tuples(st.sampled_from([0.5, 1.0, 1.5]), st.integers(0, 3))
        ),
        "min_length": st.integers(0, 4),
        "forbidden": st.sets(st.integers(2, 5), max_size=2).map(tuple),
    }
)


@settings(max_examples=150)
@given(
    raw=OPTIONS,
    n_best=st.integers(1, 5),
    vocabulary=st.integers(3, 7),
    levels=st.sampled_from([0, 0, 1, 2]),
    sources=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    data=st.data(),
)
def test_the_search_finds_what_the_plainest_search_without_a_bound_finds(
    raw: dict[str, object],
    n_best: int,
    vocabulary: int,
    levels: int,
    sources: list[int],
    data: st.DataObject,
) -> None:
    options = BeamOptions(**raw, n_best=min(n_best, raw["beam"]))  # type: ignore[arg-type, type-var]
    count = len(sources)
    limits = options.limits(torch.tensor(sources).numpy()).tolist()
    words = [token for token in range(vocabulary) if token != END]
    prefixes = [
        data.draw(st.lists(st.sampled_from(words), max_size=min(3, limit - 1))) for limit in limits
    ]
    table = Table(range(count), vocabulary, sources=sources, levels=levels)
    found = find(table, options, prefixes=prefixes)
    for sentence in range(count):
        wanted = plain_search(table, sentence, limits[sentence], options, prefixes[sentence])
        same(found[sentence], wanted)
        for one in found[sentence]:
            assert one.attention is not None
            looks = [
                table.attention(sentence, (BEGIN, *one.tokens[:place]), sources[sentence])
                for place in range(len(one.tokens))
            ]
            wanted_looks = torch.stack(looks) if looks else torch.zeros(0, sources[sentence])
            assert torch.equal(torch.from_numpy(one.attention), wanted_looks)


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_a_beam_as_wide_as_the_space_finds_the_best_of_all_sequences(
    penalty: dict[str, object],
) -> None:
    limit = 4
    options = BeamOptions(beam=300, n_best=300, max_length=limit, **penalty)  # type: ignore[arg-type]
    table = Table(range(3), 4, sources=[3, 1, 2])
    for sentence, found in enumerate(find(table, options)):
        every = every_answer(table, sentence, limit, options)
        ended = [one for one in found if one.finished]
        assert [one.tokens for one in ended] == [tokens for tokens, _ in every]
        assert [one.score for one in ended] == pytest.approx([score for _, score in every])


@pytest.mark.parametrize("penalty", PENALTIES, ids=str)
def test_the_one_best_of_the_widest_beam_is_the_best_though_the_search_ends_early(
    penalty: dict[str, object],
) -> None:
    options = BeamOptions(beam=300, max_length=4, **penalty)  # type: ignore[arg-type]
    table = Table(range(20), 4, sources=[2] * 20)
    found = find(table, options)
    for sentence, (best,) in enumerate(found):
        assert best.tokens == every_answer(table, sentence, 4, options)[0][0]


def test_a_search_ends_as_soon_as_nothing_can_overtake() -> None:
    class Sure(Table):
        def log_probabilities(self, sentence: int, tokens: tuple[int, ...]) -> Tensor:
            raw = torch.zeros(self.vocabulary)
            raw[END if len(tokens) == 3 else 2] = 30.0
            return raw.log_softmax(0)

    for alpha, steps in ((0.0, 3), (1.0, 3), ("mean", 3)):
        table = Sure([0], 10)
        options = BeamOptions(beam=4, length_penalty=alpha, max_length=50)  # type: ignore[arg-type]
        ((best,),) = find(table, options)
        assert best.tokens == (2, 2)
        assert table.steps == steps


@settings(max_examples=40)
@given(
    count=st.integers(2, 7),
    beam=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    levels=st.sampled_from([0, 2]),
    no_repeat=st.integers(0, 2),
)
def test_a_sentence_gets_the_same_answers_in_every_batch_and_order(
    count: int, beam: int, seed: int, levels: int, no_repeat: int
) -> None:
    draw = random.Random(seed)
    sources = [draw.randint(1, 5) for _ in range(count)]
    options = BeamOptions(
        beam=beam, n_best=beam, max_length=(1.5, 2), no_repeat=no_repeat, coverage_penalty=0.2
    )
    order = draw.sample(range(count), count)
    together = find(Table(range(count), 6, sources=sources, levels=levels), options)
    shuffled = find(
        Table(order, 6, sources=[sources[one] for one in order], levels=levels), options
    )
    for place, sentence in enumerate(order):
        alone = find(Table([sentence], 6, sources=[sources[sentence]], levels=levels), options)[0]
        for found in (together[sentence], shuffled[place]):
            assert [plain(one) for one in found] == [plain(one) for one in alone]


def plain(one: Hypothesis) -> tuple[object, ...]:
    """Everything, for an exact comparison."""
    attention = None if one.attention is None else one.attention.tolist()
    return (
        one.tokens,
        one.score,
        one.log_probability,
        one.token_log_probabilities,
        attention,
        one.finished,
    )


def test_greedy_takes_the_best_token_at_each_step() -> None:
    options = BeamOptions(beam=1, max_length=12)
    table = Table(range(30), 5)
    for sentence, (found,) in enumerate(find(table, options)):
        tokens: list[int] = []
        while len(tokens) < 12:
            scores = table.log_probabilities(sentence, (BEGIN, *tokens))
            tokens.append(int(scores.argmax()))
            if tokens[-1] == END:
                break
        assert found.finished == (tokens[-1] == END)
        assert list(found.tokens) == (tokens[:-1] if found.finished else tokens)


@settings(max_examples=60)
@given(raw=OPTIONS, seed=st.integers(0, 10**6), levels=st.sampled_from([0, 1]))
def test_greedy_and_a_beam_of_one_are_the_same(
    raw: dict[str, object], seed: int, levels: int
) -> None:
    options = BeamOptions(**{**raw, "beam": 1})  # type: ignore[arg-type]
    sentences = [seed, seed + 1, seed + 2]
    quick, wide = (Table(sentences, 6, sources=[1, 3, 4], levels=levels) for _ in range(2))
    wanted = search(quick, begin=BEGIN, end=END, sentences=[1, 3, 4], options=options)
    # With a record, a beam of 1 goes the way of the wider ones.
    found, _ = search_with_record(wide, begin=BEGIN, end=END, sentences=[1, 3, 4], options=options)
    for one, other in zip(found, wanted, strict=True):
        assert [plain(each) for each in one] == [plain(each) for each in other]
    assert quick.steps == wide.steps


@pytest.mark.parametrize("beam", [1, 3])
def test_rows_of_sentences_that_are_done_leave_the_model_at_once(beam: int) -> None:
    seen: list[set[int]] = []

    class Watched(Table):
        def step(self, tokens: Tensor) -> LogProbabilities:
            seen.append({one for one, _ in self.rows})
            return super().step(tokens)

    lengths = [1, 4, 2, 9]
    options = BeamOptions(beam=beam, n_best=beam, max_length=(1.0, 0), min_length=20)
    search(Watched(range(4), 7), begin=BEGIN, end=END, sentences=lengths, options=options)
    assert [len(each) for each in seen] == [4, 3, 2, 2, 1, 1, 1, 1, 1]


def test_pruning_saves_rows() -> None:
    rows = []
    for prune in (None, 1.0):
        table = Table(range(6), 8)
        find(table, BeamOptions(beam=6, max_length=8, min_length=8, prune=prune))
        rows.append(table.most_rows)
    assert rows[1] < rows[0] == 36


def test_no_row_is_spent_on_a_hypothesis_that_is_not_there() -> None:
    table = Table(range(3), 4, never=[2, 3])  # Only `BEGIN` and the end are possible.
    find(table, BeamOptions(beam=8, max_length=6))
    assert table.most_rows == 3


@settings(max_examples=60)
@given(raw=OPTIONS, seed=st.integers(0, 10**6))
def test_answers_are_sorted_and_no_two_are_equal(raw: dict[str, object], seed: int) -> None:
    options = BeamOptions(**raw, n_best=raw["beam"])  # type: ignore[arg-type]
    for found in find(Table([seed, seed + 1], 6, sources=[3, 4]), options):
        assert 1 <= len(found) <= options.n_best
        assert len({one.tokens for one in found}) == len(found)
        keys = [(one.finished, one.score) for one in found]
        assert keys == sorted(keys, reverse=True)


def test_fewer_answers_are_the_first_of_more() -> None:
    for count in range(1, 6):
        options = BeamOptions(beam=5, n_best=count, max_length=9)
        all_five = BeamOptions(beam=5, n_best=5, max_length=9)
        for few, many in zip(
            find(Table(range(12), 6), options), find(Table(range(12), 6), all_five), strict=True
        ):
            assert [one.tokens for one in few] == [one.tokens for one in many[:count]]


def test_of_equal_tokens_the_lower_wins_and_of_equal_parents_the_earlier() -> None:
    class Flat(Table):
        def log_probabilities(self, sentence: int, tokens: tuple[int, ...]) -> Tensor:
            return torch.full((self.vocabulary,), -math.log(self.vocabulary))

    options = BeamOptions(
        beam=3, n_best=3, max_length=2, forbidden=(BEGIN,), min_length=2, length_penalty=0.0
    )
    found = find(Flat([0], 9), options)[0]
    assert [one.tokens for one in found] == [(2, 2), (2, 3), (2, 4)]
    assert find(Flat([0], 9), BeamOptions(beam=1, max_length=1))[0][0].tokens == (0,)


@pytest.mark.parametrize("beam", [1, 3])
def test_a_model_may_write_into_the_same_memory_at_each_step(beam: int) -> None:
    class Reusing(Table):
        last: tuple[Tensor, ...] = ()

        def step(self, tokens: Tensor) -> LogProbabilities:
            for each in self.last:
                each.fill_(math.nan)
            scores = super().step(tokens)
            assert scores.attention is not None
            self.last = (scores.all(), scores.attention)
            return scores

    options = BeamOptions(beam=beam, n_best=beam, max_length=7, no_repeat=1, coverage_penalty=0.3)
    found, wanted = (
        find(kind(range(4), 6, sources=[3, 1, 2, 4]), options) for kind in (Reusing, Table)
    )
    for one, other in zip(found, wanted, strict=True):
        assert [plain(each) for each in one] == [plain(each) for each in other]


def test_a_model_whose_rows_stay_what_they_are_is_not_asked_to_select() -> None:
    class Watched(Table):
        def select(self, rows: Tensor) -> None:
            kept.append(rows.tolist())
            super().select(rows)

    kept: list[list[int]] = []
    lengths = [4, 9, 4]
    options = BeamOptions(beam=1, max_length=(1.0, 0), min_length=20)
    search(Watched(range(3), 7), begin=BEGIN, end=END, sentences=lengths, options=options)
    assert kept == [[1]]


def test_what_rounding_leaves_above_zero_counts_as_zero() -> None:
    class Sure(Table):
        def log_probabilities(self, sentence: int, tokens: tuple[int, ...]) -> Tensor:
            scores = torch.full((self.vocabulary,), -20.0)
            scores[END if len(tokens) == 4 else 2] = 1e-7
            return scores

    for beam in (1, 2):
        ((one,),) = find(Sure([0], 5), BeamOptions(beam=beam, max_length=9))
        assert one.token_log_probabilities == (0.0, 0.0, 0.0, 0.0)
        assert (one.log_probability, one.score) == (0.0, 0.0)


def test_no_sentence_gets_no_answer_and_asks_nothing() -> None:
    table = Table([], 5)
    for beam in (1, 4):
        assert search(table, begin=0, end=1, sentences=[], options=BeamOptions(beam=beam)) == []
    assert table.steps == 0


def test_a_count_of_sentences_is_enough_where_the_length_is_fixed() -> None:
    options = BeamOptions(beam=2, max_length=6)
    by_count = search(
        Table(range(3), 5, sources=[2, 2, 2]), begin=BEGIN, end=END, sentences=3, options=options
    )
    by_length = find(Table(range(3), 5, sources=[2, 2, 2]), options)
    for one, other in zip(by_count, by_length, strict=True):
        assert [plain(each) for each in one] == [plain(each) for each in other]


def test_the_attention_is_left_out_on_request() -> None:
    options = BeamOptions(beam=2, max_length=6, coverage_penalty=0.3, attention=False)
    assert find(Table([0], 5, sources=[2]), options)[0][0].attention is None


@pytest.mark.parametrize("beam", [1, 3])
@pytest.mark.parametrize("bad", [math.nan, math.inf, 0.5, None])
def test_scores_that_are_none_are_refused_with_their_place(beam: int, bad: float | None) -> None:
    class Broken(Table):
        def log_probabilities(self, sentence: int, tokens: tuple[int, ...]) -> Tensor:
            scores = super().log_probabilities(sentence, tokens)
            scores[END] = -math.inf
            if sentence == 7 and len(tokens) == 3:
                scores = torch.full_like(scores, -math.inf) if bad is None else scores
                scores[3] = -math.inf if bad is None else bad
            return scores

    with pytest.raises(ConfigError, match="scores of sentence 1 at step 2: the greatest is"):
        find(Broken([5, 7], 6), BeamOptions(beam=beam, max_length=9))


@pytest.mark.parametrize("beam", [1, 3])
def test_limits_of_the_sentences_stand_in_place_of_the_longest(beam: int) -> None:
    limits = [3, 1, 8, 5]
    options = BeamOptions(beam=beam, min_length=20, max_length=(2.0, 10))
    found = find(Table(range(4), 5), options, limits=limits)
    assert [len(one.tokens) for (one,) in found] == limits
    for limit, (one,), table in zip(limits, found, (Table([n], 5) for n in range(4)), strict=True):
        alone = BeamOptions(beam=beam, min_length=20, max_length=limit)
        # how many sources there are is enough
        ((other,),) = search(table, begin=BEGIN, end=END, sentences=1, options=alone)
        assert one.tokens == other.tokens


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"begin": -1}, "begin: got -1"),
        ({"end": "x"}, "end: got 'x'"),
        ({"sentences": [2, -1]}, "sentences: got"),
        ({"sentences": -3}, "sentences: got -3"),
        ({"sentences": 2}, "max_length: needs the length of each source"),
        ({"sentences": 2, "options": BeamOptions(max_length=5, coverage_penalty=1)}, "coverage_p"),
        ({"options": BeamOptions(coverage_penalty=0.5)}, "coverage_penalty: the model has no att"),
        ({"options": BeamOptions(forbidden=(END,))}, "forbidden: holds the end, 1"),
        ({"prefixes": [[2]]}, "prefixes: got 1 for 2 sentences"),
        ({"prefixes": [[2], [3, END]]}, "prefixes: got .* for sentence 1"),
        ({"prefixes": [[2] * 3, []], "options": BeamOptions(max_length=3)}, "raise max_length"),
        ({"prefixes": [[2] * 3, []], "limits": [3, 9]}, "prefixes: got 3 tokens for sentence 0"),
        ({"limits": [4]}, "limits: got 1 for 2 sentences"),
        ({"limits": [4, 0]}, "limits: got 0 for sentence 1"),
        ({"limits": [4.5, 4]}, r"limits: got 4\.5 for sentence 0"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_by_name(
    arguments: dict[str, object], words: str
) -> None:
    given = {"begin": BEGIN, "end": END, "sentences": [2, 3], **arguments}
    with pytest.raises(ConfigError, match=words):
        search(Table(range(2), 5), **given)  # type: ignore[arg-type]
