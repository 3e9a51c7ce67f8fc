"""What may follow a hypothesis, and the best tokens among that."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from unrolled.decoding.beam_options import BeamOptions
from unrolled.decoding.scorer import Scores, ranked
from unrolled.decoding.sentence_error import SentenceError

Ints = NDArray[np.int64]
Numbers = NDArray[np.float64]

_FEW = 16
"""Up to so many tokens that a row may not take, `top` is asked for as many more."""
_ROUNDING = 1e-3
"""By so much a log-probability may stand above 0."""


class Pairs(NamedTuple):
    """Tokens of rows: of the row `rows[i]` the token `tokens[i]`."""

    rows: Ints
    tokens: Ints


class Allowed(NamedTuple):
    """What the rows may not take, and what they must."""

    forbidden: tuple[int, ...]  # No row may take them.
    banned: Pairs  # What single rows may not take.
    forced: Pairs  # At most one a row, whatever else is not allowed.


_NONE = Pairs(np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True)
class Constraints:
    """What every hypothesis of a search has to keep to.

    Attributes:
        options: how the search goes.
        end: the token that ends an answer.
        prefixes: of each sentence the tokens that its answers begin with; None for no such thing.
    """

    options: BeamOptions
    end: int
    prefixes: Sequence[Sequence[int]] | None = None

    def __post_init__(self) -> None:
        lengths = np.array([len(each) for each in self.prefixes or ()], np.int64)
        table = np.full((len(lengths), lengths.max(initial=0)), -1, np.int64)
        for row, prefix in zip(table, self.prefixes or (), strict=True):
            row[: len(prefix)] = prefix
        object.__setattr__(self, "_lengths", lengths)
        object.__setattr__(self, "_table", table)

    def at(self, step: int, owners: Ints, history: Ints | None) -> Allowed:
        """What is allowed at a step.

        Args:
            step: how many tokens the hypotheses have.
            owners: `(R,)`, which sentence each row belongs to.
            history: `(R, step)`, the tokens of each row; only needed for `no_repeat`.
        """
        short = step < self.options.min_length
        forbidden = self.options.forbidden + ((self.end,) if short else ())
        banned = _NONE if history is None else repeats(history, self.options.no_repeat)
        return Allowed(forbidden, banned, self._forced(step, owners))

    def _forced(self, step: int, owners: Ints) -> Pairs:
        lengths, table = self._lengths, self._table  # type: ignore[attr-defined]
        if step >= table.shape[1]:
            return _NONE
        rows = np.flatnonzero(lengths[owners] > step)
        return Pairs(rows, table[owners[rows], step])


def repeats(history: Ints, n: int) -> Pairs:
    """The tokens that would make the last `n` of a row come a second time.

    Args:
        history: `(R, T)` tokens.
        n: 1 or more.
    """
    if history.shape[1] < n:
        return _NONE
    grams = sliding_window_view(history, n, axis=1)
    last = history[:, None, history.shape[1] - n + 1 :]
    rows, places = (grams[:, :, :-1] == last).all(axis=-1).nonzero()
    return Pairs(rows, history[rows, places + n - 1])


def best_tokens(
    scores: Scores, count: int, allowed: Allowed, owners: Ints, step: int
) -> tuple[Numbers, Ints]:
    """The best allowed tokens of each row.

    Returns:
        Log-probabilities `(R, k)` and tokens `(R, k)`, with `k` of `count` or more, or the whole
        vocabulary where that is smaller. The first `count` allowed ones of each row are there, in
        falling order, of equal ones the lower token first; between them stand others at minus
        infinity.

    Raises:
        ConfigError: scores that are NaN, above 0, or leave nothing that is possible.
    """
    forbidden, banned, forced = allowed
    bans = np.bincount(banned.rows, minlength=len(owners))
    whole = (bans > _FEW) | (len(forbidden) > _FEW)
    # One more than needed shows whether the last one has equals that were left out.
    wanted = count + 1
    if not whole.all():
        wanted += len(forbidden) + int(bans[~whole].max(initial=0))
        best, at = scores.top(wanted)
        # Copies: the model may use its memory again, and some are struck out below.
        values = best.to("cpu", torch.float64, copy=True).numpy()
        tokens = at.to("cpu", copy=True).numpy()
        _check(values[:, 0], owners, step)
        equal = (values[:, 1:] == values[:, :-1]) & (values[:, 1:] > -math.inf)
        whole |= equal.any(axis=1)
        _strike(values, tokens, forbidden, banned)
    if whole.any():
        rows = np.flatnonzero(whole)
        left = scores.all()[torch.from_numpy(rows)].float()
        _check(left.amax(dim=-1).cpu().numpy(), owners[rows], step)
        left[:, [token for token in forbidden if token < left.shape[1]]] = -math.inf
        mine = whole[banned.rows]
        places = np.searchsorted(rows, banned.rows[mine])
        left[torch.from_numpy(places), torch.from_numpy(banned.tokens[mine])] = -math.inf
        found = [each.cpu().numpy() for each in ranked(left, wanted)]
        if whole.all():
            values, tokens = found[0].astype(np.float64), found[1]
        else:
            values[rows], tokens[rows] = found
    if len(forced.rows):
        _force(scores, values, tokens, forced, owners, step)
    # What rounding leaves above 0 would let a sum rise, and a search end too early.
    return np.minimum(values, 0.0), tokens


def _strike(values: Numbers, tokens: Ints, forbidden: tuple[int, ...], banned: Pairs) -> None:
    for token in forbidden:
        values[tokens == token] = -math.inf
    if len(banned.rows):
        hits, places = (tokens[banned.rows] == banned.tokens[:, None]).nonzero()
        values[banned.rows[hits], places] = -math.inf


def _force(
    scores: Scores, values: Numbers, tokens: Ints, forced: Pairs, owners: Ints, step: int
) -> None:
    every = scores.all()
    for row, token in zip(*forced, strict=True):
        value = float(every[row, token]) if token < every.shape[1] else -math.inf
        if not value > -math.inf:
            raise SentenceError(
                f"prefixes: the model gives token {token}, at place {step} of",
                int(owners[row]),
                ", no probability; leave it out of the prefix",
            )
    places = (torch.from_numpy(forced.rows), torch.from_numpy(forced.tokens))
    cost = every[places].float().cpu().numpy()
    values[forced.rows] = -math.inf
    values[forced.rows, 0], tokens[forced.rows, 0] = cost, forced.tokens


def _check(best: NDArray[np.floating], owners: Ints, step: int) -> None:
    good = (best > -math.inf) & (best <= _ROUNDING)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise SentenceError(
            "scores of",
            int(owners[row]),
            f" at step {step}: the greatest is {best[row]}, expected log-probabilities, the"
            " greatest of them finite and not above 0; look for the first value that is not"
            " finite in the model's weights or its input",
        )
