"""Which channel of a window is what, and how categories become numbers for a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import torch
from torch import Tensor, nn

VALUE, KNOWN = 0, 1
OWN = 2
# A category is embedded in about the fourth root of their number, as is customary for small tables.
_MOST_EMBEDDED = 16
# Standard deviation of a category's first vector.
_FIRST = 0.1


@dataclass(frozen=True)
class Layout:
    """The channels of a window `(L + K, B, C)`, in this order.

        value       scaled level of the series; the last known one where it is not known, or ahead
        known       1 where the value is known, 0 where not and ahead
        past        what is measured beside it and not known ahead (P); 0 before it begins and ahead
        past known  1 where the past covariates stand for themselves (only where P > 0)
        future      what is known ahead, too: the user's own (F), then calendar and holidays (A)
        static      what does not change (S)

    Attributes:
        past, future, calendar, static: how many channels of each kind (`P`, `F`, `A`, `S`).
        categories: for channels that hold the number of a category: how many there are. A category
            that is not known has the number -1.
    """

    past: int = 0
    future: int = 0
    calendar: int = 0
    static: int = 0
    categories: dict[int, int] = field(default_factory=dict)

    @property
    def past_channels(self) -> slice:
        """The past covariates, and after them whether they are known."""
        return slice(OWN, OWN + self.past + (1 if self.past else 0))

    @property
    def future_channels(self) -> slice:
        """What is known ahead: the user's columns, then the calendar's."""
        begin = self.past_channels.stop
        return slice(begin, begin + self.future + self.calendar)

    @property
    def calendar_channels(self) -> slice:
        """The end of `future_channels`."""
        end = self.future_channels.stop
        return slice(end - self.calendar, end)

    @property
    def static_channels(self) -> slice:
        """What stays the same along a window."""
        begin = self.future_channels.stop
        return slice(begin, begin + self.static)

    @property
    def channels(self) -> int:
        """`C`."""
        return self.static_channels.stop


class Embed(nn.Module):
    """Channels of a part of a window, categories replaced by a learnt vector each.

    `(..., n)` channels to `(..., size)`: numbers pass, a category takes a row of its table, and the
    last row stands for one that is not known.

    Args:
        layout: what the channels are.
        channels: which of them this part holds.
    """

    def __init__(self, layout: Layout, channels: slice) -> None:
        super().__init__()
        self.channels = channels
        own = {c: n for c, n in layout.categories.items() if channels.start <= c < channels.stop}
        self.tables = nn.ModuleDict(
            {
                str(channel - channels.start): nn.Embedding(
                    count + 1, min(_MOST_EMBEDDED, 1 + round(count**0.5))
                )
                for channel, count in sorted(own.items())
            }
        )
        for table in self.tables.values():
            # As small as what stands beside it: a unit normal would drown it at first.
            nn.init.normal_(cast(nn.Embedding, table).weight, std=_FIRST)
        count = channels.stop - channels.start
        self.numbers = [c for c in range(count) if str(c) not in self.tables]
        self.size = len(self.numbers) + sum(
            cast(nn.Embedding, table).embedding_dim for table in self.tables.values()
        )

    def forward(self, rows: Tensor) -> Tensor:
        """Of whole windows `(..., C)` the channels of this part, embedded: `(..., size)`."""
        part = rows[..., self.channels]
        if not self.tables:
            return part
        parts = [part[..., self.numbers]]
        for channel, table in self.tables.items():
            last = cast(nn.Embedding, table).num_embeddings - 1
            number = part[..., int(channel)].nan_to_num(nan=-1.0).round()
            known = (number >= 0) & (number < last)
            parts.append(table(torch.where(known, number, last).long()))
        return torch.cat(parts, dim=-1)
