"""The running answer: what the labels' probabilities are after every word, in constant memory."""

from __future__ import annotations

import numpy as np
import torch

from unrolled.tasks.arrays import Arrays, check_state, like, to_arrays, to_state
from unrolled.tasks.classifying.linear_path import LinearPath
from unrolled.tasks.classifying.mixing import Mix
from unrolled.tasks.classifying.network import TextClassifier
from unrolled.tasks.classifying.pooling import Pool

_POOL = ("total", "highest", "last", "count")


def begin(linear: LinearPath | None) -> Arrays:
    """The state before the first token: nothing was read."""
    return {} if linear is None else linear.start()


def read_on(
    model: TextClassifier, linear: LinearPath | None, tokens: np.ndarray, state: Arrays
) -> Arrays:
    """The state after further tokens; the given one stays as it is.

    A state is plain arrays: `h` (and `c`) of the layers, `(L, 1, H)`; what is pooled, `total`,
    `highest`, `last` `(1, H)` and `count` `(1,)`; of the linear path `grams` `(N,)`, `seen` (a bit
    for each n-gram) and `linear`, its logits `(C,)`.
    """
    if not len(tokens):
        return dict(state)
    weight = like(model)
    inputs = torch.from_numpy(np.asarray(tokens, dtype=np.int64)).to(weight.device).unsqueeze(1)
    carried, pool = None, None
    if "h" in state:
        check_state(state, *_POOL)
        carried = to_state(state, model)
        pool = Pool(*(torch.tensor(state[name]).to(weight) for name in _POOL))
    with torch.no_grad():
        carried, pool = model.read(inputs, carried, pool)
    after = to_arrays(carried)
    after |= {
        name: part.float().cpu().numpy().copy()
        for name, part in zip(_POOL, pool.tensors(), strict=True)
    }
    if linear is not None:
        check_state(state, *linear.start())
        after |= linear.step(tokens, {name: state[name] for name in linear.start()})
    return after


def answer(
    model: TextClassifier, linear: LinearPath | None, mix: Mix, closing: np.ndarray, state: Arrays
) -> np.ndarray:
    """The logits `(C,)` of both parts, if the text ends here.

    Args:
        model, linear, mix: the parts, and how far each is trusted.
        closing: the mark of an end, `(1,)`.
        state: what was read.
    """
    weight = like(model)
    pool = Pool(*(torch.tensor(state[name]).to(weight) for name in _POOL))
    with torch.no_grad():
        network = model.answer(pool)[0].double().cpu().numpy()
    if linear is None:
        return mix(network, None)
    own = {name: state[name] for name in linear.start()}
    return mix(network, linear.ended(closing, own))
