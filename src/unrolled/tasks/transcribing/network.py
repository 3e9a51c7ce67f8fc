"""The network of a `Transcriber`: from frames of sound to what is said at every step.

Shapes: `T` frames, `B` recordings, `F` bands, `T'` steps, `C` size of a step, `H` what the
recurrent layers give, `V` symbols or labels.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.layers.states import State
from unrolled.tasks.text_encoder import locked_dropout
from unrolled.tasks.training_rates import TrainingRates
from unrolled.tasks.transcribing.front import Front
from unrolled.tasks.transcribing.level import Level
from unrolled.tasks.transcribing.pooling import Pooling
from unrolled.training.ctc_loss import ctc_loss


class Heard(NamedTuple):
    """What a network answers.

    Attributes:
        scores: of transcripts `(T', B, 1 + V)`, the blank first, or of a transducer what joins
            `(T', B, J)`; of labels `(B, V)`.
        lengths: `(B,)`, how many of the steps are a recording's.
    """

    scores: Tensor
    lengths: Tensor


class HeardState(NamedTuple):
    """What a network carries from chunk to chunk of a stream.

    Attributes:
        level: what is known of the recording's level.
        front: of each convolution what it has not used up.
        recurrent: of the recurrent layers.
        total: `(B, 1 + H)`, of what they gave, for a label of the whole: see `Pooling`; else None.
        steps: how many steps there were.
    """

    level: Tensor
    front: list[Tensor]
    recurrent: State
    total: Tensor | None
    steps: int


class TranscriptionNetwork(nn.Module):
    """Levelled frames, convolutions with strides, recurrent layers, and scores at every step.

        z_t = front(level(x));   h_t = recurrent(z_t, h_{t-1});   s_t = W h_t + b

    The scores are those of connectionist temporal classification (CTC): each step says a symbol or
    nothing (the blank, number 0), and what is said is what is left when repetitions and blanks are
    taken out. With `labelled` one label is said of the whole, from a weighted mean of `h_t`.

    Args:
        level: of frames.
        front: what reads them.
        recurrent: an `unrolled` layer, time-major; in one direction for streams.
        answers: V, or 1 + V with the blank.
        labelled: whether a recording has one label.
        dropout: share of what is read and given by the recurrent layers that is dropped in
            training, locked over time.
        smoothing: of the labels, in training.

    Attributes:
        normalised: whether what it answers is log-probabilities.

    Sources: Graves et al. 2006 (CTC); Amodei et al. 2016, arXiv 1512.02595.
    """

    normalised: ClassVar[bool] = True

    def __init__(
        self,
        level: Level,
        front: Front,
        recurrent: nn.RNNBase,
        answers: int,
        *,
        labelled: bool = False,
        dropout: float = 0.0,
        smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.level = level
        self.front = front
        self.recurrent: Any = recurrent
        self.labelled = labelled
        self.dropout = dropout
        self.smoothing = smoothing
        ways = 2 if recurrent.bidirectional else 1
        self.readout = nn.Linear(ways * recurrent.hidden_size, answers)
        self.pooling = Pooling(ways * recurrent.hidden_size) if labelled else None
        self._rates = TrainingRates([recurrent])

    def train(self, mode: bool = True) -> TranscriptionNetwork:
        """As torch's; in evaluation the layers' training dropouts are taken off."""
        super().train(mode)
        self._rates.set(mode)
        return self

    def forward(
        self,
        frames: Tensor,
        state: State = None,
        *,
        lengths: Tensor | None = None,
        starts: Tensor | None = None,
    ) -> tuple[Heard, None]:
        """Frames `(T, B, F)` of whole recordings; `starts` must be at step 0 only, for each."""
        if lengths is None:
            lengths = torch.full((frames.shape[1],), len(frames), device=frames.device)
        levelled, _ = self.level(frames)
        steps, counts = self.front(levelled, lengths)
        # Padding gives no steps that are nobody's.
        hidden, _ = self.recurrent(steps[: int(counts.max())], lengths=counts)
        if self.pooling is not None:
            hidden = self.pooling(hidden, counts)
            hidden = nn.functional.dropout(hidden, self.dropout, self.training)
        else:
            hidden = locked_dropout(hidden, self.dropout, self.training)
        return Heard(self.readout(hidden), counts), None

    def loss(self, heard: Heard, targets: Tensor) -> Tensor:
        """Of transcripts `-log p(text | x)` in nats per symbol; of labels the mean cross-entropy.

        Args:
            heard: what `forward` gave.
            targets: symbols `(N, B)`, `IGNORED_TARGET` beyond the end of each; or labels `(1, B)`.
        """
        if self.labelled:
            smoothing = self.smoothing if self.training else 0.0
            return cross_entropy(heard.scores, targets[0], label_smoothing=smoothing)
        counts = (targets != IGNORED_TARGET).sum(0)
        known = targets.clamp(min=0).t()
        return ctc_loss(heard.scores, heard.lengths, known, counts, per="symbol").loss

    def told(self, scores: Tensor) -> Tensor:
        """What a search reads of scores."""
        return scores.log_softmax(-1) if self.normalised else scores

    @property
    def answers(self) -> nn.Linear:
        """What gives each symbol, or label, its score."""
        return self.readout

    def blanks(self, steps: float, said: float) -> float:
        """How many blanks alignments of so many steps and symbols have."""
        return max(steps - said, 0.0)

    def begin(self, recordings: int = 1) -> HeardState:
        """Before the first frame of a stream."""
        level = self.level.begin(recordings)
        frames = level.new_zeros(0, recordings, len(self.level.mean))
        total = None if self.pooling is None else self.pooling.begin(recordings)
        return HeardState(level, self.front.begin(frames), None, total, 0)

    def stream(self, frames: Tensor, state: HeardState) -> tuple[Tensor, HeardState]:
        """Some more frames `(t, B, F)`: scores of the steps that they complete `(t', B, 1 + V)`, or
        of the label so far `(B, V)`; and the state after them."""
        levelled, level = self.level(frames, state.level)
        steps, front = self.front.stream(levelled, state.front)
        hidden, recurrent = steps.new_zeros(0, frames.shape[1], self.readout.in_features), None
        if len(steps):
            hidden, recurrent = self.recurrent(steps, state.recurrent)
        total = state.total
        if self.pooling is not None and total is not None:
            total = self.pooling.stream(hidden, total)
        after = HeardState(
            level,
            front,
            recurrent if len(steps) else state.recurrent,
            total,
            state.steps + len(steps),
        )
        return self.readout(hidden if total is None else total[:, 1:]), after
