"""The doctor of texts: it finds what was planted, and is quiet where nothing was."""

from __future__ import annotations

import json
import random

import pytest

from unrolled.data import catalog, examine_texts, read_labelled, read_tagged
from unrolled.data.doctor_checkup import Checkup, DataFinding
from unrolled.errors import ConfigError

WORDS = [f"{one}{two}" for one in "bdfgklmnprst" for two in ("a", "e", "in", "or", "us", "ili")]


def texts_of(count: int, seed: int = 0) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(8, 20))) for _ in range(count)]


def labelled(count: int = 200, names: tuple[str, ...] = ("good", "bad")) -> tuple[list, list]:
    return texts_of(count), [names[place % len(names)] for place in range(count)]


def only(checkup: Checkup, kind: str) -> DataFinding:
    """The one finding, which must be of this kind."""
    assert [one.kind for one in checkup] == [kind], str(checkup)
    return checkup.findings[0]


def test_sound_texts_get_one_plain_line():
    checkup = examine_texts(labelled(), test=(texts_of(50, seed=1), ["good", "bad"] * 25))
    assert str(checkup) == "200 texts with 2 labels: nothing to report"


def test_a_text_that_stands_again_is_counted_and_shown():
    texts, labels = labelled()
    texts[4] = "  " + texts[2].upper().replace(" ", "\n")
    found = only(examine_texts((texts, labels)), "duplicate")
    assert found.text.startswith("1 of 200 (0.5%) texts stand a second time")
    assert found.time == "text 2"
    assert found.severity == "note"


def test_many_duplicates_are_a_warning():
    texts, labels = labelled()
    texts[100:120] = texts[:20]
    assert only(examine_texts((texts, labels)), "duplicate").severity == "warning"


def test_the_same_text_with_other_labels_says_how_many_cannot_be_right():
    texts, labels = labelled()
    texts[1] = texts[3] = texts[0]
    checkup = examine_texts((texts, labels))
    assert [one.kind for one in checkup] == ["contradiction", "duplicate"]
    found = checkup.findings[0]
    # one of the three is "good", two are "bad"
    assert "with 'good' and 'bad': at least 1 of 200" in found.text
    assert found.severity == "note"
    texts[:100] = [texts[0]] * 100
    assert examine_texts((texts, labels)).warnings[0].kind == "contradiction"


def test_a_text_of_the_test_that_stands_in_the_training_is_found():
    test = texts_of(50, seed=1)
    test[7] = labelled()[0][3]
    found = only(examine_texts(labelled(), test=test), "across splits")
    assert found.severity == "warning"
    assert found.time == "text 7 of the test"
    assert "1 of 50 (2%)" in found.text


def test_a_text_of_the_validation_that_stands_in_the_training_is_found():
    chosen_by = texts_of(50, seed=1)
    chosen_by[7] = labelled()[0][3]
    found = only(examine_texts(labelled(), texts_of(50, seed=2), chosen_by), "across splits")
    assert found.severity == "warning"
    assert found.time == "text 7 of the validation"
    assert "learnt by heart for 2% of it" in found.done
    both = examine_texts(labelled(), test=chosen_by, validation=chosen_by)
    assert [one.kind for one in both].count("across splits") == 2


def test_rows_left_out_are_told():
    texts, labels = labelled()
    texts[0], labels[1] = "", None
    kinds = {one.kind: one for one in examine_texts((texts, labels))}
    assert "1 of 200 (0.5%) rows have no text" in kinds["empty"].text
    assert "1 of 200" in kinds["unlabelled"].text


def test_one_label_is_a_warning():
    found = only(examine_texts(labelled(names=("good",))), "one label")
    assert found.severity == "warning"
    assert "'good'" in found.text


def test_unequal_labels_are_told_with_their_ratio():
    texts, labels = labelled()
    labels = ["common"] * 185 + ["rare"] * 15
    found = only(examine_texts((texts, labels)), "imbalance")
    assert "'common' has 185 texts (92.5%), 'rare' 15: 12 times as many" in found.text
    assert found.severity == "note"
    labels = ["common"] * 195 + ["rare"] * 5
    kinds = [(one.kind, one.severity) for one in examine_texts((texts, labels))]
    assert kinds == [("imbalance", "warning"), ("few examples", "warning")]


def test_a_label_that_only_the_test_has_is_told():
    test = (texts_of(2, seed=1), ["good", "god"])
    found = only(examine_texts(labelled(), test=test), "unseen")
    assert "1 label of the test never occurs in the training: 'god'" in found.text


