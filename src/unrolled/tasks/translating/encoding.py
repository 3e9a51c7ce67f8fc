"""`PairTokens`: the sentences of two languages as token numbers, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unrolled.data.tokens import make_tokenizer, tokenizer_from_assets
from unrolled.data.tokens.tokenizer import Tokenizer
from unrolled.data.tokens.word_pattern import JOINER, join_keys
from unrolled.data.tokens.word_scan import WordScan

if TYPE_CHECKING:
    from unrolled.data.tokens.words import Words

_AT_ONCE = 1000


class PairTokens:
    """The tokenizers of both sides: one that they share, or one for each.

    Every sentence ends with the line break's token; a target begins with it, too, so that it reads
    as a line of a text does to a language model.

    Args:
        source, target: tokenizers of one kind; the same object where it is shared.
    """

    def __init__(self, source: Tokenizer, target: Tokenizer) -> None:
        self.source, self.target = source, target
        self.shared = source is target
        self.kind = source.kind
        (self.end,) = target.encode("\n").tolist()
        (self._source_end,) = source.encode("\n").tolist()

    @classmethod
    def learn(
        cls,
        sources: Sequence[str],
        targets: Sequence[str],
        *,
        kind: str,
        size: int | None,
        shared: bool,
    ) -> PairTokens:
        """From the sentences of both sides; `size` tokens at most, for each side where they share
        none."""

        def learnt(*sides: Sequence[str]) -> Tokenizer:
            text = (
                "".join(f"{one}\n" for one in side[at : at + _AT_ONCE])
                for side in sides
                for at in range(0, len(side), _AT_ONCE)
            )
            return make_tokenizer(kind, text, vocabulary_size=size)

        read = [_as_source(kind, one) for one in sources]
        written = [_as_line(one) for one in targets]
        if shared:
            both = learnt(read, written)
            return cls(both, both)
        return cls(learnt(read), learnt(written))

    def sources(self, sentences: Iterable[str]) -> list[np.ndarray]:
        """Each sentence's tokens and the end symbol, int64 `(n,)`."""
        end = [self._source_end]
        return [np.append(self._read(one), end) for one in sentences]

    def targets(self, sentences: Iterable[str]) -> list[np.ndarray]:
        """The begin symbol, each sentence's tokens and the end symbol, int64 `(n,)`."""
        end = [self.end]
        encode = self.target.encode
        return [np.concatenate([end, encode(_as_line(one)), end]) for one in sentences]

    def text(self, tokens: Sequence[int], copied: Mapping[int, str] | None = None) -> str:
        """The target sentence that tokens (without begin and end) write.

        Args:
            tokens: numbers.
            copied: by place, what stands there in place of an unknown token.
        """
        if not copied:
            return self.target.decode(tokens).strip()
        if self.kind == "characters":
            pieces = self.target.pieces
            written = (copied.get(at, pieces[one]) for at, one in enumerate(tokens))
            return "".join(written).strip()
        keys = cast("Words", self.target).keys
        return join_keys(copied.get(at, keys[one]) for at, one in enumerate(tokens)).strip()

    def pieces_of(self, sentence: str) -> list[str]:
        """The text of each source token of a sentence, of unknown ones too, as it stands there."""
        line = _as_source(self.kind, sentence)
        if self.kind == "words":
            return [key.strip(JOINER) for key in WordScan(None).keys(line)]
        if self.kind == "characters":
            return list(line)
        pieces = self.source.pieces
        return [pieces[one] for one in self._read(sentence).tolist()]

    def keys_of(self, prefix: str) -> list[str]:
        """What writes each target token of a prefix, known or not, as it stands there; of words and
        characters."""
        line = _as_line(prefix)
        return WordScan(None).keys(line) if self.kind == "words" else list(line)

    def _read(self, sentence: str) -> np.ndarray:
        return self.source.encode(_as_source(self.kind, sentence))

    def to_assets(self) -> dict[str, Any]:
        """Plain JSON for a model's card."""
        made = {"source": self.source.to_assets()}
        return made if self.shared else made | {"target": self.target.to_assets()}

    @classmethod
    def from_assets(cls, assets: Mapping[str, Any]) -> PairTokens:
        """The inverse of `to_assets`."""
        source = tokenizer_from_assets(assets["source"])
        if "target" not in assets:
            return cls(source, source)
        return cls(source, tokenizer_from_assets(assets["target"]))


def _as_line(sentence: str) -> str:
    return " ".join(sentence.split("\n")).strip()


def _as_source(kind: str, sentence: str) -> str:
    """Of subwords with a space before it, so that the first word is the same token as anywhere."""
    line = _as_line(sentence)
    return f" {line}" if kind == "subwords" and line else line
