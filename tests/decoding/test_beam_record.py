"""The record of a search: a tree that holds the answers, in plain numbers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.decoding import BeamOptions, BeamRecord, Hypothesis, search, search_with_record

from .tables import BEGIN, END, Table


def recorded(
    seed: int, options: BeamOptions, count: int = 3, **more: object
) -> list[tuple[list[Hypothesis], BeamRecord]]:
    given_ = {"begin": BEGIN, "end": END, "sentences": [2] * count, "options": options, **more}
    table = Table(range(seed, seed + count), 7, sources=[2] * count)
    found, records = search_with_record(table, **given_)  # type: ignore[arg-type]
    return list(zip(found, records, strict=True))


OPTIONS = st.builds(
    lambda beam, n_best, **rest: BeamOptions(beam=beam, n_best=min(beam, n_best), **rest),
    beam=st.integers(1, 4),
    n_best=st.integers(1, 4),
    max_length=st.integers(1, 7),
    length_penalty=st.sampled_from([0.0, 1.0, "mean"]),
    coverage_penalty=st.sampled_from([0.0, 0.3]),
    no_repeat=st.integers(0, 1),
)


@settings(max_examples=60)
@given(options=OPTIONS, seed=st.integers(0, 10**6), most=st.sampled_from([1, 8, 2000]))
def test_the_record_holds_the_answers_whatever_its_bound(
    options: BeamOptions, seed: int, most: int
) -> None:
    for found, record in recorded(seed, options, most_nodes=most):
        ends = {rank: place for place, rank in enumerate(record.ranks) if rank >= 0}
        assert sorted(ends) == list(range(len(found)))
        longest = 0
        for rank, one in enumerate(found):
            path = record.path(ends[rank])
            tokens = tuple(record.tokens[place] for place in path)
            assert tokens == (*one.tokens, END) if one.finished else one.tokens
            assert tuple(record.log_p[place] for place in path) == one.token_log_probabilities
            assert record.sums[ends[rank]] == pytest.approx(one.log_probability, abs=1e-9)
            assert record.scores[ends[rank]] == one.score
            assert (record.fates[ends[rank]] == "finished") == one.finished
            longest += len(path)
        assert len(record) <= max(most, longest)
        assert (record.left_out == 0) or len(record) >= most


@settings(max_examples=60)
@given(options=OPTIONS, seed=st.integers(0, 10**6), most=st.sampled_from([1, 8, 2000]))
def test_the_record_is_a_tree(options: BeamOptions, seed: int, most: int) -> None:
    for _, record in recorded(seed, options, most_nodes=most):
        for place, parent in enumerate(record.parents):
            assert -1 <= parent < place
            assert record.steps[place] == (record.steps[parent] + 1 if parent >= 0 else 0)
            before = record.sums[parent] if parent >= 0 else 0.0
            assert record.sums[place] == pytest.approx(before + record.log_p[place], abs=1e-9)
            assert parent < 0 or record.fates[parent] == "kept"
        for step in set(record.steps):
            fates = [
                fate for fate, at in zip(record.fates, record.steps, strict=True) if at == step
            ]
            assert len(fates) <= 2 * record.width
            assert fates.count("kept") <= record.width
        ended = [score is not None for score in record.scores]
        for fate, end in zip(record.fates, ended, strict=True):
            assert end or fate != "finished"
            assert not end or fate != "pruned"


def test_to_record_changes_nothing() -> None:
    options = BeamOptions(beam=3, n_best=3, max_length=8)
    found = [answers for answers, _ in recorded(5, options)]
    wanted = search(
        Table(range(5, 8), 7, sources=[2] * 3),
        begin=BEGIN,
        end=END,
        sentences=[2] * 3,
        options=options,
    )
    for one, other in zip(found, wanted, strict=True):
        assert [(each.tokens, each.score) for each in one] == [
            (each.tokens, each.score) for each in other
        ]


def test_what_was_pruned_is_there_and_no_better_than_what_was_kept() -> None:
    ((_, record),) = recorded(3, BeamOptions(beam=2, max_length=5), count=1)
    assert "pruned" in record.fates
    words = [place for place, token in enumerate(record.tokens) if token != END]
    for place in words:
        if record.fates[place] == "pruned":
            for other in words:
                if record.steps[other] == record.steps[place] and record.fates[other] == "kept":
                    assert record.sums[other] >= record.sums[place]


def test_a_record_of_each_sentence_alone_is_that_in_the_batch() -> None:
    options = BeamOptions(beam=3, n_best=2, max_length=8)
    together = recorded(11, options, count=4)
    for place, (_, record) in enumerate(together):
        ((_, alone),) = recorded(11 + place, options, count=1)
        assert record == alone


def test_a_record_is_plain_json() -> None:
    ((_, record),) = recorded(3, BeamOptions(beam=2, max_length=5), count=1)
    read = json.loads(json.dumps(record.to_dict(), allow_nan=False))
    assert (
        BeamRecord(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in read.items()
            }
        )
        == record
    )


def test_without_sentences_there_are_no_records() -> None:
    given_ = {"begin": BEGIN, "end": END, "sentences": []}
    assert search_with_record(Table([], 7), **given_) == ([], [])  # type: ignore[arg-type]
