"""What a search asks of a model: `Scorer` and `Scores`."""

from __future__ import annotations

import math
from typing import Protocol

from torch import Tensor


class Scores(Protocol):
    """What a model says of the next token of `R` hypotheses, out of a vocabulary of `V`.

    It is read before the next `step` and not kept, so that a model may write into the same memory
    again.
    """

    @property
    def attention(self) -> Tensor | None:
        """`(R, S)`, each hypothesis's weights over its source, 0 beyond the source's length; None
        of a model without attention. `S` may shrink when the longest sources leave the search.
        """

    def all(self) -> Tensor:
        """`(R, V)` log-probabilities, float32, none above 0."""

    def top(self, k: int) -> tuple[Tensor, Tensor]:
        """The `k` best of each row (`V` where that is fewer): log-probabilities `(R, k)` in falling
        order, and their tokens, `(R, k)` int64. NaN counts as the greatest.

        The values are those of `all()` up to rounding; it may be much cheaper. In which order equal
        tokens come does not matter to a search.
        """


class Scorer(Protocol):
    """A model with a state for each hypothesis, which a search leads through the tokens.

    It begins with one row for each sentence. What it says of a row should depend on the row alone:
    then so does what the search finds.
    """

    def step(self, tokens: Tensor) -> Scores:
        """Gives each row its next token, `(R,)` int64, and asks for the one after that."""

    def select(self, rows: Tensor) -> None:
        """Row `i` becomes what row `rows[i]` was: rows are put in order, copied and dropped.

        `rows` is `(R',)` int64. It is not called where every row stays what it is.
        """


class LogProbabilities:
    """`Scores` out of log-probabilities that are there already.

    Args:
        values: `(R, V)` log-probabilities.
        attention: `(R, S)`, or None.
    """

    def __init__(self, values: Tensor, attention: Tensor | None = None) -> None:
        self._values = values
        self.attention = attention

    def all(self) -> Tensor:
        return self._values

    def top(self, k: int) -> tuple[Tensor, Tensor]:
        return ranked(self._values, k)


def ranked(values: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` best tokens of each row, best first; of equal ones the lower token comes first.

    Args:
        values: `(R, V)` log-probabilities; NaN counts as the greatest.
        k: how many, 1 or more; the whole vocabulary where it is smaller.

    Returns:
        Values `(R, k)` and tokens `(R, k)` int64. Tokens at minus infinity are in no order.
    """
    width = min(k + 1, values.shape[-1])
    best, tokens = values.topk(width, dim=-1)
    # topk keeps equals in any order, and any of those that are equal at its edge: rare, so that
    # only such rows pay for a sort.
    equal = (best[:, 1:] == best[:, :-1]) & (best[:, 1:] > -math.inf)
    rows = equal.any(dim=-1).nonzero()[:, 0]
    if len(rows):
        again = values[rows].sort(dim=-1, descending=True, stable=True)
        best[rows], tokens[rows] = again.values[:, :width], again.indices[:, :width]
    return best[:, :k], tokens[:, :k]
