"""`SpeltWays`: the pronunciations of many words, each written out until it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

Phones = tuple[str, ...]


class SpeltWays(Mapping[str, tuple[Phones, ...]]):
    """The ways in which words are said, by word; a dictionary of a language is quick to make so.

    Each word has one text, a line for each way, with a space between phones. Texts cost Python's
    collector nothing, where tuples of tuples of 130,000 words are walked through again and again
    while they are made.

    Args:
        spelt: the text of each word: "R EH D\\nR IY D" of "read".

    Example:
        >>> SpeltWays({"read": "R EH D\\nR IY D"})["read"]
        (('R', 'EH', 'D'), ('R', 'IY', 'D'))
    """

    def __init__(self, spelt: Mapping[str, str]) -> None:
        self.spelt = spelt

    @classmethod
    def of(cls, ways: Mapping[str, tuple[Phones, ...]]) -> SpeltWays:
        """Those of any mapping; a word without a way is left out."""
        if isinstance(ways, SpeltWays):
            return ways
        return cls({word: "\n".join(map(" ".join, some)) for word, some in ways.items() if some})

    def __getitem__(self, word: str) -> tuple[Phones, ...]:
        return tuple(tuple(way.split(" ")) for way in self.spelt[word].split("\n"))

    def __contains__(self, word: object) -> bool:
        return word in self.spelt

    def __iter__(self) -> Iterator[str]:
        return iter(self.spelt)

    def __len__(self) -> int:
        return len(self.spelt)

    def words(self) -> dict[str, str]:
        """For each way, as text, the words that are said so, a line each."""
        found: dict[str, str] = {}
        for word, ways in self.spelt.items():
            for way in ways.split("\n"):
                found[way] = f"{found[way]}\n{word}" if way in found else word
        return found
