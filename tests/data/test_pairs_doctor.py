"""The doctor of pairs: it finds what was planted with its lines, and is quiet where nothing was."""

from __future__ import annotations

import json
import random
import unicodedata

import pytest

from unrolled.data import catalog, examine_pairs, read_pairs
from unrolled.data.doctor_checkup import Checkup, DataFinding
from unrolled.data.pairs_doctor_sides import script_of

SYLLABLES = ("a", "e", "in", "or", "us", "ili")
OWN = [f"{one}{two}" for one in "bdfgklmnprst" for two in SYLLABLES]
OTHER = [f"{two}{one}{two}" for one in "vwxyzqh" for two in SYLLABLES]


def sound(count: int = 300, seed: int = 0) -> list[tuple[str, str]]:
    """Pairs in two made-up languages, of which a target has about as many words as its source."""
    draw = random.Random(seed)
    pairs = []
    for _ in range(count):
        size = draw.randint(4, 14)
        source, target = draw.choices(OWN, k=size), draw.choices(OTHER, k=size)
        pairs.append((" ".join(source) + ".", " ".join(target) + "."))
    return pairs


def cyrillic(text: str) -> str:
    return "".join(chr(0x430 + ord(one) % 32) if one.isalpha() else one for one in text)


def examined(tmp_path, rows, **apart) -> Checkup:
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{a}\t{b}\n" for a, b in rows), "utf-8", newline="\n")
    return examine_pairs(path, **apart)


def only(checkup: Checkup, kind: str) -> DataFinding:
    """The one finding, which must be of this kind."""
    assert [one.kind for one in checkup] == [kind], str(checkup)
    return checkup.findings[0]


def test_sound_pairs_get_one_plain_line():
    checkup = examine_pairs(sound(), test=sound(50, seed=1), validation=sound(50, seed=2))
    assert str(checkup) == "300 pairs of sentences: nothing to report"


def test_empty_sides_are_told_with_their_lines(tmp_path):
    rows = sound()
    rows[4:4] = [("", "x y"), ("", "")]
    rows[9] = ("a b", " ")
    found = only(examined(tmp_path, rows), "empty")
    assert "2 of 301 (0.66%) pairs have one empty side: lines 5, 10" in found.text
    assert (found.done, found.severity) == ("left out", "note")
    assert only(examine_pairs([*sound(20), ("a", "")]), "empty").severity == "warning"
    assert "row 20" in examine_pairs([*sound(20), ("a", "")]).findings[0].text


def test_identical_sides_are_told_and_many_are_a_warning(tmp_path):
    rows = sound()
    rows[7] = ("Tom Miller", "Tom Miller")
    rows[8] = ("12:30", "12:30")
    found = only(examined(tmp_path, rows), "identical")
    assert found.time == "line 8"
    assert "1 of 300 (0.33%) pairs have the same text on both sides, such as 'Tom Miller'" in (
        found.text
    )
    assert found.severity == "note"
    rows[20:60] = [(f"Name {n}", f"Name {n}") for n in range(40)]
    assert "identical" in {one.kind for one in examined(tmp_path, rows).warnings}


def test_a_ratio_far_from_the_usual_is_told_with_its_line(tmp_path):
    rows = sound()
    rows[41] = (rows[41][0], rows[41][1] + " " + " ".join(OTHER))
    rows[17] = (" ".join(OWN[:30]), "vav.")
    found = only(examined(tmp_path, rows), "length ratio")
    assert "2 of 300 (0.67%)" in found.text
    assert "lines 18, 42" in found.text
    assert found.time == "line 18"
    # where the target is always four times as long nothing is unusual
    long = [(a, " ".join([b] * 4)) for a, b in sound()]
    assert not list(examine_pairs(long))
    assert not list(examine_pairs([*sound(), ("So.", OTHER[0] + OTHER[1])]))


def test_lines_that_do_not_belong_together_are_told(tmp_path):
    sources, targets = zip(*sound(), strict=True)
    shifted = examine_pairs((sources[1:], targets[:-1]))
    assert only(shifted, "misaligned").severity == "warning"
    # targets of one length, as dates have, say nothing
    assert not list(
        examine_pairs((sources, [f"2024-01-{n % 28 + 1:02}" for n in range(300)][::-1]))
    )


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Größe, naïve Œuvre", "Latin"),
        ("Привет, Tom!", "Cyrillic"),
        ("漢字とかな", "Chinese or Japanese"),
        ("カタカナ", "Chinese or Japanese"),
        ("안녕", "Hangul"),
        ("Γειά", "Greek"),
        ("12:30; ok?", "Latin"),
        ("12:30; ?", None),
        (unicodedata.normalize("NFD", "é è"), "Latin"),
    ],
)
def test_the_script_of_most_letters_is_known(text, script):
    assert script_of(text) == script


