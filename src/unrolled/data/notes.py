"""`Note`: what reading changed without being an error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Note:
    """One thing that was found and dealt with while series were read.

    Attributes:
        kind: what it was: "duplicate".
        series: name of the series; None where it holds for all of them (wide form).
        time: the first time it was seen at, datetime64[us].
        text: a sentence for a person: what was found and what was done.
    """

    kind: str
    series: str | None
    time: np.datetime64
    text: str
