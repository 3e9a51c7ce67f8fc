"""A recogniser on a stream: samples in as they come, words out; all that it keeps are arrays."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from unrolled.tasks.arrays import Arrays, Shape, like, to_arrays, to_state
from unrolled.tasks.transcribing.framing import Framing
from unrolled.tasks.transcribing.network import HeardState, TranscriptionNetwork

_SHAPES: WeakKeyDictionary[nn.Module, dict[str, Shape]] = WeakKeyDictionary()


def begun(model: TranscriptionNetwork, framing: Framing) -> Arrays:
    """Before the first sample: `samples` that no frame has used up, the `level` so far, what each
    convolution has not used up (`front0` and so on), the recurrent state `h` (and `c`), and how
    many `steps` there were; of labels the `total` of what the layers gave.
    """
    state = model.begin()
    found = _to_arrays(model, state)
    if framing.mel is not None:
        found["samples"] = np.zeros(0, np.float32)
    return found


@torch.no_grad()
def read_sound(
    model: TranscriptionNetwork, framing: Framing, sound: np.ndarray, state: Arrays
) -> tuple[np.ndarray | None, Arrays]:
    """Read some more sound.

    Args:
        model: in evaluation, in one direction.
        framing: of the model.
        sound: samples `(N,)` at its rate, or frames `(t, F)` of ready-made features; may be empty.
        state: from `begun` or the call before, of the shapes that `heard_shapes` tells; stays as it
            is.

    Returns:
        Log-probabilities of the steps that are complete, `(t', 1 + V)`, or of the label so far
        `(V,)`; float32; None where no step is; and the state after.

    Raises:
        DataError: that are no samples.
    """
    after: Arrays = {}
    if framing.mel is not None:
        frames, after["samples"] = framing.mel.stream(sound, state["samples"])
    else:
        frames = framing.checked(sound)
    if not len(frames):
        # Sound that comes a few samples at a time completes a frame now and then only.
        return None, {name: state[name].copy() for name in heard_shapes(model, framing)} | after
    inputs = torch.from_numpy(frames).to(like(model).device).unsqueeze(1)
    before = _to_state(model, state)
    scores, reached = model.stream(inputs, before)
    after |= _to_arrays(model, reached)
    if reached.steps == before.steps:
        return None, after
    found = scores.log_softmax(-1).float().cpu().numpy()
    return found[0] if model.labelled else found[:, 0], after


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
    found: Arrays = {"level": _copy(state.level)}
    found |= {f"front{at}": _copy(one) for at, one in enumerate(state.front)}
    recurrent = state.recurrent
    if recurrent is None:
        layer = model.recurrent
        zeros = state.level.new_zeros(layer.num_layers, 1, layer.hidden_size)
        recurrent = (zeros, zeros) if layer.mode == "LSTM" else zeros
    found |= to_arrays(recurrent)
    if state.total is not None:
        found["total"] = _copy(state.total)
    found["steps"] = np.array(state.steps)
    return found


def _to_state(model: TranscriptionNetwork, arrays: Arrays) -> HeardState:
    weights = like(model)

    def tensor(name: str) -> torch.Tensor:
        # Copied: the caller's state stays as it is, whatever the layers do.
        return torch.tensor(arrays[name], dtype=weights.dtype, device=weights.device)

    return HeardState(
        tensor("level"),
        [tensor(f"front{at}") for at in range(len(model.front.layers))],
        to_state(arrays, model),
        tensor("total") if "total" in arrays else None,
        int(arrays["steps"]),
    )


def _copy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.cpu().numpy().copy()
