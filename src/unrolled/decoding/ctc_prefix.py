"""Prefix beam search over the output of a CTC model, as a state that frames move on.

The equations stand in `kernels/include/unrolled/ctc_prefix.h`, and in `ctc_prefix_loops`, which
runs where there are no kernels.

Sources: Graves et al. 2006, "Connectionist temporal classification" (CTC); Hannun et al. 2014,
arXiv 1408.2873 (this search, with scores where a prefix is extended).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from unrolled import kernels
from unrolled.decoding.ctc_checks import Floats, Ints
from unrolled.decoding.ctc_options import CtcOptions
from unrolled.decoding.ctc_prefix_loops import advance_in_python
from unrolled.decoding.ctc_state import MEMBER, NODE, PATH, PrefixState


def advance_prefixes(
    states: Sequence[PrefixState], log_probs: Floats, lengths: Ints, options: CtcOptions
) -> list[PrefixState]:
    """The states after more frames of each row.

    Args:
        states: B of them.
        log_probs, lengths: as `ctc_checks.check_log_probs` gives them.
    """
    options.check_symbols(log_probs.shape[2])
    if kernels.available():
        return _advance_natively(states, log_probs, lengths, options)
    return [
        advance_in_python(one, log_probs[:count, row], options)
        for row, (one, count) in enumerate(zip(states, lengths.tolist(), strict=True))
    ]


def _advance_natively(
    states: Sequence[PrefixState], log_probs: Floats, lengths: Ints, options: CtcOptions
) -> list[PrefixState]:
    import torch

    more = int(lengths.max(initial=0)) * options.beam
    parts = [(one.nodes, one.paths, one.members) for one in states]
    counts = np.array([[len(part) for part in one] for one in parts], dtype=np.int64)
    rooms = [*(counts[:, :2].max(axis=0) + more).tolist(), options.beam]
    # What is not written to costs no memory.
    arrays = [
        np.empty((len(states), room), dtype)
        for room, dtype in zip(rooms, (NODE, PATH, MEMBER), strict=True)
    ]
    for row, one in enumerate(parts):
        for array, part in zip(arrays, one, strict=True):
            array[row, : len(part)] = part
    frames = np.array([one.frames for one in states], dtype=np.int64)

    call = kernels.ctc_prefix_call()
    call.steps, call.batch, call.symbols = log_probs.shape
    call.beam = options.beam
    symbols = log_probs.shape[2]
    call.most_symbols = symbols if options.most_symbols is None else options.most_symbols
    call.threshold = math.inf if options.threshold is None else float(options.threshold)
    call.threads = torch.get_num_threads()
    call.log_probs = log_probs.ctypes.data
    call.log_probs_time = log_probs.strides[0] // log_probs.itemsize
    call.log_probs_row = log_probs.strides[1] // log_probs.itemsize
    call.lengths = lengths.ctypes.data
    call.extension = 0 if options.extension is None else options.extension.ctypes.data
    call.scores = 0 if options.scores is None else options.scores.native.address
    call.node_room, call.path_room, _ = rooms
    call.nodes, call.paths, call.members = (array.ctypes.data for array in arrays)
    call.counts = counts.ctypes.data
    call.frames = frames.ctypes.data
    kernels.ctc_prefix(call)
    return [
        PrefixState(
            int(frames[row]), *(a[row, :n].copy() for a, n in zip(arrays, held, strict=True))
        )
        for row, held in enumerate(counts.tolist())
    ]
