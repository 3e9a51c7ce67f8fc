"""`ShortChunks`: a network over the few frames of a chunk, on the CPU.

Shapes: `t` frames, `B` streams, `F` bands, `t'` steps, `C` channels, `V` symbols.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from unrolled.errors import ConfigError
from unrolled.layers.paths import asked_path
from unrolled.layers.session import Session
from unrolled.tasks.arrays import Arrays
from unrolled.tasks.transcribing.front import BANDS_STRIDE, WIDTH
from unrolled.tasks.transcribing.level import MEMORY
from unrolled.tasks.transcribing.network import TranscriptionNetwork
from unrolled.training.snapshot import flatten, unflatten

Floats = NDArray[np.float32]
# From so many frames on torch is as quick.
_MANY = 64
# Of each network where its weights are and their versions, the weights, and what was made of them;
# None where nothing can be.
_Made = tuple[list[tuple[int, int]], list[Tensor], "ShortChunks | None"]
_MADE: WeakKeyDictionary[nn.Module, _Made] = WeakKeyDictionary()


class ShortChunks:
    """What `TranscriptionNetwork.stream` gives for a few frames, up to rounding.

    A chunk of a tenth of a second is a few frames, and each call of torch takes longer than their
    arithmetic: the level, the convolutions (one product for all patches of three frames by three
    bands) and the logarithms are numpy's here, and the layers with the readout a `Session`'s.

    Args:
        model: of transcripts, over bands, in one direction, in float32 on the CPU.

    Raises:
        ConfigError: layers that can't be streamed.
    """

    def __init__(self, model: TranscriptionNetwork) -> None:
        level, front = model.level, model.front
        self._mean, self._deviation = level.mean.numpy(), level.deviation.numpy()
        self._after = level.after
        self._convolutions = [
            (_patches(_array(layer, "weight")), _array(layer, "bias"), stride)
            for layer, stride in zip(front.layers, front.strides, strict=True)
        ]
        exact = are_float16(model.recurrent) and are_float16(model.readout)
        precision = "float16" if exact else "float32"
        self._normalised = model.normalised
        self._session = Session(model.recurrent, model.readout, precision=precision)

    def stream(self, frames: Floats, state: Arrays) -> tuple[Floats | None, Arrays]:
        """Log-probabilities of the steps that are complete, `(t', B, 1 + V)`, or what joins, and
        the state after.

        Args:
            frames: `(t, B, F)`.
            state: of the streams side by side, as `read_sounds` keeps them; stays as it is.
        """
        after: Arrays = {}
        levelled, after["level"] = self._levelled(frames, state["level"])
        y = levelled.transpose(1, 0, 2)[:, None]  # (B, 1, t, F)
        for at, (weight, bias, stride) in enumerate(self._convolutions):
            name = f"front{at}"
            y, after[name] = _convolved(y, state[name], weight, bias, stride)
        streams, channels, count, bands = y.shape
        steps = y.transpose(2, 0, 1, 3).reshape(count, streams, channels * bands)
        recurrent = {name: state[name] for name in ("h", "c") if name in state}
        after["steps"] = np.array(count)
        if not count:
            return None, after | recurrent
        session = self._session.fresh(streams)  # of this call, so that threads may share a model
        session.state = unflatten([torch.from_numpy(one) for one in recurrent.values()])
        scores = session.run(steps)
        reached = (one.numpy() for one in flatten(session.state))
        said = _log_softmax(scores) if self._normalised else np.array(scores)
        return said, after | dict(zip(recurrent, reached, strict=True))

    def _levelled(self, frames: Floats, before: Floats) -> tuple[Floats, Floats]:
        """As `Level`; with g_t = (1 - 1 / n_1) .. (1 - 1 / n_t) the mean after t frames is
        g_t (m_0 + d_1 / (n_1 g_1) + .. + d_t / (n_t g_t))."""
        apart = frames - self._mean
        if not self._after:
            return apart / self._deviation, before
        count = before[:, :1] + np.arange(1, len(frames) + 1, dtype=np.float32)[:, None, None]
        count = np.minimum(count, np.float32(MEMORY))
        shares = count + np.float32(self._after)
        kept = np.cumprod(1 - 1 / shares, axis=0)
        means = kept * (before[:, 1:] + np.cumsum(apart / (shares * kept), axis=0))
        known = np.concatenate([count[-1], means[-1]], axis=1)
        return (apart - means) / self._deviation, known


def short_chunks(model: TranscriptionNetwork, frames: int) -> ShortChunks | None:
    """What goes over so many frames of a chunk; None where torch has to.

    Weights that are replaced or written to are read anew; torch does not tell of what is written
    through `.data`.
    """
    if frames >= _MANY or not can_be_short(model) or asked_path() not in ("auto", "native"):
        return None
    weights = _weights(model)
    known = [_state_of(one) for one in weights]
    made = _MADE.get(model)
    if made is None or made[0] != known:
        # Their memory is kept, so that no other weight gets the address of one.
        kept = [one.detach() for one in weights]
        made = _MADE[model] = (known, kept, _made(model, weights))
    return made[2]


def can_be_short(model: TranscriptionNetwork) -> bool:
    """Whether it is a network whose short chunks go without torch, on the CPU in float32."""
    both = bool(model.recurrent.bidirectional)
    return not model.labelled and model.front.bands and not both


def _made(model: TranscriptionNetwork, weights: list[Tensor]) -> ShortChunks | None:
    if any(one.device.type != "cpu" or one.dtype != torch.float32 for one in weights):
        return None
    try:
        return ShortChunks(model)
    except ConfigError:
        return None


def _weights(model: TranscriptionNetwork) -> list[Tensor]:
    """Without a walk through all modules, which takes longer than a convolution of a chunk; a cell
    of one's own has some deeper, and can't be streamed by a session."""
    parts = (*model.front.layers, model.recurrent, model.readout)
    return [one for part in parts for one in part._parameters.values() if one is not None]


def _state_of(weight: Tensor) -> tuple[int, int]:
    """What changes when a weight does."""
    return weight.data_ptr(), 0 if weight.is_inference() else weight._version


@torch.no_grad()
def round_to_float16(layer: nn.Module) -> None:
    """Each weight of a matrix becomes the nearest number that float16 has: half of the memory to
    read at a step of a stream, and the answers are those of the layer itself.

    Where one is beyond what float16 holds, all stay as they are.
    """
    rounded = [one.half().to(one.dtype) for one in _matrices(layer)]
    if all(one.isfinite().all() for one in rounded):
        for weight, one in zip(_matrices(layer), rounded, strict=True):
            weight.copy_(one)


def are_float16(layer: nn.Module) -> bool:
    """Whether float16 holds each weight of a matrix as it is."""
    return all(torch.equal(one.half().to(one.dtype), one) for one in _matrices(layer))


def _matrices(layer: nn.Module) -> list[nn.Parameter]:
    return [one for one in layer.parameters() if one.dim() > 1]


def _convolved(
    y: Floats, before: Floats, weight: Floats, bias: Floats, stride: int
) -> tuple[Floats, Floats]:
    """`(B, C, t, F)`, behind what the chunk before left, to `(B, C', t', F')`; and what is left."""
    streams, channels, fresh, bands = y.shape
    kept = before.shape[2]
    long = kept + fresh
    # A band of zeros on either side.
    wide = np.zeros((streams, channels, long, bands + 2), np.float32)
    wide[:, :, :kept, 1:-1] = before
    wide[:, :, kept:, 1:-1] = y
    steps, bands = max(0, (long - WIDTH) // stride + 1), -(-bands // BANDS_STRIDE)
    left = wide[:, :, steps * stride :, 1:-1].copy()
    row, channel, time, band = wide.strides
    patches: Any = np.ndarray(
        (streams, steps, bands, channels, WIDTH, WIDTH),
        np.float32,
        wide,
        strides=(row, stride * time, BANDS_STRIDE * band, channel, time, band),
    )
    flat = patches.reshape(streams * steps * bands, len(weight)) @ weight
    flat += bias
    np.maximum(flat, 0, out=flat)
    return flat.reshape(streams, steps, bands, len(bias)).transpose(0, 3, 1, 2), left


def _log_softmax(scores: Floats) -> Floats:
    below = scores - scores.max(axis=-1, keepdims=True)
    found: Floats = below - np.log(np.exp(below).sum(axis=-1, keepdims=True))
    return found


def _patches(weight: Floats) -> Floats:
    """`(C, C below, 3, 3)` as what a row of patches is multiplied with."""
    return weight.reshape(len(weight), -1).T.copy()


def _array(layer: nn.Module, name: str) -> Floats:
    found: Floats = layer.get_parameter(name).detach().numpy()
    return found
