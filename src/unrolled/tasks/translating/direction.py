"""Which side of later pairs is the source: as it was where the translator learnt."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from unrolled.data.pairs import SentencePairs, read_pairs

Column = str | int | None


@dataclass(frozen=True)
class Direction:
    """How the pairs that were learnt were read, and so how those are that come later.

    Attributes:
        source, target: the columns as they were named or numbered for `fit`.
        names: what the source's and the target's column are called, such as ("de", "en"); None:
            they have no names.
        files: whether two files were learnt, whose numbers say nothing of the columns of a table.
    """

    source: Column
    target: Column
    names: tuple[str, str] | None
    files: bool

    @classmethod
    def of(cls, data: Any, source: Column, target: Column, names: tuple[str, str] | None) -> Self:
        """Of what `fit` was given, and of the names that were found there."""
        return cls(source, target, names, _two_files(data))

    def read(self, data: Any, source: Column = None, target: Column = None) -> SentencePairs:
        """Pairs in the direction that was learnt, unless a column is named here.

        Columns of a table are those of the training. Sides with the names of the training, in the
        other order, are turned, and that is noted. A list is taken as it is.

        Raises:
            DataError: as `read_pairs`.
        """
        if source is not None or target is not None:
            return read_pairs(data, source=source, target=target)
        if self._has_the_columns(data):
            source, target = self.source, self.target
        pairs = read_pairs(data, source=source, target=target)
        if self.names is None or pairs.columns != self.names[::-1]:
            return pairs
        told = f"turned round: the model was learnt from {self.names[0]!r} to {self.names[1]!r}"
        return replace(pairs.turned(), notes=(*pairs.notes, told))

    def _has_the_columns(self, data: Any) -> bool:
        if _two_files(data):
            return self.files and self.names is None
        bare = isinstance(data, SentencePairs | list | tuple) or hasattr(data, "__next__")
        return not bare and not self.files

    def to_assets(self) -> dict[str, Any]:
        """Plain JSON for a model's card."""
        names = None if self.names is None else list(self.names)
        return {"source": self.source, "target": self.target, "names": names, "files": self.files}

    @classmethod
    def from_assets(cls, assets: Mapping[str, Any]) -> Self:
        """The inverse of `to_assets`."""
        names = None if assets["names"] is None else (assets["names"][0], assets["names"][1])
        return cls(assets["source"], assets["target"], names, bool(assets["files"]))


def _two_files(data: Any) -> bool:
    return (
        isinstance(data, tuple)
        and len(data) == 2
        and all(isinstance(one, str | os.PathLike) for one in data)
    )
