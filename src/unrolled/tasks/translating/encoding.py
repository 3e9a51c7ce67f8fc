"""`PairTokens`: the sentences of two languages as token numbers, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from unrolled.data.tokens import make_tokenizer, tokenizer_from_assets
from unrolled.data.tokens.tokenizer import Tokenizer

_AT_ONCE = 1000


class PairTokens:
    """The tokenizers of both sides: one that they share, or one for each.

    Every sentence ends with the line break's token; a target begins with it, too.

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
                "".join(f"{as_line(kind, one)}\n" for one in side[at : at + _AT_ONCE])
                for side in sides
                for at in range(0, len(side), _AT_ONCE)
            )
            return make_tokenizer(kind, text, vocabulary_size=size)

        if shared:
            both = learnt(sources, targets)
            return cls(both, both)
        return cls(learnt(sources), learnt(targets))

    def sources(self, sentences: Iterable[str]) -> list[np.ndarray]:
        """Each sentence's tokens and the end symbol, int64 `(n,)`."""
        end = [self._source_end]
        return [np.append(self._encode(self.source, one), end) for one in sentences]

    def targets(self, sentences: Iterable[str]) -> list[np.ndarray]:
        """The begin symbol, each sentence's tokens and the end symbol, int64 `(n,)`."""
        end = [self.end]
        return [np.concatenate([end, self._encode(self.target, one), end]) for one in sentences]

    def text(self, tokens: Iterable[int]) -> str:
        """The target sentence that tokens (without begin and end) write."""
        return self.target.decode(tokens).strip()

    def _encode(self, tokenizer: Tokenizer, sentence: str) -> np.ndarray:
        return tokenizer.encode(as_line(self.kind, sentence))

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


def as_line(kind: str, sentence: str) -> str:
    """On one line; of subwords with a space before it, so that the first word is the same token as
    anywhere else."""
    line = " ".join(sentence.split("\n")).strip()
    return f" {line}" if kind == "subwords" and line else line
