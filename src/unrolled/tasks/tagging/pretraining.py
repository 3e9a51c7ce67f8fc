"""`LentWords`: the word vectors of a `Generator`, which the words of a `Tagger` begin with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from unrolled.data.tokens.checks import UNKNOWN
from unrolled.data.word_vectors import WordVectors
from unrolled.errors import ConfigError
from unrolled.tasks.initial import put_vectors
from unrolled.tasks.pretrained import digest_of, tokens_of
from unrolled.tasks.tagging.network import TagNetworks

if TYPE_CHECKING:
    from unrolled.tasks.generator import Generator


@dataclass(frozen=True)
class LentWords:
    """What a language model knows of words.

    Attributes:
        vectors: of words in lower case, as a tagger reads them, the most frequent first. A word
            that the model knows only with upper case ("London") lends as "london"; of several
            writings the one in lower case counts, else the most frequent.
        digest: of the model.
    """

    vectors: WordVectors
    digest: str

    @classmethod
    def of(cls, generator: Generator, name: str) -> LentWords:
        """The words of a fitted generator.

        Args:
            generator: fitted.
            name: of it, for messages.

        Raises:
            ConfigError: it reads something else than words.
        """
        tokens = tokens_of(generator)
        if tokens.kind != "words":
            raise ConfigError(
                f"pretrained: {name} has tokenizer={tokens.kind!r}, expected 'words', whose vectors"
                " a Tagger begins with; train a Generator with tokenizer='words'"
            )
        # Of one writing the first place counts: that of the most frequent token.
        exact: dict[str, int] = {}
        lowered: dict[str, int] = {}
        for place, piece in enumerate(tokens.pieces):
            if piece.strip() and piece != UNKNOWN:
                lower = piece.lower()
                (exact if piece == lower else lowered).setdefault(lower, place)
        places = {**lowered, **exact}
        words = sorted(places, key=places.__getitem__)
        table = generator.model.encoder.embedding.weight.detach().float().cpu()
        rows = table[torch.tensor([places[word] for word in words], dtype=torch.int64)]
        return cls(WordVectors(tuple(words), rows.numpy(), name=name), digest_of(generator))

    def told(self, sentences: Iterable[Sequence[str]]) -> str:
        """A line that says how many of the words of a training text are lent a vector.

        Raises:
            ConfigError: none of them.
        """
        seen = {word.lower() for sentence in sentences for word in sentence}
        known = seen & set(self.vectors.words)
        if not known:
            raise ConfigError(
                f"pretrained: {self.vectors.name} knows none of the {len(seen):,} words of the"
                " sentences, expected a language model of their language; leave pretrained out, or"
                " train a Generator on other text"
            )
        return (
            f"{len(known):,} of {len(seen):,} words begin with a vector from {self.vectors.name},"
            f" which knows {len(self.vectors) - len(known):,} more"
        )

    def lend(self, networks: TagNetworks, words: Sequence[str]) -> None:
        """Let the words of every member begin with their vectors; others stay as drawn.

        Args:
            networks: their tables of words have `V` rows of the size of the vectors.
            words: in lower case, `V - 1`; those of the rows from 1 on.
        """
        rows, known = map(torch.from_numpy, self.vectors.matrix(("", *words)))
        for member in networks.each:
            put_vectors(member.reader.words.weight, rows, known)
