"""`Subwords`: byte-pair encoding, in which no text is unknown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np

from unrolled.data.tokens.checks import (
    UNKNOWN,
    check_ids,
    check_number,
    first_of,
    word_beginnings,
)
from unrolled.errors import ConfigError

SAMPLE = 50_000_000
# The unknown token, the 256 bytes and something to gain by.
_LEAST = 300
# A word with the spaces before it. The tokenizer cuts there too, so that the tokens of each word
# need only be found once.
_WORD = re.compile(r"[^\S\n]*\S+|[^\S\n]+|\n")
# Words of which the tokens are remembered; then it begins anew.
_MOST_KEPT = 300_000


class Subwords:
    """Frequent sequences of bytes, each with its number (byte-level byte-pair encoding).

    The text is cut at spaces, each going with the word after it, and between letters, digits and
    marks; the UTF-8 bytes of each part are joined, the most frequent pair first, as in the text
    that the tokenizer learnt from (Sennrich et al. 2016, arXiv 1508.07909; bytes as in GPT-2). A
    line break is never joined to anything.

    Args:
        tokenizer: the JSON of a `tokenizers` tokenizer as `to_assets` gives it.

    `decode(encode(text)) == text` for every text. Number 0, the unknown token, is there as in the
    other kinds and is never given.
    """

    kind = "subwords"

    def __init__(self, tokenizer: Mapping[str, Any]) -> None:
        from tokenizers import Tokenizer

        try:
            self._json = json.dumps(tokenizer, ensure_ascii=False)
            self._tokenizer = Tokenizer.from_str(self._json)
        # the library raises plain Exception
        except Exception as error:
            reason = " ".join(str(error).split())
            raise ConfigError(f"this is no tokenizer of subwords: {reason}") from None
        keys = sorted(self._tokenizer.get_vocab().items(), key=lambda pair: pair[1])
        bytes_of = _bytes_of_letters()
        self._known: dict[str, tuple[int, ...]] = {}
        try:
            if [number for _, number in keys] != list(range(len(keys))) or keys[0][0] != UNKNOWN:
                raise KeyError
            self._bytes = [
                UNKNOWN.encode(),
                *(bytes(bytes_of[letter] for letter in key) for key, _ in keys[1:]),
            ]
            if not set(bytes_of.values()) <= {one[0] for one in self._bytes if len(one) == 1}:
                raise KeyError
        except (KeyError, ValueError, IndexError):
            raise ConfigError(
                "this is no tokenizer of subwords with U+FFFD at number 0 and a token for each byte"
            ) from None

    @classmethod
    def learn(cls, pieces: Iterable[str], *, vocabulary_size: int | None = None) -> Subwords:
        """The byte pairs of texts, the most frequent first.

        Args:
            pieces: texts; the first 50 million characters are read.
            vocabulary_size: the most tokens, 300 or more; None: 8,000. A short text fills fewer.
        """
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        size = 8_000 if vocabulary_size is None else vocabulary_size
        trainer = trainers.BpeTrainer(
            vocab_size=check_number("vocabulary_size", size, _LEAST),
            min_frequency=2,
            special_tokens=[UNKNOWN],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        if isinstance(pieces, str):
            pieces = (pieces,)
        lines = (_lines(piece) for piece in first_of(pieces, SAMPLE))
        made.train_from_iterator(chain.from_iterable(lines), trainer)
        # U+FFFD keeps number 0, but is read in a text as the bytes that it is
        return cls(json.loads(made.to_str()) | {"added_tokens": []})

    @classmethod
    def from_assets(cls, assets: Mapping[str, Any]) -> Subwords:
        """What `to_assets` gave."""
        tokenizer = assets.get("tokenizer")
        if not isinstance(tokenizer, dict):
            raise ConfigError("this is no tokenizer of subwords: it has no tokenizer")
        return cls(tokenizer)

    def to_assets(self) -> dict[str, Any]:
        """Kind and the whole tokenizer, for a model's card."""
        return {"kind": self.kind, "tokenizer": json.loads(self._json)}

    def __len__(self) -> int:
        return len(self._bytes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Subwords) and self._json == other._json

    def __hash__(self) -> int:
        return hash(self._json)

    @cached_property
    def pieces(self) -> tuple[str, ...]:
        """The text of each token; U+FFFD for each part of a character that is cut."""
        return tuple(one.decode("utf-8", "replace") for one in self._bytes)

    @cached_property
    def word_beginnings(self) -> np.ndarray:
        """Of each token whether it begins with a space or a mark, bool `(V,)`."""
        return word_beginnings(self.pieces)

    def begins_word(self, id: int) -> bool:
        """Whether the token begins with a space or a mark, so that the word before it is whole."""
        return bool(self.word_beginnings[id])

    def encode(self, text: str) -> np.ndarray:
        """The number of each token, int64 `(n,)`."""
        if _has_surrogates(text):
            text = text.encode("utf-8", "replace").decode()
        words = _WORD.findall(text)
        known = self._known
        if len(known) > _MOST_KEPT:
            known.clear()
        if missing := [word for word in set(words) if word not in known]:
            found = self._tokenizer.encode_batch_fast(missing, add_special_tokens=False)
            known.update(zip(missing, (tuple(one.ids) for one in found), strict=True))
        return np.fromiter(chain.from_iterable(map(known.__getitem__, words)), dtype=np.int64)

    def count_unknown(self, text: str) -> int:
        """0: every text is known."""
        return 0

    def to_bytes(self, ids: Iterable[int]) -> bytes:
        """The UTF-8 bytes of the numbers, which may begin or end inside a character."""
        pieces = self._bytes
        return b"".join([pieces[number] for number in check_ids(ids, len(self)).tolist()])

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the numbers; ConfigError for a number that is not known."""
        return self.to_bytes(ids).decode("utf-8", "replace")


def _lines(piece: str) -> Iterator[str]:
    return (line for line in piece.split("\n") if line)


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _bytes_of_letters() -> dict[str, int]:
    """The byte that each letter of the byte-level alphabet stands for (the table of GPT-2).

    Printable bytes stand for themselves, the others are counted from U+0100 on.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {
        chr(0x100 + place): byte for place, byte in enumerate(others)
    }
