"""`NetworkScorer`: a network as what a search asks, hypothesis by hypothesis.

Shapes: `R` rows (hypotheses), `S` source steps, `V` tokens.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy

import numpy as np
import torch
from torch import Tensor

from unrolled.data.batching.padded import padded
from unrolled.decoding.scorer import ranked
from unrolled.layers.readout_top import Readout, prefers_native
from unrolled.layers.states import map_state
from unrolled.tasks.arrays import like
from unrolled.tasks.translating.decoder import Decoder, DecoderState
from unrolled.tasks.translating.looking import SharedLook
from unrolled.tasks.translating.network import Memory, TranslationNetwork
from unrolled.tasks.translating.networks import AnyTranslationNetwork
from unrolled.tasks.translating.rounding import rounded
from unrolled.training.devices import supports_bfloat16, supports_int8


class NetworkScorer:
    """The next tokens' probabilities; the mean of several networks'.

    Args:
        model: in evaluation.
        sources: the tokens of each sentence, the end symbol included; row `i` begins as sentence
            `i`.
        precision: of the products of a step; see `Request`.
    """

    @torch.no_grad()
    def __init__(
        self,
        model: AnyTranslationNetwork,
        sources: Sequence[np.ndarray],
        *,
        precision: str = "fp32",
    ) -> None:
        device = like(model).device
        inputs = padded(sources, 0).to(device)
        lengths = torch.tensor([len(one) for one in sources], device=device)
        self._each = [_Rows(member, inputs, lengths, precision) for member in model.each]

    def step(self, tokens: Tensor) -> _Scores:
        """Read one token `(R,)` in every row, and give what may come next."""
        return _Scores([(one, *one.step(tokens)) for one in self._each])

    def select(self, rows: Tensor) -> None:
        """Row `i` becomes what row `rows[i]` was."""
        for one in self._each:
            one.select(rows)


class _Rows:
    """The rows of one network."""

    def __init__(
        self, network: TranslationNetwork, inputs: Tensor, lengths: Tensor, precision: str
    ) -> None:
        self.network = network
        self._decoder, self._look = _for_search(network.decoder, precision)
        self._sentences: Memory = network(inputs, lengths=lengths)[0]
        self._owners = torch.arange(len(lengths), device=lengths.device)
        if self._look is not None:
            self._sentences = self._look.prepared(self._sentences)
            self._look.share(self._owners)
        self._memory = self._sentences
        self._state = network.begin(self._memory)
        self.readout = _readout(network, precision)

    def step(self, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        """What the scores are made from `(R, E)`, and where each row looked `(R, S)`."""
        vectors = self.network.target(tokens)
        hidden, weights, self._state = self._decoder.step(vectors, self._state, self._memory)
        return hidden, weights

    def select(self, rows: Tensor) -> None:
        owners = self._owners[rows]
        # In most steps the hypotheses of a sentence change places among themselves, and what they
        # look at stays where it is.
        if not torch.equal(owners, self._owners):
            self._owners = owners
            self._memory = self._of(owners)
        state = self._state

        def chosen(part: Tensor) -> Tensor:
            return part.index_select(1, rows)

        self._state = DecoderState(
            map_state(chosen, state.first),
            None if state.upper is None else map_state(chosen, state.upper),
            None if state.fed is None else state.fed.index_select(0, rows),
        )

    def _of(self, owners: Tensor) -> Memory:
        """What the rows of some sentences look at, no longer than the longest of them."""
        whole = self._sentences
        summary = whole.summary.index_select(0, owners)
        if self._look is None:
            return whole._replace(summary=summary)
        before = self._look.sentences
        self._look.share(owners)
        sentences = self._look.sentences
        if torch.equal(before, sentences):
            return self._memory._replace(summary=summary)
        lengths = whole.lengths.index_select(0, sentences)
        longest = int(lengths.max())
        outputs, keys = whole.outputs[:longest].index_select(1, sentences), whole.keys
        if keys is not None:
            keys = keys[:longest].index_select(1, sentences)
        return Memory(outputs, summary, lengths, keys)


def _for_search(decoder: Decoder, precision: str) -> tuple[Decoder, SharedLook | None]:
    quick = prefers_native(decoder.combine.weight) and supports_bfloat16("cpu")
    low = precision == "bf16" or (precision == "auto" and quick)
    made = rounded(decoder) if low else copy(decoder)
    if decoder.attention is None:
        return made, None
    look = SharedLook(decoder.attention)
    made._modules = made._modules | {"attention": look}
    return made, look


def _readout(network: TranslationNetwork, precision: str) -> Readout:
    weight = network.scorer.detach()
    low = precision != "fp32" and supports_int8() and prefers_native(weight)
    return Readout(weight, network.bias.detach(), precision="int8" if low else "float32")


class _Scores:
    """What every token has for a score after a step; made when it is asked for."""

    def __init__(self, found: list[tuple[_Rows, Tensor, Tensor | None]]) -> None:
        self._found = found
        weights = [looked for _, _, looked in found if looked is not None]
        self.attention = torch.stack(weights).mean(0) if weights else None

    def all(self) -> Tensor:
        """Log-probabilities `(R, V)`."""
        each = [rows.network.scores(hidden).log_softmax(-1) for rows, hidden, _ in self._found]
        if len(each) == 1:
            return each[0]
        return torch.stack(each).logsumexp(0) - math.log(len(each))

    def top(self, k: int) -> tuple[Tensor, Tensor]:
        """The `k` likeliest tokens: values and tokens `(R, k)`."""
        if len(self._found) > 1:
            return ranked(self.all(), k)
        rows, hidden, _ = self._found[0]
        return rows.readout.top(hidden.detach(), min(k, len(rows.network.bias)))
