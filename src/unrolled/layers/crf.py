"""`CRF`: scores of whole sequences of tags, where neighbours have a say.

    s(x, y) = start[y_1] + sum_t e_t[y_t] + sum_t A[y_{t-1}, y_t] + end[y_n]
    log p(y | x) = s(x, y) - log Z,    log Z = log of the sum over all y' of exp s(x, y')

Sources: Lafferty, McCallum and Pereira 2001 (conditional random fields); Rabiner 1989 (forward,
backward, Viterbi); Lample et al. 2016, arXiv 1603.01360 (as the output of a recurrent network).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from unrolled.errors import ConfigError, DTypeError, ShapeError
from unrolled.layers.checks import check_lengths
from unrolled.layers.crf_sums import (
    LogPartition,
    Passes,
    Potentials,
    best_sequences,
    score_of,
)

NO_TAG = -100
"""What stands beyond a row's length in decoded tags; torch's cross entropy leaves it out."""


class CRF(nn.Module):
    """A linear-chain conditional random field: the output layer of a tagger.

        s(x, y) = start[y_1] + sum_t e_t[y_t] + sum_t A[y_{t-1}, y_t] + end[y_n]
        p(y | x) = exp s(x, y) / sum over all y' of exp s(x, y')

    The layers below give the emissions `e_t`. Training takes `T * B * C * C` products, and memory
    for `T * B * C` numbers.

    Shapes: `T` time, `B` batch, `C` tags; emissions `(T, B, C)`, tags `(T, B)` int64, lengths
    `(B,)` int64 or None (all `T`; 0 is an empty row). What stands beyond a row's length, NaN too,
    changes nothing and gets no gradient.

    Args:
        tags: `C`.

    Parameters: `start`, `end` `(C,)` and `transitions` `(C, C)`, from the row's tag to the
    column's. They begin at zero: then every tag is as if alone, `softmax(e_t)`.

    Example:
        >>> crf = CRF(5)
        >>> emissions, tags = torch.randn(7, 2, 5), torch.randint(5, (7, 2))
        >>> loss = -crf(emissions, tags, torch.tensor([7, 4])).mean()
        >>> best, score = crf.decode(emissions, torch.tensor([7, 4]))

    Sources: Lafferty, McCallum and Pereira 2001; Lample et al. 2016, arXiv 1603.01360.
    """

    def __init__(self, tags: int) -> None:
        super().__init__()
        if isinstance(tags, bool) or not isinstance(tags, int) or tags < 1:
            raise ConfigError(f"tags: got {tags!r}, expected a whole number from 1 on")
        self.tags = tags
        self.start = nn.Parameter(torch.zeros(tags))
        self.transitions = nn.Parameter(torch.zeros(tags, tags))
        self.end = nn.Parameter(torch.zeros(tags))

    def extra_repr(self) -> str:
        """As torch's layers show themselves."""
        return f"{self.tags}"

    def forward(self, emissions: Tensor, tags: Tensor, lengths: Any = None) -> Tensor:
        """`log p(y | x)` of given tags.

        Args:
            emissions: `(T, B, C)`.
            tags: `(T, B)` int64; anything beyond a row's length, such as -100.
            lengths: `(B,)` or None.

        Returns:
            `(B,)`, at most 0; 0 for an empty row.

        Raises:
            ShapeError, DTypeError: arguments that do not fit; a tag that is none of the `C`.
        """
        emissions, real, potentials = self._prepared(emissions, lengths)
        tags = self._checked(tags, real)
        total: Tensor = LogPartition.apply(emissions, real, *potentials)
        return score_of(emissions, real, tags, potentials) - total

    def log_partition(self, emissions: Tensor, lengths: Any = None) -> Tensor:
        """`log Z` `(B,)`; 0 for an empty row."""
        emissions, real, potentials = self._prepared(emissions, lengths)
        total: Tensor = LogPartition.apply(emissions, real, *potentials)
        return total

    @torch.no_grad()
    def decode(
        self, emissions: Tensor, lengths: Any = None, *, penalties: Potentials | None = None
    ) -> tuple[Tensor, Tensor]:
        """The likeliest tags (Viterbi).

        Args:
            emissions: `(T, B, C)`.
            lengths: `(B,)` or None.
            penalties: added to the scores of this call; -inf forbids a transition, a first or a
                last tag.

        Returns:
            Tags `(T, B)` int64, -100 beyond a row's length, and their scores `s(x, y)` `(B,)`.
        """
        emissions, real, potentials = self._prepared(emissions, lengths, penalties)
        tags, score = best_sequences(emissions, real, potentials)
        return torch.where(real, tags, NO_TAG), score

    @torch.no_grad()
    def marginals(
        self, emissions: Tensor, lengths: Any = None, *, penalties: Potentials | None = None
    ) -> Tensor:
        """`p(y_t = j | x)` `(T, B, C)`: each tag's probability given the whole sequence.

        Args as for `decode`. Rows beyond their length are zero.
        """
        emissions, real, potentials = self._prepared(emissions, lengths, penalties)
        likely = Passes(emissions, real, potentials).marginals()
        return likely.to(emissions.dtype)

    def _prepared(
        self, emissions: Tensor, lengths: Any, penalties: Potentials | None = None
    ) -> tuple[Tensor, Tensor, Potentials]:
        """Emissions with zeros beyond the lengths, which steps are real, and the other scores; in
        float32 at least."""
        if emissions.dim() != 3 or emissions.shape[-1] != self.tags or not len(emissions):
            raise ShapeError(
                f"emissions: got shape {tuple(emissions.shape)}, expected (T, B, C) with"
                f" C = {self.tags} and T of 1 or more"
            )
        if not emissions.is_floating_point():
            raise DTypeError(f"emissions: got dtype {emissions.dtype}, expected floats")
        steps, rows, _ = emissions.shape
        lengths = check_lengths(lengths, steps, rows)
        if lengths is None:
            real = torch.ones(steps, rows, dtype=torch.bool, device=emissions.device)
        else:
            lengths = lengths.to(emissions.device)
            real = torch.arange(steps, device=emissions.device).unsqueeze(1) < lengths
        dtype = torch.promote_types(
            torch.promote_types(emissions.dtype, self.transitions.dtype), torch.float32
        )
        given = (self.start, self.transitions, self.end)
        added = given if penalties is None else tuple(map(torch.add, given, penalties))
        potentials = Potentials(*(one.to(dtype) for one in added))
        return emissions.to(dtype).masked_fill(~real.unsqueeze(-1), 0.0), real, potentials

    def _checked(self, tags: Tensor, real: Tensor) -> Tensor:
        """Tags with 0 beyond the lengths, once they are some of the `C`."""
        if tags.is_floating_point() or tags.dtype == torch.bool:
            raise DTypeError(f"tags: got dtype {tags.dtype}, expected integers (torch.int64)")
        if tags.shape != real.shape:
            raise ShapeError(
                f"tags: got shape {tuple(tags.shape)}, expected (T, B) = {tuple(real.shape)}"
            )
        tags = tags.long().masked_fill(~real, 0)
        wrong = (tags < 0) | (tags >= self.tags)
        if wrong.any():
            step, row = wrong.nonzero()[0].tolist()
            raise ShapeError(
                f"tags: got {int(tags[step, row])} at step {step} of row {row}, expected 0 to"
                f" {self.tags - 1}; give the lengths of the rows where this is padding"
            )
        return tags
