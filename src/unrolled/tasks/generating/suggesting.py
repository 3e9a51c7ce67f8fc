"""Whole next words with their probabilities, whatever the pieces that they are made of."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import torch

from unrolled.layers.states import map_state
from unrolled.tasks.generating.reading import Place, Read, Reader
from unrolled.tasks.generating.word_pieces import WordPieces, trimmed

# Words in the making that go one step together, and how many such steps there are at most: what
# bounds the time of an answer.
WIDTH = 8
ROUNDS = 10
# Of one word in the making so many ways to go on are looked at.
BRANCHES = 24
# What is less likely than this is no suggestion.
LEAST = 1e-4
# What is this much less likely than the best is none either: by characters often no word at all.
WORTH = 0.01
# A word in the making that is this much less likely than the n-th complete one is left. Below 1,
# since the ways to write a word add up.
MARGIN = 0.5


@dataclass(slots=True)
class _Open:
    """A word in the making: its text since the split, what of the typed part is still to come, and
    the piece that leads there from row `row` of `place`."""

    chance: float
    text: str
    rest: str
    piece: int
    place: Place
    row: int


# Minus the probability, then the order in which they came: the first is the likeliest.
_Heap = list[tuple[float, int, _Open]]


class WordSearch:
    """Finds the likeliest next words, best first.

        P(word | text) = sum over the ways to write it of
                         product of P(piece | text and pieces before) * P(it ends there)

    given that the text goes on with what was typed of the word. The likeliest word in the making
    goes on first, and the search ends where none is likely enough to come among the n likeliest
    complete ones (`MARGIN`) or at its bounds (`WIDTH`, `ROUNDS`, `BRANCHES`). What it did not look
    at is missing from a probability, which is never too large.

    Args:
        reader: model and tokenizer.
        pieces: the pieces of the tokenizer.
    """

    def __init__(self, reader: Reader, pieces: WordPieces) -> None:
        self._reader = reader
        self._pieces = pieces

    def words(self, at: Read, rest: str, typed: str, n: int) -> list[tuple[str, float]]:
        """The `n` likeliest words.

        Args:
            at: after all that is surely complete.
            rest: what is to be read anew (see `WordPieces.split`).
            typed: what was typed of the word; all words begin with it.
            n: how many; 1 or more.

        Returns:
            Words and probabilities, the likeliest first; of equals the first by the alphabet. The
            probabilities may sum to less than 1: a mark of punctuation is no word.
        """
        found = _Found(n, bool(rest))
        heap: _Heap = []
        begun = typed if not rest else ""
        self._expand(_chances(at)[0], 1.0, begun, rest, at.place, 0, found, heap)
        for _ in range(ROUNDS):
            chosen: list[_Open] = []
            while heap and len(chosen) < WIDTH and -heap[0][0] > found.floor():
                chosen.append(heapq.heappop(heap)[-1])
            if not chosen:
                break
            now = self._reader.step([one.piece for one in chosen], _gathered(chosen))
            for row, (one, chances) in enumerate(zip(chosen, _chances(now), strict=True)):
                self._expand(chances, one.chance, one.text, one.rest, now.place, row, found, heap)
        return found.best(typed)

    def _expand(
        self,
        chances: np.ndarray,
        chance: float,
        text: str,
        rest: str,
        place: Place,
        row: int,
        found: _Found,
        heap: _Heap,
    ) -> None:
        """All that can follow a word in the making of probability `chance`."""
        pieces = self._pieces

        def push(piece: int, part: float, text: str, rest: str) -> None:
            if part <= (0.0 if rest else found.floor()):
                return
            found.opened += 1
            one = _Open(part, text, rest, piece, place, row)
            heapq.heappush(heap, (-part, found.opened, one))

        def go_on(numbers: np.ndarray) -> None:
            parts = chance * chances[numbers]
            if len(numbers) > BRANCHES:
                most = np.argpartition(-parts, BRANCHES)[:BRANCHES]
                numbers, parts = numbers[most], parts[most]
            for number, part in zip(numbers.tolist(), parts.tolist(), strict=True):
                longer = text + pieces.texts[number]
                if pieces.solid[number]:
                    push(number, part, longer, "")
                    continue
                word, complete = pieces.parse(longer)
                if complete:
                    found.add(word, part)
                elif word or len(longer) <= 2:  # a line break and a space, but no page of them
                    push(number, part, longer, "")

        if rest:
            for number, left in pieces.inside(rest, bool(text)):
                part = chance * float(chances[number])
                if not left:
                    found.typed += part
                push(number, part, text + pieces.texts[number], left)
            numbers = pieces.beyond(rest, bool(text))
            found.typed += chance * float(chances[numbers].sum())
            go_on(numbers)
        elif text.strip():
            found.add(pieces.parse(text)[0], chance * float(chances[pieces.ends].sum()))
            go_on(np.flatnonzero(pieces.goes_on & (chance * chances > found.floor())))
        else:
            go_on(np.flatnonzero(pieces.begins & (chance * chances > found.floor())))


class _Found:
    """The complete words so far."""

    def __init__(self, n: int, given: bool) -> None:
        self._n = n
        self._given = given
        self._words: dict[str, float] = {}
        self._floor = 0.0
        self.typed = 0.0
        self.opened = 0

    def add(self, word: str, chance: float) -> None:
        word = trimmed(word)
        if not word:
            return
        self._words[word] = self._words.get(word, 0.0) + chance
        if len(self._words) >= self._n:
            self._floor = MARGIN * heapq.nlargest(self._n, self._words.values())[-1]

    def floor(self) -> float:
        """What a word in the making must be likelier than to matter."""
        return max(self._floor, LEAST * self.typed if self._given else LEAST)

    def best(self, typed: str) -> list[tuple[str, float]]:
        whole = self.typed if self._given else 1.0
        ranked = sorted(self._words.items(), key=lambda pair: (-pair[1], pair[0]))[: self._n]
        ranked = [pair for pair in ranked if pair[1] >= WORTH * ranked[0][1]]
        return [
            (typed + word[len(typed) :], min(1.0, chance / whole))
            for word, chance in ranked
            if chance > 0
        ]


def _chances(at: Read) -> np.ndarray:
    """Probabilities `(B, V)` of the next piece; the unknown one is never written."""
    logits = at.logits.double().cpu()
    logits[:, 0] = -torch.inf
    chances: np.ndarray = logits.softmax(-1).numpy()
    return chances


def _gathered(chosen: list[_Open]) -> Place:
    """The places that the chosen go on from, as rows of one."""
    rows = [one.row for one in chosen]
    states = [
        map_state(lambda part, row=row: part[:, row : row + 1], one.place.state)
        for one, row in zip(chosen, rows, strict=True)
    ]
    grams = [
        one.place.grams[row]
        for one, row in zip(chosen, rows, strict=True)
        if one.place.grams is not None
    ]
    return Place(
        map_state(lambda *parts: torch.cat(parts, dim=1), *states),
        np.stack(grams) if grams else None,
    )
