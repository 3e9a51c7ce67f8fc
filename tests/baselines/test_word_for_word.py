"""The rivals of a translator: what they say, and that a file keeps it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.baselines import CopySource, Ibm1, WordForWord
from unrolled.errors import DataError, ModelFileError, NotFittedError

LEXICON = {"ich": "I", "wir": "we", "das": "the", "ein": "a", "Haus": "house", "Buch": "book"}
LEXICON |= {"sehe": "see", "suche": "seek", "hier": "here", "heute": "today", ",": ",", ".": "."}


def _sentence(words: list[str]) -> str:
    text = " ".join(words).replace(" ,", ",").replace(" .", ".")
    return text[0].upper() + text[1:]


# Any word stands beside any other, so that all can be told apart.
_draws = np.random.default_rng(5)
ROWS = [_draws.choice(list(LEXICON), size=4, replace=False).tolist() for _ in range(80)]
SOURCES = [_sentence(row) for row in ROWS]
TARGETS = [_sentence([LEXICON[word] for word in row]) for row in ROWS]


@pytest.fixture(scope="module")
def rival() -> WordForWord:
    return WordForWord().fit(SOURCES, TARGETS)


def test_each_word_is_translated_in_its_place(rival: WordForWord) -> None:
    assert rival.translate(["Ich sehe das Haus."]) == ["I see the house."]
    assert rival.translate(["heute suche ein Buch, sehe hier das Haus"]) == [
        "today seek a book, see here the house"
    ]


def test_case_is_that_of_the_source_at_the_beginning_and_of_the_target_within(
    rival: WordForWord,
) -> None:
    # "I" stands with a capital inside a sentence; "the" has one only where a sentence begins.
    assert rival.translate(["hier sehe ich das Haus"]) == ["here see I the house"]
    assert rival.translate(["DAS HAUS SUCHE ICH"]) == ["The house seek I"]
    assert rival.translate(["das haus"]) == ["the house"]


def test_an_unknown_word_is_copied_as_it_is_written(rival: WordForWord) -> None:
    assert rival.translate(["Das Haus, 3.14 km von McDonald's!"]) == [
        "The house, 3.14 km von McDonald's!"
    ]
    assert rival.translate(["Blaukraut"]) == ["Blaukraut"]


def test_marks_stand_as_they_are_typed(rival: WordForWord) -> None:
    assert rival.translate(['Hier, "ich" (das Buch).']) == ['Here, "I" (the book).']


def test_nothing_is_translated_into_nothing(rival: WordForWord) -> None:
    assert rival.translate(["", "  "]) == ["", ""]
    assert rival.translate([]) == []


def test_a_translation_must_be_likely_from_both_sides() -> None:
    # "the" stands five times beside every word, so that from the source's side it is the likeliest.
    sources = [f"w{n}" for n in range(9)]
    targets = [f"the the the the the x{n}" for n in range(9)]
    forward = Ibm1().fit([[one] for one in sources], [one.split() for one in targets])
    assert [word for word, _ in forward.translations("w3", 2)] == ["the", "x3"]
    assert WordForWord().fit(sources, targets).translate(["w3 w5"]) == ["x3 x5"]


def test_the_capital_of_a_sentence_is_not_that_of_its_first_word() -> None:
    sources, targets = ["hier ist"] * 9 + ["da hier"], ["Here is"] * 9 + ["There here"]
    assert WordForWord().fit(sources, targets).translate(["hier, da"]) == ["here, There"]


def test_a_translation_is_spelled_as_it_mostly_is() -> None:
    sources = ["so nasa"] * 2 + ["so nasa"] * 5 + ["so nasa"] * 3 + ["so"] * 5
    targets = ["so nasa"] * 2 + ["so NASA"] * 5 + ["so Nasa"] * 3 + ["so"] * 5
    assert WordForWord().fit(sources, targets).translate(["nasa"]) == ["NASA"]


def test_of_many_words_the_most_frequent_are_kept() -> None:
    few = WordForWord(most=2).fit(["ist", "ist", "gut", "ist gut so"], ["is", "is", "so", "is so"])
    assert few.translate(["ist gut so"]) == ["is so so"]
    fewer = WordForWord(most=1).fit(["ist", "ist", "gut"], ["is", "is", "good"])
    assert fewer.translate(["ist gut"]) == ["is gut"]


def test_it_says_of_how_many_pairs_it_learnt(rival: WordForWord) -> None:
    assert rival.learnt_from == len(SOURCES)
    assert 0 < WordForWord(sample=60).fit(SOURCES, TARGETS).learnt_from < len(SOURCES)


def test_what_is_kept_in_a_file_says_the_same(rival: WordForWord) -> None:
    kept = WordForWord.from_arrays(rival.to_arrays())
    assert kept.translate([*SOURCES, "Neu."]) == rival.translate([*SOURCES, "Neu."])
    assert kept.learnt_from == rival.learnt_from


def test_learning_twice_gives_the_same_dictionary(rival: WordForWord) -> None:
    again = WordForWord().fit(SOURCES, TARGETS).to_arrays()
    for name, array in rival.to_arrays().items():
        assert np.array_equal(array, again[name])


@pytest.mark.parametrize(
    ("sources", "targets", "told"),
    [
        (["a"], [], "1 sources and 0 targets"),
        ([""], ["a"], "sources hold no word"),
        (["a"], [" "], "targets hold no word"),
        ([], [], "no word"),
    ],
)
def test_pairs_that_are_none_are_told(sources: list[str], targets: list[str], told: str) -> None:
    with pytest.raises(DataError, match=told):
        WordForWord().fit(sources, targets)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("learnt_from", np.array([1, 2])),
        ("learnt_from", np.array([0.5])),
        ("translations_offsets", np.array([0])),
        ("words_bytes", np.zeros(2)),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(
    rival: WordForWord, name: str, array: Any
) -> None:
    with pytest.raises(ModelFileError, match="WordForWord"):
        WordForWord.from_arrays({**rival.to_arrays(), name: array})


def test_dictionaries_of_different_lengths_are_refused(rival: WordForWord) -> None:
    arrays, fewer = rival.to_arrays(), WordForWord(most=2).fit(SOURCES, TARGETS).to_arrays()
    names = ("translations_bytes", "translations_offsets")
    with pytest.raises(ModelFileError, match="WordForWord"):
        WordForWord.from_arrays(arrays | {name: fewer[name] for name in names})


def test_before_fit_nothing_is_known() -> None:
    for ask in (WordForWord().to_arrays, lambda: WordForWord().translate(["a"])):
        with pytest.raises(NotFittedError, match="call fit"):
            ask()


def test_copying_says_the_source_again_and_needs_no_arrays() -> None:
    assert CopySource().translate(["Das Haus.", ""]) == ["Das Haus.", ""]
    assert CopySource().to_arrays() == {}
    assert CopySource.from_arrays({}).translate(["a"]) == ["a"]
