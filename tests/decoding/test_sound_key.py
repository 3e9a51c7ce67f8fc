"""Keys of words by their letters: what sounds alike has one, and other scripts stay as they are."""

from __future__ import annotations

import pytest

from unrolled.decoding.sound_key import sound_key


@pytest.mark.parametrize(
    "alike",
    [
        "right write rite",
        "their there they're",
        "sea see",
        "knight night",
        "know no",
        "wear where ware",
        "by buy bye",
        "cell sell",
        "phase faze",
        "gnu new knew",
        "site sight cite",
        "nation nashun",
    ],
)
def test_words_that_sound_alike_have_one_key(alike):
    assert len({sound_key(one) for one in alike.split()}) == 1


@pytest.mark.parametrize("apart", ["right like", "thin tin", "ship sip", "bat pat", "see key"])
def test_words_with_other_consonants_have_others(apart):
    assert len({sound_key(one) for one in apart.split()}) == 2


def test_accents_marks_and_capitals_do_not_count():
    assert sound_key("Café!") == sound_key("cafe")
    assert sound_key("don't") == sound_key("dont")


def test_other_scripts_stand_for_themselves():
    assert sound_key("мир") == "МИР"
    assert sound_key("") == ""
