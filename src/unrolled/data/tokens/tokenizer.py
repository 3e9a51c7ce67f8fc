"""`Tokenizer`: what every kind of token can do, how one is learnt, kept and brought back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np

from unrolled.errors import ConfigError

KINDS = ("characters", "words", "subwords")


@runtime_checkable
class Tokenizer(Protocol):
    """A text as numbers and back. `V` is the number of different tokens.

    Attributes:
        kind: "characters", "words" or "subwords".
        pieces: the text of each id as `decode` gives it alone; id 0, the unknown token, is U+FFFD.
        word_beginnings: bool `(V,)`, what `begins_word` says of each id.

    `"\\n"` always has an id of its own. Encoding a text in parts that were cut after its newlines
    gives the same ids as encoding it whole.
    """

    kind: str

    @property
    def pieces(self) -> tuple[str, ...]: ...

    @property
    def word_beginnings(self) -> np.ndarray: ...

    def __len__(self) -> int: ...

    def encode(self, text: str) -> np.ndarray:
        """The ids of a text, int64 `(n,)`; 0 for what is not known."""

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids; ConfigError for an id that the tokenizer does not have."""

    def count_unknown(self, text: str) -> int:
        """How many tokens of the text are not known."""

    def begins_word(self, id: int) -> bool:
        """Whether a word that stands before this token is complete.

        True for a space, a line break, a mark of punctuation and (of words) the next word; False
        for what writes the word on: a letter, a digit, the apostrophe of "don't".
        """

    def to_assets(self) -> dict[str, Any]:
        """Plain JSON for a model's card; `tokenizer_from_assets` brings the tokenizer back."""


def make_tokenizer(
    kind: str,
    pieces: Iterable[str],
    *,
    vocabulary_size: int | None = None,
    lower: bool = False,
    min_count: int | None = None,
) -> Tokenizer:
    """Learn a tokenizer from texts, in one pass and in bounded memory.

    Args:
        kind: "characters", "words" or "subwords".
        pieces: texts, or parts of one (cut at spaces or newlines).
        vocabulary_size: the most tokens that are kept, the most frequent first; None keeps all
            characters, 30,000 words, 8,000 subwords.
        lower: words only: upper case is read as lower case.
        min_count: what is rarer becomes unknown; None: 1 for characters, 2 for words. Not for
            subwords, of which none is unknown.

    Characters are learnt from all that is given, words from its first 200 million characters,
    subwords from its first 50 million.

    Raises: ConfigError for another kind or an option out of range.
    """
    options: dict[str, Any] = {"vocabulary_size": vocabulary_size}
    if min_count is not None:
        options["min_count"] = min_count
    if lower:
        options["lower"] = True
    made = _of_kind(kind)
    for name, owners in {"lower": ("words",), "min_count": ("characters", "words")}.items():
        if name in options and kind not in owners:
            raise ConfigError(f"{name}= is an option of {' and '.join(owners)}, not of {kind}")
    learnt: Tokenizer = made.learn(pieces, **options)
    return learnt


def tokenizer_from_assets(assets: Mapping[str, Any]) -> Tokenizer:
    """The tokenizer of `to_assets`; ConfigError (a ValueError) for anything else."""
    try:
        kind = assets["kind"]
    except (TypeError, KeyError, IndexError):
        raise ConfigError("this is no tokenizer: it names no kind") from None
    restored: Tokenizer = _of_kind(kind).from_assets(assets)
    return restored


def _of_kind(kind: str) -> Any:
    if kind == "characters":
        from unrolled.data.tokens.characters import Characters

        return Characters
    if kind == "words":
        from unrolled.data.tokens.words import Words

        return Words
    if kind == "subwords":
        from unrolled.data.tokens.subwords import Subwords

        return Subwords
    raise ConfigError(f"tokenizer={kind!r} is not known: give one of {', '.join(KINDS)}")
