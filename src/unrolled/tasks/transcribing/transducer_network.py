"""The network of a `Transcriber` with a transducer's head.

Shapes: `T'` steps, `B` recordings, `N` symbols or hypotheses, `J` size of the joiner, `V` symbols.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import linear

from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.decoding.ctc_checks import Floats, Ints
from unrolled.tasks.arrays import like
from unrolled.tasks.initial import initialise
from unrolled.tasks.text_encoder import locked_dropout
from unrolled.tasks.transcribing.front import Front
from unrolled.tasks.transcribing.level import Level
from unrolled.tasks.transcribing.network import Heard, TranscriptionNetwork
from unrolled.tasks.transcribing.symbols import BLANK
from unrolled.training.snapshot import flatten, unflatten
from unrolled.training.transducer_joint import joint_transducer_loss


class Prediction(nn.Module):
    """What comes next after what was said, as the joiner wants it.

        h_u = recurrent(E y_u, h_{u-1}),   g_u = W h_u,   y_0 the blank: nothing said yet

    Args:
        recurrent: an `unrolled` layer in one direction, time-major; its input is the embedding.
        symbols: 1 + V.
        size: J.
    """

    def __init__(self, recurrent: nn.RNNBase, symbols: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, recurrent.input_size)
        self.recurrent: Any = recurrent
        self.readout = nn.Linear(recurrent.hidden_size, size, bias=False)

    def forward(self, tokens: Tensor, dropout: float = 0.0) -> Tensor:
        """Symbols `(N, B)` said so far to g `(1 + N, B, J)`, before the first and after each."""
        said = torch.cat([tokens.new_full((1, tokens.shape[1]), BLANK), tokens])
        hidden, _ = self.recurrent(self.embedding(said))
        found: Tensor = self.readout(locked_dropout(hidden, dropout, self.training))
        return found

    @torch.no_grad()
    def step(self, tokens: Ints, state: Floats | None) -> tuple[Floats, Floats]:
        """g `(N, J)` after one more symbol of each hypothesis, and the states `(N, S)`."""
        asked = torch.from_numpy(np.asarray(tokens, np.int64)).to(like(self).device)
        hidden, after = self.recurrent(self.embedding(asked)[None], self._unpacked(state))
        reached = torch.cat(flatten(after), -1)[0]
        return _array(self.readout(hidden[0])), _array(reached)

    def after(self, begin: tuple[Floats, Floats], tokens: Tensor) -> Tensor:
        """As `forward` of symbols `(N, 1)`, which are said after what `step` gave."""
        said, state = begin
        first = torch.from_numpy(said).to(like(self))[None]
        if not len(tokens):
            return first
        hidden, _ = self.recurrent(self.embedding(tokens), self._unpacked(state))
        return torch.cat([first, self.readout(hidden)])

    def _unpacked(self, state: Floats | None) -> Any:
        if state is None:
            return None
        leaves = torch.from_numpy(state).to(like(self)).unsqueeze(0)
        return unflatten([one.contiguous() for one in leaves.split(self.recurrent.hidden_size, -1)])


class TransducerNetwork(TranscriptionNetwork):
    """A recogniser whose steps know what was said before them.

        f_t = W_f h_t + b_f  of the recurrent layers;   g_u of the prediction network
        p(symbol or blank | t, u) = softmax(W tanh(f_t + g_u) + b)

    Each step says any number of symbols, then the blank, which leads to the next step: unlike with
    CTC its symbols are not independent of one another, and it needs no language model to write
    words that it has read. `forward` gives f, `stream` too.

    Args:
        prediction: the prediction network.
        symbols: 1 + V.
        level, front, recurrent, dropout: as of `TranscriptionNetwork`.

    Source: Graves 2012, arXiv 1211.3711; the joiner of Graves et al. 2013, arXiv 1303.5778.
    """

    normalised: ClassVar[bool] = False

    def __init__(
        self,
        level: Level,
        front: Front,
        recurrent: nn.RNNBase,
        prediction: Prediction,
        symbols: int,
        *,
        dropout: float = 0.0,
    ) -> None:
        size = prediction.readout.out_features
        super().__init__(level, front, recurrent, size, dropout=dropout)
        self.prediction = prediction
        self.joiner = nn.Linear(size, symbols)

    @property
    def answers(self) -> nn.Linear:
        return self.joiner

    def blanks(self, steps: float, said: float) -> float:
        """Every step ends with a blank, whatever is said on it."""
        return steps

    def loss(self, heard: Heard, targets: Tensor) -> Tensor:
        """`-log p(text | x)` in nats per symbol; targets `(N, B)` as of `TranscriptionNetwork`."""
        counts = (targets != IGNORED_TARGET).sum(0)
        known = targets.clamp(min=0)
        said = self.prediction(known, self.dropout)
        return joint_transducer_loss(
            heard.scores.to(said.dtype),
            said,
            self.joiner.weight,
            self.joiner.bias,
            heard.lengths,
            known.t(),
            counts,
            per="symbol",
        ).loss

    # What a search asks: `decoding.transducer.Transducer`, in evaluation.

    def begin_search(self) -> tuple[Floats, Floats]:
        """g `(1, J)` before the first symbol, and the state `(1, S)`."""
        return self.prediction.step(np.array([BLANK]), None)

    @torch.no_grad()
    def join(self, frame: Floats, said: Floats) -> Floats:
        """Log-probabilities `(N, 1 + V)`."""
        weights = self.joiner.weight
        hidden = torch.from_numpy(frame + said).to(weights).tanh()
        return _array(linear(hidden, weights, self.joiner.bias).log_softmax(-1))

    @torch.no_grad()
    def text_sums(
        self,
        frames: Floats,
        texts: Sequence[Sequence[int]],
        begin: tuple[Floats, Floats] | None = None,
    ) -> NDArray[np.float64]:
        """`(N,)`: log-probabilities of texts, each over all its alignments with f `(T', J)`, after
        what was said before them: g and state, as a search has them."""
        begin = self.begin_search() if begin is None else begin
        weights, found = self.joiner.weight, np.empty(len(texts))
        f = torch.from_numpy(frames).to(weights)[:, None]
        length = torch.tensor([len(f)], device=f.device)
        for at, one in enumerate(texts):
            tokens = torch.tensor([*one], dtype=torch.int64, device=f.device)
            count = torch.tensor([len(tokens)], device=f.device)
            said = self.prediction.after(begin, tokens[:, None])
            lost = joint_transducer_loss(
                f, said, weights, self.joiner.bias, length, tokens[None], count
            )
            found[at] = -float(lost.loss)
        return found


def make_prediction(cell: Any, symbols: int, size: int) -> Prediction:
    """A new one: a layer of the class `cell` with as many units as the joiner's `size`.

    At first g is zero. Else what follows what is learnt before the sound is, and a small network
    learns slower: of tones in a row 13 of 20 transcripts were right after 300 steps, 17 after 250
    so.
    """
    recurrent: nn.RNNBase = cell(size, size)
    initialise(recurrent)
    prediction = Prediction(recurrent, symbols, size)
    nn.init.zeros_(prediction.readout.weight)
    return prediction


def _array(tensor: Tensor) -> Floats:
    found: Floats = tensor.detach().float().cpu().numpy()
    return found
