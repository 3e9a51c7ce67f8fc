"""Networks of one kind that answer together."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from torch import nn

Member = TypeVar("Member", bound=nn.Module)


class Members(nn.Module, Generic[Member]):
    """The base of what answers as one; a subclass says how.

    Args:
        members: of equal sizes.
    """

    def __init__(self, members: list[Member]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @property
    def each(self) -> list[Member]:
        """The members, by their own type."""
        return cast("list[Member]", list(self.members))
