"""Where each word of a translation looked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from unrolled.errors import ConfigError
from unrolled.tasks.translating.links import END, WordLink, word_links
from unrolled.tasks.translating.request import NOTHING, Translation

SOURCE = (" Ein", " Fahr", "rad", ".", "\n")
TOKENS = (" A", " bi", "ke", ".")


def looked(rows, source=SOURCE, tokens=TOKENS):
    weights = np.array(rows, dtype=np.float32)
    return Translation("".join(tokens).strip(), 0.0, 0.0, True, source, tokens, weights)


ROWS = [
    [0.7, 0.1, 0.1, 0.1, 0.0],
    [0.4, 0.2, 0.3, 0.1, 0.0],
    [0.0, 0.1, 0.8, 0.1, 0.0],
    [0.1, 0.0, 0.0, 0.1, 0.8],
]


def test_the_attention_of_a_word_is_the_mean_of_its_tokens_and_the_sum_of_the_words_read():
    links = word_links(looked(ROWS), "subwords")
    assert [(one.word, one.source) for one in links] == [
        ("A", "Ein"), ("bike", "Fahrrad"), (".", END),
    ]  # fmt: skip
    assert np.allclose([one.weight for one in links], [0.7, (0.5 + 0.9) / 2, 0.8])
    assert str(links[1]) == "bike <- Fahrrad 0.70"


def test_characters_are_gathered_and_words_stand_alone():
    rows = np.eye(3, 5)
    rows[2] = [0.0, 0.0, 0.25, 0.75, 0.0]
    found = word_links(looked(rows, ("J", "a", " ", "o", "\n"), ("h", " ", "i")), "characters")
    # a space belongs to the word behind it: " i" looked at "a" and at " o"
    assert found == [WordLink("h", "Ja", 1.0), WordLink("i", "Ja", 0.5)]
    rows = np.eye(2, 3)
    found = word_links(looked(rows, ("Ja", "wohl", "\n"), ("oh", "yes")), "words")
    assert found == [WordLink("oh", "Ja", 1.0), WordLink("yes", "wohl", 1.0)]


def test_nothing_said_has_no_links_and_no_attention_is_told():
    assert word_links(NOTHING, "subwords") == []
    with pytest.raises(ConfigError, match="has no attention"):
        word_links(replace(looked(ROWS), alignment=None), "subwords")