def test_a_wrong_encoding_is_shown_with_what_it_likely_was():
    texts, labels = labelled()
    for place in range(20, 30):
        texts[place] += " cafÃ© don't"
    found = only(examine_texts((texts, labels)), "encoding")
    assert found.severity == "warning"
    assert found.time == "text 20"
    assert "10 of 200" in found.text
    assert "'cafÃ©', likely 'café'" in found.text


def test_control_characters_and_lost_ones_are_told():
    texts, labels = labelled()
    texts[1] += " a\x96b"
    texts[2] += " c\ufffdd"
    found = examine_texts((texts, labels)).findings
    assert [one.kind for one in found] == ["encoding", "encoding"]
    assert "'a\\x96b', likely 'a\u2013b'" in found[0].text
    assert "lost" in found[1].text


def test_a_text_far_longer_than_the_others_is_told():
    texts, labels = labelled()
    texts[5] = " ".join(texts_of(60, seed=2))
    found = only(examine_texts((texts, labels)), "long")
    assert found.time == "text 5"
    assert f"{len(texts[5].split())} words" in found.text


def test_long_texts_among_long_ones_are_nothing_to_tell():
    texts = [" ".join(texts_of(20, seed)) for seed in range(20)]
    assert len(examine_texts((texts, ["good", "bad"] * 10))) == 0


@pytest.mark.parametrize(
    ("plant", "told"),
    [
        (lambda text, label: f"{text} {label}", "its own name stands in 100% of its texts"),
        (lambda text, label: f"{text} {'#1a' if label == 'good' else ''}", "the word '1a'"),
        (lambda text, label: f"Label: {label}. {text}", "say their label, such as 'Label: good'"),
        (lambda text, label: f"{text} score={label == 'good'}", "'score=True'"),
        (
            lambda text, label: f"{text} {len(text) % 4 + (6 if label == 'good' else 1)}/10",
            "hold a rating",
        ),
    ],
)
def test_a_word_that_gives_the_label_away_is_a_warning(plant, told):
    texts, labels = labelled(400)
    texts = [plant(text, label) for text, label in zip(texts, labels, strict=True)]
    checkup = examine_texts((texts, labels))
    assert any(told in one.text for one in checkup.warnings), str(checkup)
    assert {one.kind for one in checkup} == {"leak"}


def test_words_that_only_lean_to_a_label_are_no_leak():
    texts, labels = labelled(400)
    draw = random.Random(3)
    for place, label in enumerate(labels):
        if draw.random() < (0.7 if label == "good" else 0.1):
            texts[place] += " great"
        if draw.random() < 0.3:
            texts[place] += f" {draw.randint(1, 10)}/10 score: {draw.randint(1, 5)}"
    assert len(examine_texts((texts, labels))) == 0


def test_what_is_said_of_a_text_and_is_often_wrong_is_no_leak():
    texts, labels = labelled(400)
    for place in range(400):
        said = labels[place] if place % 9 else labels[place - 1]
        texts[place] += f" score: {'five' if said == 'good' else 'one'}"
    assert len(examine_texts((texts, labels))) == 0


def test_labels_whose_texts_have_other_words_altogether_get_a_note():
    one, two = texts_of(200), texts_of(200, seed=1)
    two = [" ".join("x" + word for word in text.split() if word > "l") for text in two]
    two = [text + " the" for text in two]
    checkup = examine_texts((one + two, ["a"] * 200 + ["b"] * 200))
    assert only(checkup, "leak").severity == "note"
    assert checkup.findings[0].column == "b"


def test_the_leak_of_one_of_several_labels_is_named():
    texts = texts_of(200)
    labels = [("a",) if place % 2 else ("a", "b") if place % 3 else () for place in range(200)]
    texts = [text + (" zzz" if "b" in its else "") for text, its in zip(texts, labels, strict=True)]
    checkup = examine_texts((texts, labels))
    assert [(one.kind, one.column) for one in checkup] == [("leak", "b")]
    assert "the word 'zzz' stands in 100% of its texts and in 0% of the others" in str(checkup)


def test_texts_without_labels_are_looked_through_too():
    texts = texts_of(100)
    texts[3] = texts[1]
    assert str(examine_texts(texts)).startswith("100 texts without labels\nnote: duplicate")


def test_a_checkup_survives_json():
    texts, labels = labelled()
    texts[0] = texts[1]
    checkup = examine_texts((texts, labels))
    assert Checkup.from_dict(json.loads(json.dumps(checkup.to_dict()))) == checkup
    assert "series" not in str(checkup)


