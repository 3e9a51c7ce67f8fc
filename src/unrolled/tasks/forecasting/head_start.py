"""Where the readout of a head begins: at the errors that a rival made."""

from __future__ import annotations

import torch
from torch import Tensor

from unrolled.tasks.forecasting.head_base import Head, raw_of
from unrolled.tasks.forecasting.head_distributions import SPREAD_FLOOR, Normal, StudentT
from unrolled.tasks.forecasting.head_quantiles import GAP_FLOOR, Quantiles


def start_of(head: Head, errors: Tensor) -> Tensor:
    """Raw numbers `(K, S)` for which the head has the distribution of `errors`.

    Args:
        head: what the numbers mean.
        errors: `(N, K)`, of a point forecast with `K` steps, in scales; NaN where not known.
    """
    raw = torch.zeros(errors.shape[1], head.size)
    if isinstance(head, Quantiles):
        places = errors.nanquantile(head.levels.to(errors), dim=0).nan_to_num()
        normal, m = head.normal.to(errors), head.centre
        gaps = places.diff(dim=0) / normal.diff().unsqueeze(1)
        raw[:, m] = places[m] - normal[m]
        raw[:, :m] = raw_of(gaps[:m], GAP_FLOOR).T
        raw[:, m + 1 :] = raw_of(gaps[m:], GAP_FLOOR).T
    elif isinstance(head, Normal | StudentT):
        below, middle, above = errors.nanquantile(torch.tensor([0.159, 0.5, 0.841]).to(errors), 0)
        raw[:, 0] = middle.nan_to_num()
        raw[:, 1] = raw_of(((above - below) / 2).nan_to_num(nan=1.0), SPREAD_FLOOR)
    return raw
