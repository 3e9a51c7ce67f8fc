"""Pronouncing dictionaries: what is read, which words sound alike, and what is refused."""

from __future__ import annotations

import gzip

import pytest

from unrolled.data.pronunciations import Pronunciations, read_pronunciations
from unrolled.errors import DataError

DICTIONARY = """;;; a comment
right  R AY1 T
write  R AY1 T
rite  R AY0 T
ride  R AY1 D
rye  R AY1
bright  B R AY1 T
read  R EH1 D
read(2)  R IY1 D  # another way
READ(3)  R EH2 D
red  R EH1 D

reed  R IY1 D
"""


@pytest.fixture
def said(tmp_path):
    path = tmp_path / "words.dict"
    path.write_text(DICTIONARY, encoding="utf-8")
    return read_pronunciations(path)


def test_stress_and_variants_are_taken_off_and_a_way_stands_once(said):
    assert said["read"] == (("R", "EH", "D"), ("R", "IY", "D"))
    assert said["rite"] == said["right"] == (("R", "AY", "T"),)
    assert said["unheard"] == ()
    assert ("read(2)" in said, "READ" in said, len(said)) == (False, False, 9)


def test_words_sound_alike_where_one_pronunciation_of_each_is_the_same(said):
    assert said.alike("right") == ("rite", "write")
    assert said.alike("read") == ("red", "reed")
    assert said.alike("red") == ("read",)
    assert said.alike("unheard") == ()


def test_near_words_are_one_phone_away_and_no_more(said):
    assert said.near("right") == ("bright", "ride", "rye")
    assert said.near("rye") == ("ride", "right", "rite", "write")
    assert said.near("bright") == ("right", "rite", "write")
    assert said.near("unheard") == ()


def test_nearness_goes_both_ways(said):
    assert all(one in said.near(other) for one in said.of for other in said.near(one))


def test_a_dictionary_that_is_written_reads_back_the_same(said, tmp_path):
    path = tmp_path / "again.dict"
    said.write(path)
    assert read_pronunciations(path).of == said.of


def test_a_dictionary_from_a_file_is_the_mapping_of_tuples_that_it_spells(said):
    plain = {word: said[word] for word in said.of}
    assert said.of == plain
    assert list(said.of) == [
        "right",
        "write",
        "rite",
        "ride",
        "rye",
        "bright",
        "read",
        "red",
        "reed",
    ]
    given = Pronunciations(plain)
    for word in (*plain, "unheard"):
        assert given.alike(word) == said.alike(word)
        assert given.near(word) == said.near(word)
    with pytest.raises(KeyError):
        said.of["unheard"]


def test_only_digits_at_the_end_of_a_phone_are_its_stress(tmp_path):
    path = tmp_path / "words.dict"
    path.write_text("a1\tAY12 B2C  D3 E0\r\na1 AY B2C D3 E#1\nc(1) K0")
    said = read_pronunciations(path)
    assert dict(said.of) == {"a1": (("AY", "B2C", "D3", "E"),), "c": (("K",),)}


def test_a_word_without_a_pronunciation_is_like_no_other():
    said = Pronunciations({"mute": (), "sea": (("S", "IY"),), "still": ()})
    assert said.alike("mute") == said.near("mute") == said.alike("sea") == said.near("sea") == ()


def test_a_packed_dictionary_is_the_plain_one(said, tmp_path):
    path = tmp_path / "words.dict.gz"
    path.write_bytes(gzip.compress(DICTIONARY.encode()))
    assert read_pronunciations(path).of == said.of


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"right  R AY1 T\nwrite\n", r"words\.dict, line 2: got 'write', expected a word and its"),
        (b";;; nothing\n", r"words\.dict: holds no words; expected lines such as"),
        (b"right  R AY1 T\n\xff R\n", r"words\.dict, line 2: is not UTF-8"),
    ],
)
def test_what_is_no_dictionary_is_told_in_one_line(tmp_path, content, told):
    path = tmp_path / "words.dict"
    path.write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        read_pronunciations(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_damaged_is_told(tmp_path):
    with pytest.raises(DataError, match="there is no such file"):
        read_pronunciations(tmp_path / "none.dict")
    path = tmp_path / "cut.dict.gz"
    path.write_bytes(gzip.compress(DICTIONARY.encode() * 500)[:-20])
    with pytest.raises(DataError, match="can't be read after line"):
        read_pronunciations(path)
    packed = bytearray(gzip.compress(DICTIONARY.encode()))
    packed[12:20] = b"\xff" * 8
    path.write_bytes(packed)
    with pytest.raises(DataError, match="can't be read after line 0 "):
        read_pronunciations(path)


def test_two_phones_are_not_one_away():
    said = Pronunciations({"a": (("AH",),), "cat": (("K", "AE", "T"),), "at": (("AE", "T"),)})
    assert said.near("cat") == ("at",)
    assert said.near("a") == ()