def test_another_script_and_swapped_sides_are_told_with_their_lines(tmp_path):
    rows = [(a, cyrillic(b)) for a, b in sound()]
    assert not list(examine_pairs(rows))
    rows[3] = rows[3][::-1]
    rows[5] = (rows[5][0], rows[5][0] + " no")
    rows[6] = (rows[6][0], "漢字" * 10)
    rows[8] = ("12:30", "7")
    checkup = examined(tmp_path, rows)
    assert [one.kind for one in checkup] == ["language", "language"], str(checkup)
    swapped, other = checkup.findings
    assert "1 of 300 (0.33%) pairs have their sides swapped: line 4, such as" in swapped.text
    assert "2 of 300 (0.67%) target sentences are not in Cyrillic script but in" in other.text
    assert "lines 6, 7" in other.text
    assert swapped.severity == other.severity == "note"
    rows[50:80] = [(b, a) for a, b in rows[50:80]]
    assert "31 of 300" in examined(tmp_path, rows).warnings[0].text


def test_swapped_sides_of_one_script_are_told_by_their_words(tmp_path):
    rows = sound()
    rows[30] = rows[30][::-1]
    rows[60] = (rows[60][0], rows[61][0])
    checkup = examined(tmp_path, rows)
    assert [one.kind for one in checkup] == ["language", "language"], str(checkup)
    assert "swapped: line 31" in checkup.findings[0].text
    assert "1 of 300 (0.33%) target sentences are in the words of the source side: line 61" in (
        checkup.findings[1].text
    )


def test_words_that_no_other_pair_has_say_nothing_of_the_language():
    rows = [(f"aa{n} bb{n} cc{n} dd{n}", f"ee{n} ff{n} gg{n} hh{n}") for n in range(100)]
    assert not list(examine_pairs(rows))
    assert not list(examine_pairs([("?", "!"), ("1", "2")]))
    # nor does what stands in the other side of the same pair
    own = ("jaja jaja jojo jojo juju juju!", "jaja jaja jojo jojo juju juju?")
    assert not list(examine_pairs([*sound(), own]))


def test_a_sentence_does_not_speak_for_its_own_side():
    rows = sound()
    for place in (10, 11):
        rows[place] = (rows[place][0], "jaja jojo juju jiji " + rows[place][1])
    rows[60] = ("jaja jojo juju jiji.", " ".join(OWN[:4]) + ".")
    assert "swapped: pair 60" in only(examine_pairs(rows), "language").text


def test_a_pair_again_and_a_source_with_several_targets_are_told(tmp_path):
    rows = sound()
    rows[10] = (rows[2][0].upper(), "  " + rows[2][1])
    rows[20] = (rows[3][0], rows[20][1])
    duplicate, several = examined(tmp_path, rows)
    assert (duplicate.kind, duplicate.time) == ("duplicate", "line 3")
    assert duplicate.text.startswith("1 of 300 (0.33%) pairs stand a second time")
    assert (several.kind, several.time) == ("several targets", "line 4")
    assert several.text.startswith("1 of 298 (0.34%) different sources have several translations")
    assert "has 2" in several.text
    rows[100:120] = rows[:20]
    assert examined(tmp_path, rows).warnings[0].kind == "duplicate"


@pytest.mark.parametrize("part", ["test", "validation"])
def test_what_a_part_shares_with_the_training_is_told_by_side(part):
    train, held_out = sound(), sound(100, seed=1)
    held_out[3] = tuple(one.upper() for one in train[5])
    held_out[7] = (train[6][0], held_out[7][1])
    held_out[8] = (train[9][0], held_out[8][1])
    found = [one for one in examine_pairs(train, **{part: held_out}) if one.kind == "across splits"]
    assert [(one.text[: one.text.index("stand")], one.severity, one.time) for one in found] == [
        (f"3 of 100 (3%) source sentences of the {part} ", "warning", f"pair 3 of the {part}"),
    ]
    assert " in the training too (and 1 pair), such as " in found[0].text
    held_out[9] = (held_out[9][0], train[0][1])
    checkup = examine_pairs(train, **{part: held_out})
    assert sum(" too (and 1 pair, 2 target sentences), " in one.text for one in checkup) == 1
    assert checkup.warnings[0].kind == "across splits"


