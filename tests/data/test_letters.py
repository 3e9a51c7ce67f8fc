"""The next character of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.letters import LONG, NextCharacter
from unrolled.errors import ConfigError


@given(st.text("abc ", min_size=2, max_size=40), st.integers(1, 60), st.integers(0, 1000))
def test_every_target_is_the_character_that_comes_next(text: str, length: int, seed: int) -> None:
    if len(set(text)) < 2:
        return
    task = NextCharacter(text, length)
    batch = task.batch(3, seed, 0)
    assert batch.inputs.shape == (length, 3, len(set(text)))
    assert batch.targets is not None
    ring = text * (length // len(text) + 3)
    for row in range(3):
        read = "".join(task.symbols[k] for k in batch.inputs[:, row].argmax(-1).tolist())
        then = "".join(task.symbols[k] for k in batch.targets[:, row].tolist())
        assert read[1:] == then[:-1]
        assert read + then[-1] in ring


def test_of_a_long_text_the_parts_share_nothing() -> None:
    text = "".join(chr(97 + (k * k // 7) % 26) for k in range(LONG))
    task = NextCharacter(text)
    assert task.part("train") + task.part("validation") + task.part("test") == text
    assert min(len(task.part(part)) for part in ("validation", "test")) == LONG // 10


def test_without_a_memory_the_letter_after_an_l_is_a_guess() -> None:
    assert NextCharacter("hello ").without_memory() == pytest.approx(100 * 5 / 6)
    assert NextCharacter("abc").without_memory() == 100


def test_a_text_with_nothing_to_guess_is_refused() -> None:
    with pytest.raises(ConfigError, match="got 1 different characters"):
        NextCharacter("aaaa")
