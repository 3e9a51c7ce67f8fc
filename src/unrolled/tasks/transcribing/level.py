"""`Level`: frames in the units of the training set, and less a recording's own mean so far.

Shapes: `T` frames, `B` recordings, `F` bands.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unrolled.data.band_scale import BandScale


class Level(nn.Module):
    """What a microphone, a room and a voice add to every frame is learnt as the sound comes.

        d_t = x_t - mean;   y_t = (d_t - (d_1 + .. + d_t) / (after + t)) / deviation

    At first the mean of the training set is what is taken off, after some frames more and more the
    recording's own. A frame depends on no later one, so that a stream has the frames of the whole.

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
        then the sums of `d`."""
        return self.mean.new_zeros(recordings, 1 + len(self.mean))

    def forward(self, frames: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Frames `(T, B, F)`, whole recordings or the next of a stream, and what is known after
        them."""
        if before is None:
            before = self.begin(frames.shape[1])
        apart = frames - self.mean
        sums = before[:, 1:] + apart.cumsum(0)
        count = (
            before[:, :1] + torch.arange(1, len(frames) + 1, device=frames.device)[:, None, None]
        )
        after = torch.cat([count[-1:], sums[-1:]], -1)[0] if len(frames) else before
        own = sums / (count + self.after) if self.after else 0.0
        return (apart - own) / self.deviation, after
