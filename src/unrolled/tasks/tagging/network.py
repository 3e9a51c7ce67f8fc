"""The network of a `Tagger`: what a word is written like, what stands around it, its tags' scores.

Shapes: `T` words of a sentence, `B` sentences, `F` numbers of a word (`word_forms`), `C` tags, `M`
members, `U` different words.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.layers import CRF
from unrolled.layers.crf_sums import Potentials
from unrolled.layers.states import State
from unrolled.tasks.members import Members
from unrolled.tasks.tagging.word_forms import (
    ENDS,
    FIRST_CHARACTER,
    FIRST_END,
    FORM,
    LENGTH,
    SHAPE,
    WORD,
)

Layers = Callable[[int, int, int, int], nn.RNNBase]
"""`(input size, hidden size, layers, directions)` to recurrent layers."""


@dataclass(frozen=True)
class Sizes:
    """Widths of a network.

    Attributes:
        words, shapes, ends, characters: how many there are of each.
        embedding: of a word's own vector.
        character: units of the layers that read a word's characters, in each direction; 0: none.
        end, shape, symbol: of the vectors of ends, shapes and characters.
        hidden, layers, directions: of the layers that read the sentence.
        tags: `C`.
    """

    words: int
    shapes: int
    ends: int
    characters: int
    embedding: int
    character: int
    hidden: int
    layers: int
    directions: int
    tags: int
    end: int = 64
    shape: int = 16
    symbol: int = 32


class WordReader(nn.Module):
    """A vector for each word: its own, and what its letters say.

        x = [word vector, last states of layers over its characters, sum of its ends', its shape's]

    A word's own vector is replaced by that of unknown words with probability `a / (a + count)` in
    training, so that the rest of `x` learns to do without it.

    Args:
        sizes: widths.
        make: recurrent layers.
        counts: `(V,)`, how often each word was seen; inf for one that is never replaced.
        word_dropout: `a`.

    Source: Kiperwasser and Goldberg 2016, arXiv 1603.04351 (words replaced by their rarity); Ling
    et al. 2015, arXiv 1508.02096 (words from characters).
    """

    def __init__(self, sizes: Sizes, make: Layers, counts: Tensor, word_dropout: float) -> None:
        super().__init__()
        self.words = nn.Embedding(sizes.words, sizes.embedding)
        self.ends = nn.EmbeddingBag(sizes.ends, sizes.end, mode="sum", padding_idx=0)
        self.shapes = nn.Embedding(sizes.shapes, sizes.shape)
        self.symbols = nn.Embedding(sizes.characters, sizes.symbol) if sizes.character else None
        # The layer's own type: torch's base class knows no `lengths`.
        self.characters: Any = (
            make(sizes.symbol, sizes.character, 1, 2) if sizes.character else None
        )
        nn.init.normal_(self.words.weight, std=3 / math.sqrt(sizes.embedding))
        nn.init.normal_(self.ends.weight, std=0.1)
        self.register_buffer("counts", counts, persistent=False)
        self.counts: Tensor
        self.word_dropout = word_dropout
        self.size = sizes.embedding + sizes.end + sizes.shape + 2 * sizes.character

    def forward(self, inputs: Tensor) -> Tensor:
        """`(..., F)` int64 to `(..., I)`; a word that occurs often is read once."""
        known, places = torch.unique(inputs[..., FORM], return_inverse=True)
        flat = places.flatten()
        where = torch.empty_like(known)
        where[flat] = torch.arange(len(flat), device=flat.device)
        letters = self._letters(inputs.flatten(0, -2)[where])
        words = inputs[..., WORD]
        if self.training and self.word_dropout > 0:
            share = self.word_dropout / (self.word_dropout + self.counts[words])
            dropped = torch.rand(words.shape, device=words.device) < share
            words = words.masked_fill(dropped, 0)
        return torch.cat([self.words(words), letters[places]], -1)

    def _letters(self, rows: Tensor) -> Tensor:
        """`(U, F)` to `(U, I - E)`."""
        parts = [
            self.ends(rows[:, FIRST_END : FIRST_END + 2 * ENDS]),
            self.shapes(rows[:, SHAPE]),
        ]
        if self.symbols is not None:
            lengths = rows[:, LENGTH]
            longest = int(lengths.max())
            read = self.symbols(rows[:, FIRST_CHARACTER : FIRST_CHARACTER + longest].T)
            _, state = self.characters(read, lengths=lengths)
            last = state[0] if isinstance(state, tuple) else state
            parts.append(last.transpose(0, 1).flatten(1))
        return torch.cat(parts, -1)


class TagNetwork(nn.Module):
    """One member: emissions of every word, and the potentials between neighbours.

        x_t = reader(word_t);   h = layers(x);   e_t = W h_t + b

    Args:
        sizes, make, counts, word_dropout: as for `WordReader`.
        dropout: share of what the layers read and give that is dropped in training, the same at
            all words of a sentence.
        crf: whether neighbours have a say; without, each word's tag is as if alone.
    """

    def __init__(
        self,
        sizes: Sizes,
        make: Layers,
        counts: Tensor,
        *,
        dropout: float,
        word_dropout: float,
        crf: bool,
    ) -> None:
        super().__init__()
        self.reader = WordReader(sizes, make, counts, word_dropout)
        # The layer's own type: torch's base class knows no `lengths` and no `step`.
        self.recurrent: Any = make(self.reader.size, sizes.hidden, sizes.layers, sizes.directions)
        self.recurrent.input_dropout = dropout
        self.readout = nn.Linear(sizes.hidden * sizes.directions, sizes.tags)
        self.dropout = dropout
        self.crf = CRF(sizes.tags).requires_grad_(crf)

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """`(T, B, F)` to emissions `(T, B, C)`."""
        hidden, _ = self.recurrent(self.reader(inputs), lengths=lengths)
        if self.training and self.dropout > 0:
            kept = torch.empty_like(hidden[:1]).bernoulli_(1 - self.dropout)
            hidden = hidden * (kept / (1 - self.dropout))
        emissions: Tensor = self.readout(hidden)
        return emissions

    def step(self, inputs: Tensor, state: State = None) -> tuple[Tensor, State]:
        """`(B, F)` to emissions `(B, C)` and the next state; layers of one direction only."""
        hidden, state = self.recurrent.step(self.reader(inputs), state)
        return self.readout(hidden), state


class TagNetworks(Members[TagNetwork]):
    """Members that answer together: a CRF whose scores are the mean of theirs.

        p(y | x) ~ product of p_m(y | x)^(1/M)

    so the likeliest tags and the probabilities are exact, as of a single CRF.
    """

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, None]:
        """`(T, B, F)` to the emissions of each member, `(M, T, B, C)`; no state is carried on, and
        every row begins a sentence."""
        return torch.stack([member(inputs, lengths) for member in self.each]), None

    def loss(self, emissions: Tensor, targets: Tensor) -> Tensor:
        """Mean over the members of `-log p(y | x)` in nats a word.

        Args:
            emissions: `(M, T, B, C)`.
            targets: `(T, B)`, negative beyond a sentence's length.
        """
        lengths = (targets >= 0).sum(0)
        each = [
            member.crf(own, targets, lengths).sum()
            for member, own in zip(self.each, emissions, strict=True)
        ]
        return -torch.stack(each).sum() / (lengths.sum().clamp(min=1) * len(each))

    @torch.no_grad()
    def joint(self) -> CRF:
        """The CRF of the members together."""
        crfs = [member.crf for member in self.each]
        together = CRF(crfs[0].tags).to(crfs[0].start)
        for name, parameter in together.named_parameters():
            parameter.copy_(torch.stack([getattr(crf, name) for crf in crfs]).mean(0))
        return together

    @torch.no_grad()
    def answer(
        self, inputs: Tensor, lengths: Tensor, rules: Potentials, *, shares: bool = True
    ) -> tuple[Tensor, Tensor | None]:
        """The likeliest tags `(T, B)`, and each tag's probability `(T, B, C)`.

        Args:
            inputs: `(T, B, F)`.
            lengths: `(B,)`.
            rules: 0 where a tag may stand, -inf where not; they don't count for a sentence that
                they leave no tags at all.
            shares: whether the probabilities are wanted; else None.
        """
        emissions = self(inputs, lengths=lengths)[0].mean(0)
        crf = self.joint()
        tags, score = crf.decode(emissions, lengths, penalties=rules)
        likely = crf.marginals(emissions, lengths, penalties=rules) if shares else None
        stuck = score == -torch.inf  # no tags are allowed, as of one word where all spans have two
        if stuck.any():
            rest = emissions[:, stuck], lengths[stuck]
            tags[:, stuck] = crf.decode(*rest)[0]
            if likely is not None:
                likely[:, stuck] = crf.marginals(*rest)
        return tags, likely
