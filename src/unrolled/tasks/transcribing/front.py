"""`Front`: what stands between frames of sound and recurrent layers: fewer, wider steps.

Shapes: `T` frames, `B` recordings, `F` bands of a frame, `T'` steps, `C` size of a step.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Of a convolution over time, in frames (or steps of the convolution below it).
WIDTH = 3
# A convolution over bands halves them.
BANDS_STRIDE = 2


class Front(nn.Module):
    """Convolutions over time, each with a stride; the product of the strides is the subsampling.

        y_t = relu(W [x_{ts-2+s-1}, .., x_{ts+s-1}] + b),   x before the first frame being zero

    A step sees no frame after its own, so that a stream gets it as soon as they are there:
    `T' = floor(T / subsampling)`, and every cutting of the frames gives the same steps.

    Args:
        size: F.
        channels: of each convolution over time and bands, which share their weights over bands: a
            voice that lies higher moves along them. 0: one convolution over time for all
            bands, for features whose neighbours are nothing to each other.
        width: what the steps have without bands (`channels=0`).
        strides: of each convolution, over time.

    Attributes:
        size: C.
        subsampling: frames of a step.

    Source: Amodei et al. 2016, arXiv 1512.02595 (convolutions over time and frequency before
    recurrent layers).
    """

    def __init__(
        self, size: int, *, channels: int, width: int = 128, strides: Sequence[int] = (2, 1)
    ) -> None:
        super().__init__()
        self.strides = tuple(strides)
        self.bands = channels > 0
        self._frame_size = size
        layers: list[nn.Module] = []
        reads = 1 if self.bands else size
        self._reads = []
        for stride in self.strides:
            self._reads.append(reads)
            if self.bands:
                steps = (stride, BANDS_STRIDE)
                layers.append(nn.Conv2d(reads, channels, WIDTH, stride=steps, padding=(0, 1)))
                reads, size = channels, -(-size // BANDS_STRIDE)
            else:
                layers.append(nn.Conv1d(reads, width, WIDTH, stride=stride))
                reads = width
        self.layers = nn.ModuleList(layers)
        self.size = reads * size if self.bands else reads
        self.subsampling = 1
        for stride in self.strides:
            self.subsampling *= stride

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Frames `(T, B, F)` of whole recordings to steps `(T', B, C)` and their `lengths`."""
        steps, _ = self.stream(frames, self.begin(frames))
        return steps, torch.div(lengths, self.subsampling, rounding_mode="floor")

    def begin(self, frames: Tensor) -> list[Tensor]:
        """What stands before the first frame, as `stream` keeps it; `frames` `(T, B, F)` gives the
        number of recordings, the dtype and the device."""
        left, size = [], self._frame_size
        for reads, stride in zip(self._reads, self.strides, strict=True):
            shape = (frames.shape[1], reads, WIDTH - stride)
            left.append(frames.new_zeros((*shape, size) if self.bands else shape))
            size = -(-size // BANDS_STRIDE)
        return left

    def stream(self, frames: Tensor, left: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Some more frames `(t, B, F)` to the steps that they complete, which may be none.

        Args:
            frames: any number of them, none too.
            left: of each convolution what it has not used up, from `begin` or the call before.
        """
        # (B, channels, T, bands) or (B, F, T)
        y = frames.transpose(0, 1).unsqueeze(1) if self.bands else frames.permute(1, 2, 0)
        after = []
        for layer, stride, before in zip(self.layers, self.strides, left, strict=True):
            y = torch.cat([before, y], 2)
            steps = (y.shape[2] - WIDTH) // stride + 1
            after.append(y[:, :, steps * stride :])
            y = torch.relu(layer(y)) if steps else y.new_zeros(self._shape_of(layer, y))
        order = y.permute(2, 0, 1, 3).flatten(2) if self.bands else y.permute(2, 0, 1)
        return order, after

    def _shape_of(self, layer: nn.Module, y: Tensor) -> tuple[int, ...]:
        """Of no step."""
        weight = layer.get_parameter("weight")
        shape = (len(y), len(weight), 0)
        return (*shape, -(-y.shape[3] // BANDS_STRIDE)) if self.bands else shape
