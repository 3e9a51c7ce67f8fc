"""`Typing`: a text that grows and shrinks by keystrokes, with the next words at hand."""

from __future__ import annotations

from dataclasses import dataclass

from unrolled.errors import ConfigError
from unrolled.tasks.base import whole_number
from unrolled.tasks.generating.reading import Read, Reader
from unrolled.tasks.generating.suggesting import WordSearch
from unrolled.tasks.generating.word_pieces import WordPieces

# Of so many places the state is kept, so that a keystroke back costs nothing: of characters, and
# of words and subwords, where each holds the scores of a large vocabulary.
MOST_MARKS = 2048
MOST_OF_PIECES = 256
# The last tokens of what comes in at once are read one by one, with a mark after each.
CLOSE = 32


@dataclass(frozen=True)
class _Mark:
    """A place in the text up to which it was read, and where the reader was then."""

    place: int
    at: Read


class Typing:
    """A text as it is typed: the state is carried on, so that a keystroke costs a step or two.

        typing = generator.typing("To be, or n")
        typing.suggest(3)        # [("not", 0.8), ...]
        typing.type("o")
        typing.back()
        typing.take("not")       # the rest of the word, and a space

    Args:
        reader: model and tokenizer.
        pieces: of the tokenizer.
        text: what is there already.

    Attributes:
        text: what was typed so far.
    """

    def __init__(self, reader: Reader, pieces: WordPieces, text: str = "") -> None:
        self._reader = reader
        self._pieces = pieces
        self._search = WordSearch(reader, pieces)
        self._marks = [_Mark(0, reader.beginning())]
        self.text = text

    def type(self, text: str) -> None:
        """One character more, or several."""
        self.text += text

    def back(self, characters: int = 1) -> None:
        """Take back the last characters."""
        count = min(whole_number("characters", characters, least=0), len(self.text))
        self.text = self.text[: len(self.text) - count]
        while self._marks[-1].place > len(self.text):
            self._marks.pop()

    def take(self, word: str) -> None:
        """Write a suggested word to its end, and a space behind it.

        Raises:
            ConfigError: the word does not go on from what was typed of it.
        """
        _, _, typed = self._pieces.split(self.text)
        if not word.startswith(typed):
            raise ConfigError(f"take: got {word!r}, which does not begin with {typed!r}")
        self.type(word[len(typed) :] + " ")

    def suggest(self, n: int = 5) -> list[tuple[str, float]]:
        """The `n` likeliest whole words here, with their probabilities; see `WordSearch`.

        Where a word is half typed, they are those that begin with it.
        """
        n = whole_number("n", n, least=1)
        head, rest, typed = self._pieces.split(self.text)
        return self._search.words(self._read_to(len(head)), rest, typed, n)

    def _read_to(self, place: int) -> Read:
        while self._marks[-1].place > place:
            self._marks.pop()  # a space that is now part of what is to be read anew
        last = self._marks[-1]
        unread = self.text[last.place : place]
        if not unread:
            return last.at
        ids = self._reader.tokenizer.encode(unread).tolist()
        if self._pieces.kind != "characters":
            return self._mark(place, self._reader.read(ids, last.at))
        close = max(0, len(ids) - CLOSE)
        at = self._reader.read(ids[:close], last.at)
        for there, token in enumerate(ids[close:], last.place + close + 1):
            at = self._mark(there, self._reader.step([token], at.place))
        return at

    def _mark(self, place: int, at: Read) -> Read:
        self._marks.append(_Mark(place, at))
        most = MOST_MARKS if self._pieces.kind == "characters" else MOST_OF_PIECES
        if len(self._marks) > most:
            del self._marks[1 : most // 2]
        return at
