"""Text read with the wrong encoding is found and turned back, and sound text is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data import repair_encoding
from unrolled.data.mojibake import damage

SOUND = [
    "Café déjà vu, São Paulo, naïve… “quoted” \u2013 dash",
    "MENÜ“ TÄ“ ÉTÉ… À la carte",
    "Å“uvre",
    "Привет, мир! Ñandú",
    "日本語のテキスト",
    "",
]


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        ("Café".encode().decode("cp1252"), "Café"),
        ("don\u2019t".encode().decode("cp1252"), "don\u2019t"),
        ("škoda".encode().decode("cp1252"), "škoda"),
        ("Größe \u2013 5 €".encode().decode("cp1252"), "Größe \u2013 5 €"),
        ("déjà".encode().decode("latin-1"), "déjà"),
        ("a “b” \u2013 c…".encode("cp1252").decode("latin-1"), "a “b” \u2013 c…"),
        ("мир".encode().decode("latin-1"), "мир"),
        ("ok 😀".encode().decode("latin-1"), "ok 😀"),
    ],
)
def test_what_was_misread_is_turned_back(text, repaired):
    assert repair_encoding(text) == repaired
    assert damage(text).word in text
    assert damage(text).repaired in repaired


@pytest.mark.parametrize("text", SOUND)
def test_sound_text_stays(text):
    assert repair_encoding(text) == text
    assert damage(text) is None


def test_the_kind_of_damage_is_told():
    assert damage("CafÃ©").kind == "misread"
    assert damage("a \x97 b").kind == "control"
    lost = damage("the caf\ufffd here")
    assert (lost.kind, lost.word, lost.repaired) == ("lost", "caf\ufffd", "caf\ufffd")


@given(st.text(st.sampled_from("aé ñüßçà\u2019\u2013“”…€œ")))
def test_western_text_read_as_latin_1_comes_back_whole(text):
    assert repair_encoding(text.encode().decode("latin-1")) == text
