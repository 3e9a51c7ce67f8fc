"""`Level`: frames in the units of the training set, and less a recording's own mean so far.

Shapes: `T` frames, `B` recordings, `F` bands.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from unrolled.data.band_scale import BandScale

# Frames after which the own mean forgets: two minutes, where there are 100 a second.
MEMORY = 12_000
# Frames that are levelled at once: beyond `MEMORY` their weights grow, e-fold in as many.
_AT_ONCE = 1 << 16


class Level(nn.Module):
    """What a microphone, a room and a voice add to every frame is learnt as the sound comes.

        d_t = x_t - mean;   y_t = (d_t - m_t) / deviation
        m_t = m_{t-1} + (d_t - m_{t-1}) / n_t,   n_t = after + min(t, MEMORY),   m_0 = 0

    At first the mean of the training set is what is taken off, after some frames more and more the
    recording's own: m_t = (d_1 + .. + d_t) / (after + t). From `MEMORY` frames on what is long past
    is forgotten, so that a stream of hours still follows a microphone that is moved, and no sum
    grows out of its digits. A frame depends on no later one, so that a stream has the frames of the
    whole.

    Args:
        mean: of each band over the training set, `(F,)`.
        deviation: of each band, once its means are taken off, `(F,)`.
        after: frames after which a recording's own mean counts for half; 0: the training set's
            alone.

    Source: Viikki and Laurila 1998 (recursive cepstral mean normalisation, begun at a mean that was
    learnt before).
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, scale: BandScale, after: int) -> None:
        super().__init__()
        self.after = after
        self.register_buffer("mean", torch.from_numpy(scale.mean))
        self.register_buffer("deviation", torch.from_numpy(scale.deviation))

    def begin(self, recordings: int) -> Tensor:
        """Before the first frame: what there is to know `(B, 1 + F)`, how many frames there were,
        up to `MEMORY`, then the mean `m`."""
        return self.mean.new_zeros(recordings, 1 + len(self.mean))

    def forward(self, frames: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Frames `(T, B, F)`, whole recordings or the next of a stream, and what is known after
        them."""
        if before is None:
            before = self.begin(frames.shape[1])
        apart = frames - self.mean
        if not self.after:
            return apart / self.deviation, before
        levelled = []
        for some in apart.split(_AT_ONCE):
            means, before = self._means(some, before)
            levelled.append(some - means)
        return torch.cat(levelled) / self.deviation, before

    def _means(self, apart: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """`m_t` of each frame, `(T, B, F)`, and what is known after them."""
        if not len(apart):
            return apart, before
        count, mean = before[:, :1], before[:, 1:]
        most = self.after + MEMORY
        frames = torch.arange(1, len(apart) + 1, device=apart.device)
        shares = self.after + count + frames[:, None, None]
        # With weights w_t that obey w_t - w_{t-1} = w_t / n_t, w_t m_t is a plain sum: they are n_t
        # as long as that grows, and then grow as fast as what was before is forgotten.
        beyond = (shares - most).clamp(min=0)
        shares = shares.clamp(max=most)
        weights = shares * (beyond * -math.log1p(-1 / most)).exp()
        sums = (self.after + count) * mean + (apart * (weights / shares)).cumsum(0)
        means = sums / weights
        return means, torch.cat([shares[-1] - self.after, means[-1]], -1)
