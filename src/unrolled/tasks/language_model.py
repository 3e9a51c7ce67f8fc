"""The network of a `Generator`: a text encoder, and scores for the next token."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.layers.states import State
from unrolled.tasks.text_encoder import TextEncoder, locked_dropout
from unrolled.training.losses import token_loss
from unrolled.training.sampled_softmax import NegativeSampling, sampled_softmax_loss


class LanguageModel(nn.Module):
    """Scores for the next token at every step.

        y_t, s_t = encoder(x_t, s_{t-1});   logits_t = W y_t + b

    With tied weights `W = embedding P`: the vectors that tokens are read with are what the scores
    are made with, through a projection `P (E, H)` where E and H differ.

    Shapes: `T` time, `B` batch, `V` tokens that there are, `E` embedding size, `H` hidden size.

    Args:
        encoder: of one direction.
        dropout: share of the encoder's outputs that is dropped in training, locked over time.
        tie_weights: make the scores with the embedding.

    Attributes:
        sampling: what a large vocabulary is trained with (see `sampled_softmax_loss`); None: all
            scores are made.

    Sources: Press and Wolf 2017, arXiv 1608.05859; Inan et al. 2017, arXiv 1611.01462 (tied
    weights).
    """

    def __init__(
        self, encoder: TextEncoder, *, dropout: float = 0.0, tie_weights: bool = False
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = dropout
        self.sampling: NegativeSampling | None = None
        symbols, size = encoder.embedding.weight.shape
        self.readout: nn.Linear | None = None
        self.projection: nn.Linear | None = None
        if not tie_weights:
            self.readout = nn.Linear(encoder.output_size, symbols)
            return
        if encoder.output_size != size:
            self.projection = nn.Linear(encoder.output_size, size, bias=False)
        self.bias = nn.Parameter(torch.zeros(symbols))
        # Scores begin near zero only where the vectors are short.
        nn.init.normal_(encoder.embedding.weight, std=size**-0.5)

    @property
    def each(self) -> list[LanguageModel]:
        """Itself, the one member."""
        return [self]

    @property
    def recurrent(self) -> Any:
        """The encoder's recurrent layer."""
        return self.encoder.recurrent

    def forward(
        self,
        inputs: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """`inputs` `(T, B)` int64 to logits `(T, B, V)` and the state after the last step.

        In training with `sampling` it is not logits but what they are made from, for `loss`.
        """
        hidden, state = self.read(inputs, state, lengths=lengths, starts=starts)
        hidden = locked_dropout(hidden, self.dropout, self.training)
        return (self._projected(hidden) if self._samples else self.scores(hidden)), state

    def begin_at(self, counts: Tensor) -> None:
        """Let every score begin at how often its token occurs, `counts (V,)`: nothing need be
        learnt for that."""
        shares = (counts + 1) / (counts.sum() + len(counts))
        with torch.no_grad():
            self._scorer[1].copy_(shares.log())

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean cross-entropy in nats per token of what `forward` gave, `targets (T, B)`."""
        if not self._samples:
            return token_loss(outputs, targets)
        assert self.sampling is not None
        drawn = self.sampling.draw().to(outputs.device)
        weight, bias = self._scorer
        return sampled_softmax_loss(outputs, weight, bias, targets, drawn, self.sampling)

    def read(
        self,
        ids: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Tensor, State]:
        """`ids` `(T, B)` int64 to what the scores are made from, `(T, B, H)`, and the state after
        the last step."""
        hidden, state = self.encoder(ids, state, lengths=lengths, starts=starts)
        return hidden, state

    def read_step(self, ids: Tensor, state: State = None) -> tuple[Tensor, State]:
        """`ids` `(B,)` int64 to what the scores are made from, `(B, H)`, and the state after this
        step."""
        hidden, state = self.encoder.step(ids, state)
        return hidden, state

    def step(self, ids: Tensor, state: State = None) -> tuple[Tensor, State]:
        """`ids` `(B,)` int64 to logits `(B, V)` and the state after this step."""
        hidden, state = self.read_step(ids, state)
        return self.scores(hidden), state

    def scores(self, hidden: Tensor) -> Tensor:
        """`hidden` `(..., H)` to logits `(..., V)`."""
        weight, bias = self._scorer
        return nn.functional.linear(self._projected(hidden), weight, bias)

    def log_probabilities(self, hidden: Tensor, targets: Tensor) -> Tensor:
        """`hidden` `(..., H)` and the tokens that follow `(...)` to their log-probabilities."""
        logits = self.scores(hidden).float()
        picked = logits.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        return picked - logits.logsumexp(-1)

    @property
    def _samples(self) -> bool:
        return self.training and self.sampling is not None

    @property
    def _scorer(self) -> tuple[Tensor, Tensor]:
        """The vector and the bias that each token's score is made with."""
        if self.readout is not None:
            return self.readout.weight, self.readout.bias
        return self.encoder.embedding.weight, self.bias

    def _projected(self, hidden: Tensor) -> Tensor:
        return hidden if self.projection is None else self.projection(hidden)
