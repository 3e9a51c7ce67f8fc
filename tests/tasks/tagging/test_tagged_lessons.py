"""Batches of tagged sentences, and answers in their order."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.tasks.tagging import lessons
from unrolled.tasks.tagging.lessons import Sentences, TaggedBatches, numbers_of
from unrolled.tasks.tagging.parts import Part
from unrolled.tasks.tagging.word_forms import FORM, WORD, WordForms

WORDS = (("a", "b", "a"), ("b",), ("c", "a"), ("a", "a", "b", "c"))
TAGS = (("X", "Y", "X"), ("Y",), ("Y", "X"), ("X", "X", "Y", "Y"))


def test_a_batch_holds_the_numbers_of_its_words_and_their_tags() -> None:
    part = Part(WORDS, TAGS)
    forms = WordForms.learn(WORDS)
    sentences = Sentences.of(WORDS, forms)
    batches = TaggedBatches(sentences, numbers_of(part, ("X", "Y")), batch_size=2, seed=0)
    assert len(batches) == 2
    met = []
    for step in range(2):
        batch = batches[step]
        assert batch.targets is not None
        assert batch.lengths is not None
        for row, length in enumerate(batch.lengths.tolist()):
            words = tuple(
                forms.words[number - 1] for number in batch.inputs[:length, row, WORD].tolist()
            )
            tags = tuple("XY"[number] for number in batch.targets[:length, row].tolist())
            met.append((words, tags))
            assert (batch.inputs[length:, row] == 0).all()
            assert (batch.targets[length:, row] == -100).all()
            assert (batch.inputs[:length, row, FORM] > 0).all()
    assert sorted(met) == sorted(zip(WORDS, TAGS, strict=True))
    again = TaggedBatches(sentences, numbers_of(part, ("X", "Y")), batch_size=2, seed=0)
    assert torch.equal(again[1].inputs, batches[1].inputs)


@settings(max_examples=50)
@given(
    lengths=st.lists(st.integers(0, 3000), max_size=30),
    tags=st.sampled_from([1, 17, 500, 4000]),
)
def test_every_sentence_is_in_one_group_and_no_group_is_too_large(
    lengths: list[int], tags: int
) -> None:
    array = np.array(lengths, dtype=np.int64)
    groups = lessons._groups(array, tags)
    places = [int(place) for group in groups for place in group]
    assert sorted(places) == [place for place, length in enumerate(lengths) if length]
    for group in groups:
        padded = len(group) * int(array[group].max())
        assert len(group) == 1 or padded <= lessons._WORDS_AT_ONCE
        assert len(group) == 1 or len(group) * tags**2 <= lessons._PAIRS_AT_ONCE
