"""A corpus in parts: nothing twice, nothing lost, nothing read whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.corpus import Corpus
from unrolled.errors import DataError
from unrolled.tasks.generating.parts import part_of, split

DOCUMENTS = st.lists(st.text("ab \n", min_size=1, max_size=30).map(lambda s: s + "x"), min_size=1)


def texts(corpus: Corpus) -> list[str]:
    found: list[str] = []
    for begins, piece in corpus.stream(4):
        if begins:
            found.append("")
        found[-1] += piece
    return found


@given(documents=DOCUMENTS, cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_parts_by_character_join_to_the_text(
    documents: list[str], cuts: tuple[float, float]
) -> None:
    corpus = Corpus.of(documents)
    total = corpus.characters
    first, second = sorted(round(cut * total) for cut in cuts)
    whole = "\n".join(documents)
    for begin, end in ((0, first), (first, second), (second, total)):
        part = part_of(corpus, begin, end, whole_documents=False)
        # The line break between two documents is in no document.
        want = [one for one in _cut(documents, begin, end) if one.strip()]
        assert [one for one in texts_or_none(part) if one.strip()] == want
        assert sum(map(len, want)) <= end - begin
    assert len(whole) == total


@given(documents=DOCUMENTS, cuts=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_parts_by_document_have_each_document_once(
    documents: list[str], cuts: tuple[float, float]
) -> None:
    corpus = Corpus.of(documents)
    total = corpus.characters
    first, second = sorted(round(cut * total) for cut in cuts)
    found: list[str] = []
    for begin, end in ((0, first), (first, second), (second, total)):
        found += texts_or_none(part_of(corpus, begin, end, whole_documents=True))
    assert found == documents


def test_of_a_large_text_a_sample_is_tested_on_and_told(monkeypatch: object) -> None:
    from unrolled.tasks.generating import parts

    text = "".join(f"line {n}\n" for n in range(1000))
    whole = split(Corpus.of(text), 0.1, 0.05, "characters")
    cut = round(len(text) * 0.9)
    assert "".join(texts(whole.test)) == text[cut:]
    assert whole.choose is not None
    assert "".join(texts(whole.learn)) + "".join(texts(whole.choose)) == text[:cut]
    assert whole.held_out == "the last 10% of the text"
    all_of_it = split(Corpus.of(text), 0.1, 0, "characters")
    assert all_of_it.choose is None
    assert "".join(texts(all_of_it.learn)) == text[:cut]
    monkeypatch.setitem(parts.MOST_TO_TEST_ON, "characters", 100)  # type: ignore[attr-defined]
    sample = split(Corpus.of(text), 0.1, 0.05, "characters")
    assert "".join(texts(sample.test)) == text[cut : cut + 100]
    assert sample.held_out == "the first 100 characters of the last 10% of the text"


def texts_or_none(part: Corpus) -> list[str]:
    try:
        return texts(part)
    except DataError:
        return []


def _cut(documents: list[str], begin: int, end: int) -> list[str]:
    place, found = 0, []
    for number, document in enumerate(documents):
        place += number > 0
        found.append(document[max(0, begin - place) : max(0, end - place)])
        place += len(document)
    return found


@pytest.mark.parametrize(
    "lengths",
    [[3000] * 45, [50] * 45 + [2000], [2000] + [50] * 45],
    ids=["long ones", "a long last one", "a long first one"],
)
def test_every_part_of_many_documents_holds_some_and_no_more_than_is_scored(
    lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    from unrolled.tasks.generating import parts

    monkeypatch.setitem(parts.MOST_TO_CHOOSE_BY, "characters", 100)
    monkeypatch.setitem(parts.MOST_TO_TEST_ON, "characters", 200)
    documents = [chr(0x4E00 + number) * length for number, length in enumerate(lengths)]
    found = split(Corpus.of(documents), 0.1, 0.05, "characters")
    assert found.choose is not None
    learnt, chosen, tested = map(texts, (found.learn, found.choose, found.test))
    assert 20 <= sum(map(len, chosen)) <= 100
    assert 20 <= sum(map(len, tested)) <= 200
    if lengths[0] == lengths[-1]:
        assert not {*"".join(learnt)} & {*"".join(chosen)}
        assert not {*"".join(learnt + chosen)} & {*"".join(tested)}


def test_a_part_without_text_is_named() -> None:
    blank_end = split(Corpus.of("words " * 200 + "\n" * 300), 0.1, 0.05, "characters")
    with pytest.raises(DataError, match="the part of the text to test on: holds no text"):
        texts(blank_end.test)
