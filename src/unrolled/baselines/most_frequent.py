"""The rival that hears nothing: the most frequent label or transcript, always."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from numpy.typing import NDArray

from unrolled.baselines.rival import impossible
from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.errors import DataError, NotFittedError


def most_frequent(texts: Sequence[str]) -> str:
    """The text that occurs most often; of several the first in the order of their characters.

    Raises:
        DataError: there is no text.
    """
    if not texts:
        raise DataError("got no texts; give at least one")
    counts = Counter(texts)
    return min(counts, key=lambda text: (-counts[text], text))


class MostFrequent:
    """Says the same of everything: what was said most often.

    What does not beat it has learnt nothing.
    """

    name = "most frequent answer"

    def __init__(self) -> None:
        self._text: str | None = None

    def fit(self, texts: Sequence[str]) -> Self:
        """Counts labels or transcripts.

        Raises:
            DataError: there is none.
        """
        self._text = most_frequent(texts)
        return self

    def predict(self, sounds: Iterable[Any]) -> list[str]:
        """The same answer to each; what they are is not looked at.

        Raises:
            NotFittedError: before `fit`.
        """
        text = self._fitted()
        return [text for _ in sounds]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The text as named arrays.

        Raises:
            NotFittedError: before `fit`.
        """
        return pack_strings("text", [self._fitted()])

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        texts, rival = unpack_strings("text", arrays, cls.__name__), cls()
        if len(texts) != 1:
            raise impossible(arrays, ("text_bytes", "text_offsets"), cls.__name__)
        rival._text = texts[0]
        return rival

    def _fitted(self) -> str:
        if self._text is None:
            raise NotFittedError("this MostFrequent knows no text yet; call fit(texts)")
        return self._text
