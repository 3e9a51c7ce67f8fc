"""A recogniser on a stream: samples in as they come, words out; all that it keeps are arrays."""

from __future__ import annotations

from collections.abc import Sequence
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from unrolled.errors import DataError
from unrolled.tasks.arrays import Arrays, Shape, like
from unrolled.tasks.transcribing.framing import Framing
from unrolled.tasks.transcribing.network import HeardState, TranscriptionNetwork
from unrolled.tasks.transcribing.short_chunks import short_chunks
from unrolled.training.snapshot import flatten, unflatten

# Of a state what holds numbers of the network, beside the convolutions'.
_NAMES = ("level", "h", "c", "total")
_SHAPES: WeakKeyDictionary[nn.Module, dict[str, Shape]] = WeakKeyDictionary()


def begun(model: TranscriptionNetwork, framing: Framing) -> Arrays:
    """Before the first sample: `samples` that no frame has used up, the `level` so far, what each
    convolution has not used up (`front0` and so on), the recurrent state `h` (and `c`), and how
    many `steps` there were; of labels the `total` of what the layers gave.
    """
    found = _to_arrays(model, model.begin())
    if framing.mel is not None:
        found["samples"] = np.zeros(0, np.float32)
    return found


@torch.no_grad()
def read_sounds(
    model: TranscriptionNetwork,
    framing: Framing,
    sounds: Sequence[np.ndarray],
    states: Sequence[Arrays],
) -> list[tuple[np.ndarray | None, Arrays]]:
    """Read some more sound of each stream; those that are alike are calculated together.

    Args:
        model: in evaluation, in one direction.
        framing: of the model.
        sounds: of each stream samples `(N,)` at its rate, or frames `(t, F)` of ready-made
            features; may be empty.
        states: of each from `begun` or the call before, of the shapes that `heard_shapes` tells;
            they stay as they are.

    Returns:
        Of each stream log-probabilities of the steps that are complete, `(t', 1 + V)`, or what
        joins `(t', J)`, or of the label so far `(V,)`; float32; None where no step is; and the
        state after.

    Raises:
        DataError: that are no samples.
    """
    found: list[tuple[np.ndarray | None, Arrays]] = []
    alike: dict[tuple[int, ...], list[int]] = {}
    frames: list[np.ndarray] = []
    for at, (sound, state) in enumerate(zip(sounds, states, strict=True)):
        try:
            some, left = _frames(framing, sound, state)
        except DataError as error:
            raise DataError(f"sounds[{at}]: {error}" if len(sounds) > 1 else str(error)) from None
        frames.append(some)
        if len(some):
            fronts = (state[name].shape[2] for name in _fronts(model))
            alike.setdefault((len(some), *fronts), []).append(at)
            found.append((None, left))
        else:
            # Sound that comes a few samples at a time completes a frame now and then only.
            kept = {name: state[name].copy() for name in heard_shapes(model, framing)}
            found.append((None, kept | left))
    for several in alike.values():
        together = _side_by_side([states[at] for at in several], model)
        said, after = _read(model, np.stack([frames[at] for at in several], 1), together)
        for row, at in enumerate(several):
            own = {name: _row(name, one, row) for name, one in after.items() if name != "steps"}
            steps = {"steps": np.array(states[at]["steps"] + after["steps"])}
            found[at] = None if said is None else said[row], own | steps | found[at][1]
    return found


def _frames(framing: Framing, sound: np.ndarray, state: Arrays) -> tuple[np.ndarray, Arrays]:
    """Those that are complete, and the samples that are left, of a sound."""
    if framing.mel is None:
        return framing.checked(sound), {}
    frames, samples = framing.mel.stream(sound, state["samples"])
    return frames, {"samples": samples}


def _read(
    model: TranscriptionNetwork, frames: np.ndarray, state: Arrays
) -> tuple[np.ndarray | None, Arrays]:
    """Frames `(t, B, F)` of streams side by side: what is said in each, `(B, ...)`, and the state
    after, whose `steps` are those of these frames."""
    quick = short_chunks(model, len(frames))
    if quick is not None:
        said, after = quick.stream(frames, state)
        return None if said is None else said.swapaxes(0, 1), after
    weights = like(model)
    inputs = torch.from_numpy(frames).to(weights.device)
    scores, reached = model.stream(inputs, _to_state(model, state))
    after = _to_arrays(model, reached)
    if not reached.steps:
        return None, after
    said = model.told(scores).float().cpu().numpy()
    return said if model.labelled else said.swapaxes(0, 1), after


def heard_shapes(model: TranscriptionNetwork, framing: Framing) -> dict[str, Shape]:
    """What a state of this model holds: the names and shapes of `begun`."""
    if model not in _SHAPES:
        _SHAPES[model] = {name: _shape(name, one) for name, one in begun(model, framing).items()}
    return _SHAPES[model]


def _shape(name: str, array: np.ndarray) -> Shape:
    if name == "samples":
        return (None,)
    # What a convolution has not used up is some steps more, or fewer, with each chunk.
    free = 2 if name.startswith("front") else None
    return tuple(None if axis == free else size for axis, size in enumerate(array.shape))


def _to_arrays(model: TranscriptionNetwork, state: HeardState) -> Arrays:
    """Of all streams, side by side."""
    recurrent = state.recurrent
    if recurrent is None:
        layer = model.recurrent
        shape = (layer.num_layers, 1, layer.hidden_size)
        zeros = [state.level.new_zeros(shape) for _ in range(2 if layer.mode == "LSTM" else 1)]
        recurrent = unflatten(zeros)
    found = {"level": state.level, **dict(zip(_fronts(model), state.front, strict=True))}
    found |= dict(zip(("h", "c"), flatten(recurrent), strict=False))
    if state.total is not None:
        found["total"] = state.total
    arrays = {name: one.cpu().numpy() for name, one in found.items()}
    return arrays | {"steps": np.array(state.steps)}


def _side_by_side(states: Sequence[Arrays], model: TranscriptionNetwork) -> Arrays:
    """Of several streams, copied: the callers' states stay as they are, whatever is done to these.
    `steps` begin at 0."""
    double = model.readout.weight.dtype == torch.float64
    dtype = np.float64 if double else np.float32
    names = [name for name in states[0] if name in _NAMES or name.startswith("front")]
    several = {
        name: np.concatenate([one[name] for one in states], _streams_axis(name), dtype=dtype)
        for name in names
    }
    return several | {"steps": np.array(0)}


def _to_state(model: TranscriptionNetwork, arrays: Arrays) -> HeardState:
    weights = like(model)

    def tensor(name: str) -> torch.Tensor:
        return torch.from_numpy(arrays[name]).to(weights)

    return HeardState(
        tensor("level"),
        [tensor(name) for name in _fronts(model)],
        unflatten([tensor(name) for name in ("h", "c") if name in arrays]),
        tensor("total") if "total" in arrays else None,
        int(arrays["steps"]),
    )


def _fronts(model: TranscriptionNetwork) -> list[str]:
    return [f"front{at}" for at in range(len(model.front.layers))]


def _streams_axis(name: str) -> int:
    """Along which the streams stand side by side."""
    return 1 if name in ("h", "c") else 0


def _row(name: str, array: np.ndarray, row: int) -> np.ndarray:
    """Of one stream, copied, so that it keeps no other in memory."""
    return array.take([row], _streams_axis(name))