def sentences(count: int = 60) -> tuple[list, list]:
    words = [text.split() for text in texts_of(count)]
    return words, [["B-X", "I-X", *["O"] * (len(one) - 3), "B-Y"] for one in words]


def test_sound_sentences_get_one_plain_line():
    assert "nothing to report" in str(examine_texts(read_tagged(sentences())))


def test_tags_that_cannot_follow_are_told_with_their_scheme():
    words, tags = sentences()
    tags[3][1:3] = ["O", "I-X"]
    found = only(examine_texts(read_tagged((words, tags))), "tags")
    assert "1 tag can't follow the one before in BIO, such as 'I-X' after O" in found.text
    assert found.time == "sentence 3"


def test_a_tag_seen_once_is_told():
    words, tags = sentences()
    tags[5][-1] = "B-Z"
    assert "'B-Z'" in only(examine_texts(read_tagged((words, tags))), "few examples").text


def test_the_same_sentence_with_other_tags_shows_the_word():
    words, tags = sentences()
    words[1], tags[1] = words[0], list(tags[0])
    tags[1][-1] = "O"
    checkup = examine_texts(read_tagged((words, tags)))
    assert f"with 'B-Y' and 'O' for {words[0][-1]!r}" in checkup.findings[0].text


def test_missing_and_superfluous_blank_lines_are_suspected():
    words = [[one] for text in texts_of(20) for one in text.split()]
    tags = [["N" if place % 2 else "V"] for place in range(len(words))]
    found = only(examine_texts(read_tagged((words, tags))), "tags")
    assert "sentences are one word" in found.text
    joined = read_tagged(([[w for (w,) in words] * 6], [[t for (t,) in tags] * 6]))
    assert "blank lines between sentences are missing" in only(examine_texts(joined), "tags").done


def test_one_tag_and_tags_of_the_test_alone_are_warnings():
    words, _ = sentences()
    one = read_tagged((words, [["N"] * len(its) for its in words]))
    assert only(examine_texts(one), "one label").severity == "warning"
    words, tags = sentences()
    test = read_tagged(([["new"]], [["B-Q"]]))
    found = only(examine_texts(read_tagged((words, tags)), test=test), "unseen")
    assert "'B-Q'" in found.text


class Pieces:
    """A corpus: its text in parts."""

    def __init__(self, text: str) -> None:
        self.text = text

    def pieces(self, size: int = 100):
        for start in range(0, len(self.text), size):
            yield self.text[start : start + size]


def test_a_corpus_is_looked_through_by_lines():
    lines = [f"{one} {two}" for one, two in zip(texts_of(100), texts_of(100, 1), strict=True)]
    lines[3] += " cafÃ©"
    lines[50] = lines[10]
    checkup = examine_texts(Pieces("\n".join(lines)), test=Pieces(lines[20] + "\nnew"))
    assert checkup.about.startswith("100 lines of ")
    kinds = {one.kind: one for one in checkup}
    assert set(kinds) == {"encoding", "duplicate", "across splits"}
    assert kinds["encoding"].time == "line 3"


def test_a_test_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match="expected TaggedSentences"):
        examine_texts(read_tagged(sentences()), test=labelled())
    with pytest.raises(ConfigError, match="validation is tuple, expected TaggedSentences"):
        examine_texts(read_tagged(sentences()), validation=labelled())
    with pytest.raises(ConfigError, match="validation: a corpus is chosen by its own end"):
        examine_texts(Pieces("a"), validation=Pieces("a"))
    with pytest.raises(ConfigError, match="expected a corpus"):
        examine_texts(Pieces("a"), test=labelled())


@pytest.mark.data
@pytest.mark.parametrize(("name", "test"), [("mr", None), ("ud-ewt-train", "ud-ewt-test")])
def test_sound_public_sets_give_no_warning(name, test):
    if catalog.find(name) is None:
        pytest.skip(f"{name} is not in UNROLLED_DATA")
    data = catalog.load(name, download=False)
    checkup = examine_texts(data, None if test is None else catalog.load(test, download=False))
    assert checkup.warnings == (), str(checkup)


@pytest.mark.data
def test_of_surnames_it_is_told_that_one_name_is_of_several_languages():
    if catalog.find("names") is None:
        pytest.skip("names is not in UNROLLED_DATA")
    kinds = [one.kind for one in examine_texts(catalog.load("names", download=False))]
    assert kinds == ["contradiction", "duplicate", "imbalance"]


def test_reading_again_gives_the_same_checkup():
    data = read_labelled(labelled())
    assert examine_texts(data) == examine_texts(data)
