"""How words are said: a pronouncing dictionary, such as CMUdict."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike, fspath

from unrolled.data.spelt_ways import Phones, SpeltWays
from unrolled.errors import DataError
from unrolled.writing import replacing


@dataclass(frozen=True, eq=False)
class Pronunciations:
    """The ways in which each word is said, as phones without their stress.

    Words that differ in stress alone are taken to sound alike: the stress of a word in a sentence
    is another than in a dictionary.

    Attributes:
        of: for each word, in lower case, its pronunciations, each a tuple of phones; the first is
            the usual one.
        name: of the dictionary.

    Example:
        >>> said = Pronunciations({"sea": (("S", "IY"),), "see": (("S", "IY"),)})
        >>> said.alike("sea")
        ('see',)
    """

    of: Mapping[str, tuple[Phones, ...]]
    name: str = "pronunciations"

    def __len__(self) -> int:
        return len(self.of)

    def __contains__(self, word: object) -> bool:
        return word in self.of

    def __getitem__(self, word: str) -> tuple[Phones, ...]:
        """The pronunciations of a word; none of one that is not in the dictionary."""
        return self.of.get(word, ())

    def alike(self, word: str) -> tuple[str, ...]:
        """The other words that may sound as this one does: one pronunciation of each is the same.
        In the order of the alphabet."""
        said = {one for phones in self[word] for one in self._said_as(phones)}
        return tuple(sorted(said - {word}))

    def near(self, word: str) -> tuple[str, ...]:
        """The other words of which a pronunciation is one phone away: another phone in its place,
        one more, or one less. Those that sound alike are not among them. In the order of the
        alphabet."""
        found = {
            one
            for phones in self[word]
            for changed in _one_away(phones, self._phones)
            for one in self._said_as(changed)
        }
        return tuple(sorted(found - {word, *self.alike(word)}))

    def write(self, path: str | PathLike[str]) -> None:
        """Writes the dictionary in the form that `read_pronunciations` reads."""
        with replacing(path) as aside, open(aside, "w", encoding="utf-8") as file:
            for word, ways in self.of.items():
                for number, phones in enumerate(ways, start=1):
                    variant = "" if number == 1 else f"({number})"
                    file.write(f"{word}{variant} {' '.join(phones)}\n")

    def _said_as(self, phones: Phones) -> list[str]:
        words = self._words.get(" ".join(phones))
        return [] if words is None else words.split("\n")

    @cached_property
    def _words(self) -> dict[str, str]:
        return SpeltWays.of(self.of).words()

    @cached_property
    def _phones(self) -> tuple[str, ...]:
        return tuple(sorted(set(" ".join(self._words).split(" "))))


def read_pronunciations(path: str | PathLike[str]) -> Pronunciations:
    """Reads a dictionary in the form of CMUdict, plain or packed (.gz).

        right  R AY1 T
        read(2)  R IY1 D        # another way to say it

    A word, which spaces part from its phones; digits after a vowel are its stress. A line that
    begins with ;;; and what follows a # are comments.

    Raises:
        DataError: a line without phones, a file that is not UTF-8, or one without words.

    Source: the CMU Pronouncing Dictionary, github.com/cmusphinx/cmudict.
    """
    words: list[str] = []
    ways: list[str] = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        said = line.split("#", 1)[0].split()
        if line.startswith(";;;") or not said:
            continue
        if len(said) < 2:
            raise DataError(
                f"{fspath(path)}, line {number}: got {line.strip()!r}, expected a word and its "
                "phones, as in 'right R AY1 T'"
            )
        word = said[0].lower()
        if word.endswith(")") and "(" in word[1:]:
            word = word[: word.rindex("(")]
        words.append(word)
        ways.append(" ".join(said[1:]))
    if not words:
        raise DataError(f"{fspath(path)}: holds no words; expected lines such as 'right R AY1 T'")
    found: dict[str, str] = {}
    for word, way in zip(words, _without_stress(ways), strict=True):
        if word not in found:
            found[word] = way
        elif way not in found[word].split("\n"):
            found[word] += f"\n{way}"
    return Pronunciations(SpeltWays(found), fspath(path))


def _without_stress(ways: Sequence[str]) -> list[str]:
    """The same without digits at the ends of phones; all at once, which is quick."""
    text, before = "\n".join(ways) + "\n", ""
    while text != before:  # a phone may end with several
        before = text
        for stress in "012":
            text = text.replace(f"{stress} ", " ").replace(f"{stress}\n", "\n")
    return text[:-1].split("\n")


def _one_away(phones: Phones, all_phones: Sequence[str]) -> Iterator[Phones]:
    for at in range(len(phones) + 1):
        before, after = phones[:at], phones[at:]
        yield (*before, *after[1:])
        for phone in all_phones:
            yield (*before, phone, *after)
            yield (*before, phone, *after[1:])


def _text(path: str | PathLike[str]) -> str:
    packed = fspath(path).endswith(".gz")
    read = bytearray()
    try:
        with gzip.open(path, "rb") if packed else open(path, "rb") as file:
            while part := file.read(1 << 16):
                read += part
        return read.decode("utf-8")
    except FileNotFoundError:
        raise DataError(f"{fspath(path)}: there is no such file") from None
    except UnicodeDecodeError as error:
        number = read.count(b"\n", 0, error.start) + 1
        raise DataError(f"{fspath(path)}, line {number}: is not UTF-8; save it as such") from None
    except (OSError, EOFError, zlib.error) as error:
        number = read.count(b"\n")
        raise DataError(f"{fspath(path)}: can't be read after line {number} ({error})") from None
