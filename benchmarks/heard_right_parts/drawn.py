"""The sentences that are scored: of one word in each the sound does not tell the spelling."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heard_right_parts.voices import sound_the_same, way
from unrolled.data.espeak import Utterance

# Of so many sentences in a row the sound told the word: it always does ("to" is said shorter than
# "two"), so that the group is left out.
PATIENCE = 30


@dataclass(frozen=True)
class Drawn:
    """A sentence with the word that counts.

    Attributes:
        text: the sentence.
        place: of the word among its words.
        rivals: the words that sound like it.
        utterance: how it is spoken.
    """

    text: str
    place: int
    rivals: tuple[str, ...]
    utterance: Utterance

    @property
    def word(self) -> str:
        return self.text.split()[self.place]


def draw(
    pool: Sequence[str], groups: Sequence[tuple[str, ...]], count: int, part: str, seed: int
) -> list[Drawn]:
    """Sentences of a pool, every group of words as often as another, and in it every spelling.

    So a machine that knows the sounds alone is right about half of the time, whatever is frequent.
    A sentence is taken where eSpeak NG says bit for bit the same with any of the rivals in the
    word's place, and each sentence once.

    Args:
        pool: in an order of chance.
        groups: words that sound alike.
        count: of sentences; fewer where the pool has no more.
        part: of the voices.
        seed: of the draws.
    """
    turns = [_of_group(group, pool, part, seed) for group in groups]
    found: dict[str, Drawn] = {}
    while turns and len(found) < count:
        going = []
        for turn in turns:
            fresh = next((one for one in turn if one.text not in found), None)
            if fresh is not None:
                found[fresh.text] = fresh
                going.append(turn)
            if len(found) == count:
                break
        turns = going
    return list(found.values())


def _of_group(group: tuple[str, ...], pool: Sequence[str], part: str, seed: int) -> Iterator[Drawn]:
    """Its spellings in turns, until one of them is in no other sentence."""
    each = [_of_word(word, group, pool, part, seed) for word in group]
    while True:
        for turn in each:
            one = next(turn, None)
            if one is None:
                return
            yield one


def _of_word(
    word: str, group: tuple[str, ...], pool: Sequence[str], part: str, seed: int
) -> Iterator[Drawn]:
    rivals = tuple(one for one in group if one != word)
    told = 0
    for number, text in enumerate(pool):
        words = text.split()
        if sum(one in group for one in words) != 1 or word not in words:
            continue
        place = words.index(word)
        others = [" ".join([*words[:place], one, *words[place + 1 :]]) for one in rivals]
        utterance = way(text, part, seed, number)
        if sound_the_same(utterance, others):
            told = 0
            yield Drawn(text, place, rivals, utterance)
        elif (told := told + 1) == PATIENCE:
            return
