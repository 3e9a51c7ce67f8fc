"""A recogniser on a stream: samples in as they come, words out; all that it keeps are arrays."""

from __future__ import annotations

import numpy as np
import torch

from unrolled.layers.states import State
from unrolled.tasks.arrays import Arrays, check_state, like
from unrolled.tasks.transcribing.framing import Framing
from unrolled.tasks.transcribing.network import HeardState, TranscriptionNetwork

_HIDDEN = ("h", "c")


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
) -> tuple[np.ndarray, Arrays]:
    """Read some more sound.

    Args:
        model: in evaluation, in one direction.
        framing: of the model.
        sound: samples `(N,)` at its rate, or frames `(t, F)` of ready-made features; may be empty.
        state: from `begun` or the call before; stays as it is.

    Returns:
        Log-probabilities of the steps that are complete, `(t', 1 + V)`, or of the label so far
        `(V,)`; float32; and the state after.

    Raises:
        ConfigError: that is no state of this model.
        DataError: that are no samples.
    """
    check_state(
        state, "level", "front0", "steps", *(["samples"] if framing.mel is not None else [])
    )
    after: Arrays = {}
    if framing.mel is not None:
        frames, after["samples"] = framing.mel.stream(sound, state["samples"])
    else:
        frames = framing.checked(sound)
    inputs = torch.from_numpy(frames).to(like(model).device).unsqueeze(1)
    scores, reached = model.stream(inputs, _to_state(model, state))
    found = scores.log_softmax(-1).float().cpu().numpy()
    return found[0] if model.labelled else found[:, 0], after | _to_arrays(model, reached)


def _to_arrays(model: TranscriptionNetwork, state: HeardState) -> Arrays:
    found: Arrays = {"level": _copy(state.level)}
    found |= {f"front{at}": _copy(one) for at, one in enumerate(state.front)}
    recurrent = state.recurrent
    if recurrent is None:
        layer = model.recurrent
        zeros = state.level.new_zeros(layer.num_layers, 1, layer.hidden_size)
        recurrent = (zeros, zeros) if layer.mode == "LSTM" else zeros
    parts = recurrent if isinstance(recurrent, tuple) else (recurrent,)
    found |= {name: _copy(one) for name, one in zip(_HIDDEN, parts, strict=False)}
    if state.total is not None:
        found["total"] = _copy(state.total)
    found["steps"] = np.array(state.steps)
    return found


def _to_state(model: TranscriptionNetwork, arrays: Arrays) -> HeardState:
    device = like(model).device

    def tensor(name: str) -> torch.Tensor:
        # Copied: the caller's state stays as it is, whatever the layers do.
        return torch.tensor(arrays[name], device=device)

    parts = [tensor(name) for name in _HIDDEN if name in arrays]
    recurrent: State = parts[0] if len(parts) == 1 else tuple(parts)
    return HeardState(
        tensor("level"),
        [tensor(f"front{at}") for at in range(len(model.front.layers))],
        recurrent,
        tensor("total") if "total" in arrays else None,
        int(arrays["steps"]),
    )


def _copy(tensor: torch.Tensor) -> np.ndarray:
    return tensor.cpu().numpy().copy()