@pytest.mark.parametrize("part", ["test", "validation"])
def test_what_is_held_out_and_is_the_training_is_called_so_once(part):
    train = sound()
    found = only(examine_pairs(train, **{part: train}), "across splits")
    assert found.text == f"the {part} is the training: all 300 pairs of it stand there too"
    assert found.severity == "warning"
    assert found.done.endswith(f"; give a {part} of other pairs")
    some = only(examine_pairs(train, **{part: train[:20]}), "across splits")
    assert some.text == f"the {part} is a part of the training: all 20 pairs of it stand there too"


def test_damage_by_encodings_and_odd_characters_are_told_with_their_lines(tmp_path):
    rows = sound()
    rows[11] = (rows[11][0] + " cafÃ©", rows[11][1])
    rows[12] = (rows[12][0], rows[12][1] + "\u200b\u00ad")
    rows[13] = ("<b>" + rows[13][0], rows[13][1] + " &amp; &#39;x&#39;")
    rows[14] = (rows[14][0] + " AT&T a < b", rows[14][1] + " نمی\u200cشود 👩\u200d🚀")
    checkup = examined(tmp_path, rows)
    told = [(one.kind, one.time) for one in checkup if one.kind != "language"]
    assert told[0] == ("encoding", "line 12")
    assert sorted(told[1:]) == [
        ("characters", "line 13"), ("characters", "line 14"), ("characters", "line 14"),
    ]  # fmt: skip
    texts = " ".join(one.text for one in checkup)
    assert "'cafÃ©', likely 'café'" in texts
    assert "U+200B zero width space, U+00AD soft hyphen" in texts
    assert "(&#39;, &amp;)" in texts


def test_very_long_sentences_are_told(tmp_path):
    rows = sound()
    rows[5] = (" ".join(OWN * 2), " ".join((OTHER * 4)[:144]))
    rows[6] = ("漢" * 600, " ".join((OTHER * 2)[:70]))
    checkup = examined(tmp_path, rows)
    long = [one for one in checkup if one.kind == "long"]
    assert "2 of 300 (0.67%) source sentences" in long[0].text
    assert "lines 6, 7" in long[0].text
    assert "1 of 300" in long[1].text
    assert long[1].time == "line 6"


def test_a_checkup_of_pairs_is_the_same_after_json(tmp_path):
    rows = [("a b c", ""), *sound(), *sound()[:30]]
    checkup = examined(tmp_path, rows, test=sound()[:20])
    assert len(checkup) == 3
    assert Checkup.from_dict(json.loads(json.dumps(checkup.to_dict()))) == checkup


@pytest.mark.data
def test_public_pairs_have_no_warning_and_their_known_faults():
    pairs = catalog.load("multi30k-train", download=False)
    checkup = examine_pairs(pairs, validation=catalog.load("multi30k-val", download=False))
    assert checkup.warnings == ()
    assert not [one for one in checkup if one.kind in ("language", "misaligned", "encoding")]
    ratio = next(one for one in checkup if one.kind == "length ratio")
    assert ratio.time == "line 16664"
    assert pairs.sources[16663] == "@@"
    shuffled = read_pairs((pairs.sources, pairs.targets[1:] + pairs.targets[:1]))
    assert examine_pairs(shuffled).warnings[0].kind == "misaligned"


def test_what_the_test_shares_with_the_validation_is_told():
    test, validation = sound(100, seed=1), sound(100, seed=2)
    test[3:6] = validation[7:10]
    found = only(examine_pairs(sound(), test=test, validation=validation), "across splits")
    assert found.text.startswith("3 of 100 (3%) pairs of the test stand in the validation too")
    assert (found.severity, found.time) == ("warning", "pair 3 of the test")
    assert found.done.endswith("take them out of the validation")


def test_texts_without_letters_are_of_no_language():
    rows = [(f"2024 05 19 {a}", b) for a, b in sound()]
    assert not list(examine_pairs([*rows, ("banin deror 5.", "2024-05-19")]))
    # with a letter it is told
    rows.append(("banin deror 5.", "2024-05-19 x"))
    assert [one.kind for one in examine_pairs(rows)] == ["language"]
