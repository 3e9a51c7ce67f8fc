"""Tagging word by word: the networks' states, and how likely each tag is so far."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from unrolled.errors import ConfigError
from unrolled.layers.crf_sums import Potentials
from unrolled.layers.states import State
from unrolled.tasks.arrays import Arrays, check_state, like
from unrolled.tasks.tagging.network import TagNetworks
from unrolled.training.snapshot import flatten, unflatten


def first_state(model: TagNetworks, cells: int) -> Arrays:
    """The state before a sentence: `h` (and `c`) `(M * L, 1, H)` zeros, `tags` `(0,)`."""
    recurrent = model.each[0].recurrent
    size = (len(model.each) * recurrent.num_layers, 1, recurrent.hidden_size)
    names = ("h", "c")[:cells]
    return {name: np.zeros(size, np.float32) for name in names} | {"tags": np.empty(0, np.float32)}


@torch.no_grad()
def read_word(
    model: TagNetworks, row: Tensor, state: Arrays, rules: Potentials
) -> tuple[np.ndarray, Arrays]:
    """How likely each tag of a word is, given the words up to it.

        a_t[j] ~ e_t[j] + log sum_i exp (a_{t-1}[i] + A[i, j]),    p(y_t = j | x_1 .. x_t) ~ exp a_t

    Args:
        model: members with one direction.
        row: `(1, F)`.
        state: as this gives it; stays as it is.
        rules: 0 where a tag may stand, -inf where not.

    Returns:
        float32 `(C,)`, and the next state.
    """
    names = [name for name in ("h", "c") if name in state]
    parts = [torch.tensor(state[name]).to(like(model)).chunk(len(model.each)) for name in names]
    emissions, after = [], []
    for at, member in enumerate(model.each):
        own: State = unflatten([part[at] for part in parts])
        emitted, new = member.step(row, own)
        emissions.append(emitted[0])
        after.append(flatten(new))
    scores = torch.stack(emissions).mean(0).double()
    crf = model.joint()
    start = crf.start.double() + rules.start.to(scores)
    moves = crf.transitions.double() + rules.transitions.to(scores)
    if len(state["tags"]):
        before = torch.tensor(state["tags"]).to(scores)
        scores = scores + (before.unsqueeze(1) + moves).logsumexp(0)
    else:
        scores = scores + start
    likely = scores.log_softmax(0).float().cpu().numpy()
    joined = {
        name: torch.cat([one[place] for one in after]).float().cpu().numpy()
        for place, name in enumerate(names)
    }
    return np.exp(likely), joined | {"tags": likely}


def checked(state: Arrays, model: TagNetworks, classes: int, cells: int) -> Arrays:
    """The state, once it is one of this model's.

    Raises:
        ConfigError: it is none.
    """
    check_state(state, *("h", "c")[:cells], "tags")
    expected = first_state(model, cells)
    for name in ("h", "c")[:cells]:
        if np.shape(state[name]) != expected[name].shape:
            raise ConfigError(
                f"state: got {name!r} of shape {np.shape(state[name])}, expected"
                f" {expected[name].shape} as start of this model gives it"
            )
    if np.shape(state["tags"]) not in ((0,), (classes,)):
        raise ConfigError(
            f"state: got 'tags' of shape {np.shape(state['tags'])}, expected ({classes},)"
        )
    return state
