"""Suggested words are the likeliest, by brute force over all ways to write them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unrolled.errors import ConfigError
from unrolled.tasks.generating import keystrokes, suggesting
from unrolled.tasks.generating.reading import Read, Reader
from unrolled.tasks.generating.suggesting import _chances
from unrolled.tasks.generating.word_pieces import WordPieces


def typing_in(reader: Reader, text: str = "") -> keystrokes.Typing:
    return keystrokes.Typing(reader, WordPieces(reader.tokenizer), text)


CHARACTERS = ("a", "b", " ", ".", "'")
SUBWORDS = ("a", "b", "ab", "ba", " ", " a", " ab", "a.", ".", " b")


@pytest.fixture
def whole_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggesting, "ROUNDS", 300)
    monkeypatch.setattr(suggesting, "MARGIN", 1e-3)


def all_words(reader: Reader, text: str, depth: int) -> dict[str, float]:
    """By loops: every sequence of pieces after what is surely complete, up to `depth` pieces."""
    pieces = WordPieces(reader.tokenizer)
    head, rest, typed = pieces.split(text)
    words: dict[str, float] = {}
    whole = 0.0

    def go(at: Read, text: str, chance: float, left: int, covered: bool) -> None:
        nonlocal whole
        for number, part in enumerate(_chances(at)[0]):
            piece = pieces.texts[number]
            if number == 0:
                continue
            longer, p = text + piece, chance * float(part)
            if not (longer.startswith(rest) or rest.startswith(longer)):
                continue
            if not covered and longer.startswith(rest):
                whole += p
            word, complete = pieces.parse(longer)
            if not word and len(longer) > 2:
                continue
            if complete:
                if word.rstrip("'"):
                    words[word.rstrip("'")] = words.get(word.rstrip("'"), 0.0) + p
                continue
            if word and not word[0].isalnum():
                continue
            if left:
                go(
                    reader.step([number], at.place),
                    longer,
                    p,
                    left - 1,
                    covered or longer.startswith(rest),
                )

    go(reader.text(head), "" if rest else typed, 1.0, depth, not rest)
    scale = whole if rest else 1.0
    return {word: p / scale for word, p in words.items()}


@pytest.mark.usefixtures("whole_search")
@pytest.mark.parametrize("kind", ["characters", "subwords"])
@pytest.mark.parametrize("text", ["", "a", "ab. b", "b a ", "a.", "ab ab"])
@pytest.mark.parametrize("weight", [0.0, 0.4])
def test_they_are_the_likeliest_of_all_words(
    kind: str, text: str, weight: float, reader_of: Callable[..., Reader]
) -> None:
    symbols = CHARACTERS if kind == "characters" else SUBWORDS
    reader = reader_of(kind, symbols, seed=len(text), weight=weight)
    every = all_words(reader, text, 4)
    got = typing_in(reader, text).suggest(3)
    want = sorted(every.items(), key=lambda pair: -pair[1])[:3]
    assert [word for word, _ in got] == [word for word, _ in want]
    for (_, p), (_, q) in zip(got, want, strict=True):
        assert p == pytest.approx(q, rel=0.1)  # a word may be written in more than 4 pieces
    assert len(got) == 3
    typed = WordPieces(reader.tokenizer).split(text)[2]
    assert all(word.startswith(typed) for word, _ in got)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(st.sampled_from(["a", "b", " ", ".", "<", "ab a"]), max_size=12),
    kind=st.sampled_from(["characters", "subwords"]),
)
def test_keystrokes_forth_and_back_give_what_the_text_gives(
    keys: list[str], kind: str, reader_of: Callable[..., Reader]
) -> None:
    reader = reader_of(kind, CHARACTERS if kind == "characters" else SUBWORDS)
    typing, text = typing_in(reader), ""
    for key in keys:
        if key == "<":
            typing.back()
            text = text[:-1]
        else:
            typing.type(key)
            text += key
        assert typing.text == text
        for (word, p), (want, q) in zip(
            typing.suggest(2), typing_in(reader, text).suggest(2), strict=True
        ):
            assert word == want
            assert p == pytest.approx(q, rel=1e-4)


def test_a_word_is_taken_to_its_end(reader_of: Callable[..., Reader]) -> None:
    typing = typing_in(reader_of("characters", CHARACTERS), "b. a")
    typing.take("abba")
    assert typing.text == "b. abba "
    with pytest.raises(ConfigError, match="does not begin with"):
        typing_in(reader_of("characters", CHARACTERS), "ba").take("ab")


@pytest.mark.parametrize("kind", ["characters", "words"])
def test_of_many_keystrokes_not_every_state_is_kept(
    kind: str, reader_of: Callable[..., Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    most = {"characters": "MOST_MARKS", "words": "MOST_OF_PIECES"}[kind]
    monkeypatch.setattr(keystrokes, most, 8)
    reader = reader_of(kind, CHARACTERS)
    typing = typing_in(reader)
    for key in "ab. ba ab. ab " * 3:
        typing.type(key)
        typing.suggest(1)
        assert len(typing._marks) <= 8
    typing.back(20)
    want = dict(typing_in(reader, typing.text).suggest(2))
    assert dict(typing.suggest(2)) == pytest.approx(want, rel=1e-4)


def test_what_is_surely_complete(reader_of: Callable[..., Reader]) -> None:
    def split(kind: str, text: str) -> tuple[str, str, str]:
        return WordPieces(reader_of(kind, SUBWORDS).tokenizer).split(text)

    assert split("characters", "the ki") == ("the ki", "", "ki")
    assert split("subwords", "the ki") == ("the", " ki", "ki")
    assert split("subwords", "the ") == ("the", " ", "")
    assert split("subwords", "the\nki") == ("the\n", "ki", "ki")
    assert split("words", "the ki") == ("the ", "ki", "ki")
    assert split("words", "don't") == ("", "don't", "don't")
    assert split("words", "so, ") == ("so, ", "", "")
