"""The rival that the goals of the held-out speakers were set by, in plain torch.

    h = GRU(GRU((x - mean) / deviation));   p(label | x) = softmax(W h_T + b)

Two layers of 64 over 40 log-mels, 46,000 parameters; drawn batches of 64, Adam at a constant 1e-3,
gradients clipped to norm 1; the sounds as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from run_rival import Rival
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_sequence

from unrolled.data.band_scale import BandScale
from unrolled.data.log_mel import LogMel
from unrolled.data.recordings import Recordings
from unrolled.data.sound_file import samples_of

BATCH, RATE, CLIP = 64, 1e-3, 1.0
BANDS, HIDDEN, LAYERS = 40, 64, 2


class PlainGRU(Rival):
    """The rival and its training.

    Args:
        recordings: to learn from, each with a label.
        seed: of the weights and of the order.
    """

    name = "plain torch.nn.GRU"

    def __init__(self, recordings: Recordings, seed: int = 0) -> None:
        super().__init__()
        self._mel = LogMel(rate=int(recordings.items[0].rate), bands=BANDS)
        self.labels = sorted(set(recordings.texts))
        self._targets = torch.tensor([self.labels.index(one) for one in recordings.texts])
        frames = self._frames(recordings)
        scale = BandScale.of(one.numpy() for one in frames)
        self._scale = torch.from_numpy(scale.mean), torch.from_numpy(scale.deviation)
        self._inputs = self._normalised(frames)
        with self.drawn(seed):
            self.layers = nn.GRU(BANDS, HIDDEN, LAYERS)
            self.readout = nn.Linear(HIDDEN, len(self.labels))
        self.optimizer = torch.optim.Adam(self.parameters(), lr=RATE)
        self._order = self._batches(torch.Generator().manual_seed(seed))

    def update(self) -> float:
        """One step; its loss in nats a recording."""
        places = next(self._order)
        loss = cross_entropy(self([self._inputs[at] for at in places]), self._targets[places])
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters(), CLIP)
        self.optimizer.step()
        self.steps += 1
        return float(loss.detach())

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Scores `(B, V)` of normalised frames, `(T, F)` of each."""
        _, last = self.layers(pack_sequence(inputs, enforce_sorted=False))
        return self.readout(last[-1])

    @torch.no_grad()
    def predict(self, recordings: Recordings) -> list[str]:
        """The likeliest label of each."""
        self.eval()
        inputs = self._normalised(self._frames(recordings))
        return [self.labels[at] for at in self(inputs).argmax(1).tolist()]

    def _frames(self, recordings: Recordings) -> list[Tensor]:
        rate = self._mel.rate
        sounds = (samples_of(one, rate) for one in recordings.items)
        return [torch.from_numpy(self._mel.of(one)) for one in sounds]

    def _normalised(self, frames: list[Tensor]) -> list[Tensor]:
        mean, deviation = self._scale
        return [(one - mean) / deviation for one in frames]

    def _batches(self, draws: torch.Generator) -> Iterator[list[int]]:
        while True:
            order = torch.randperm(len(self._inputs), generator=draws).tolist()
            for begin in range(0, len(order), BATCH):
                yield order[begin : begin + BATCH]
