"""Choosing the next token from a model's scores."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from unrolled.errors import ConfigError, DTypeError, ShapeError


def filter_logits(
    logits: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """The scores that are left to draw from; every other token gets minus infinity.

    In this order:

    1. `temperature` divides the scores: below 1 sharpens, above 1 flattens, 0 leaves the best token
       alone.
    2. `top_k` keeps the `k` best tokens, exactly `k` (all of them where the vocabulary is smaller).
    3. `top_p` keeps the smallest set of best tokens whose probability, among those that step 2
       left, reaches `p`; always at least one. 1 keeps all.

    Of tokens with equal scores the one with the lower id counts as the better.

    Args:
        logits: `(..., V)` floating point, unnormalised log-probabilities; minus infinity forbids a
            token.
        temperature: 0 or more.
        top_k: 1 or more, or None for no such limit.
        top_p: above 0 and up to 1, or None for no such limit.

    Returns:
        `(..., V)`, in float32 or wider; `softmax` over the last axis gives the probabilities. They
        are shifted so that the best token has 0.

    Raises:
        ConfigError: an argument out of its range, or scores that are NaN, plus infinity, or forbid
            all.
        DTypeError: scores that are not floating point.
        ShapeError: no vocabulary axis, or an empty one.

    Source: Holtzman et al., "The curious case of neural text degeneration", ICLR 2020 (`top_p`);
    Fan et al., "Hierarchical neural story generation", ACL 2018 (`top_k`).
    """
    _check_options(temperature, top_k, top_p)
    scores = _checked_scores(logits)
    best = scores.amax(dim=-1, keepdim=True)
    if temperature < torch.finfo(scores.dtype).tiny:
        scores, top_k = scores - best, 1
    else:
        # Shifting first keeps a small temperature from overflowing.
        scores = (scores - best) / temperature
    nucleus = top_p if top_p is not None and top_p < 1 else None
    if top_k is None and nucleus is None:
        return scores
    ranked, order = scores.sort(dim=-1, descending=True, stable=True)
    if top_k is not None:
        ranked[..., top_k:] = -math.inf
    if nucleus is not None:
        # A token stays as long as the better ones together fall short of p.
        shares = ranked.softmax(dim=-1)
        better = shares.cumsum(dim=-1) - shares
        enough = better >= nucleus
        enough[..., 0] = False  # Also where p is so small that it rounds to 0.
        ranked = ranked.masked_fill(enough, -math.inf)
    return torch.empty_like(scores).scatter_(-1, order, ranked)


def sample(
    logits: Tensor,
    *,
    generator: torch.Generator | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """Draws one token for each row of scores.

    Args:
        logits: `(..., V)` floating point scores.
        generator: where the random numbers come from, on the device of `logits`; None takes torch's
            own. With temperature 0 nothing is drawn from it.
        temperature, top_k, top_p: as in `filter_logits`.

    Returns:
        `(...)` int64 token ids.

    Raises:
        As `filter_logits`.
    """
    kept = filter_logits(logits, temperature=temperature, top_k=top_k, top_p=top_p)
    if temperature == 0 or not kept.numel():
        return kept.argmax(dim=-1)
    rows = kept.softmax(dim=-1).reshape(-1, kept.shape[-1])
    return torch.multinomial(rows, 1, generator=generator).reshape(kept.shape[:-1])


def suggest(logits: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` most probable tokens, best first, with their probabilities.

    Args:
        logits: `(..., V)` floating point scores.
        k: how many, 1 or more; the whole vocabulary where it is smaller.

    Returns:
        ids `(..., k)` int64 and probabilities `(..., k)`, which are shares of the whole vocabulary.
        Of equal tokens the one with the lower id comes first.

    Raises:
        As `filter_logits`; ConfigError for a `k` below 1.
    """
    if k < 1:
        raise ConfigError(f"k is {k}; ask for 1 suggestion or more")
    scores = filter_logits(logits)
    ids = scores.sort(dim=-1, descending=True, stable=True).indices[..., :k]
    return ids, scores.softmax(dim=-1).gather(-1, ids)


def _check_options(temperature: float, top_k: int | None, top_p: float | None) -> None:
    if not 0 <= temperature < math.inf:
        raise ConfigError(f"temperature is {temperature}; give 0 (always the best token) or more")
    if top_k is not None and top_k < 1:
        raise ConfigError(f"top_k is {top_k}; keep 1 token or more, or leave it out to keep all")
    if top_p is not None and not 0 < top_p <= 1:
        raise ConfigError(f"top_p is {top_p}; give a share above 0 and up to 1")


def _checked_scores(logits: Tensor) -> Tensor:
    if not logits.is_floating_point():
        raise DTypeError(f"logits have the type {logits.dtype}; expected floating point scores")
    if logits.dim() < 1 or logits.shape[-1] < 1:
        raise ShapeError(
            f"logits have the shape {tuple(logits.shape)}; expected (..., V) with V of 1 or more"
        )
    scores = logits.float() if logits.dtype.itemsize < 4 else logits
    # NaN and plus infinity show in the maximum, and so does a row where everything is forbidden.
    if not scores.amax(dim=-1).isfinite().all():
        rows = (~scores.amax(dim=-1).isfinite()).reshape(-1).nonzero()
        raise ConfigError(
            f"logits hold NaN, plus infinity or no finite score in row {int(rows[0])}; "
            "look for the first value that is not finite in the model's weights or its input"
        )
    return scores
