"""`KnownPrefixes`: where prefixes stand, found from the longest beginning that is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
Symbols = tuple[int, ...]

# So many of the last beginnings of a prefix are kept: what a beam has beside it parts from it late.
_LATE = 64


class KnownPrefixes(Generic[T]):
    """What `extended` makes of the symbols of a prefix, one after the other.

    One symbol more costs one step, and any length can be asked for at once: a stream that goes on
    in another process has its whole prefix to be gone through.

    Args:
        begin: of no symbols.
        extended: of what was made before, and one symbol more.
        most: at least so many that were asked for lately are known, and at most twice as many.
    """

    def __init__(self, begin: T, extended: Callable[[T, int], T], most: int) -> None:
        self._begin, self._extended, self._most = begin, extended, most
        # The older half is dropped at once: no order is kept, which threads would have to share.
        self._new: dict[Symbols, T] = {}
        self._old: dict[Symbols, T] = {}

    def after(self, symbols: Symbols) -> T:
        """Of all of them."""
        known, reached = 0, self._begin
        for end in range(len(symbols), 0, -1):
            found = self._look(symbols[:end])
            if found is not None:
                known, reached = end, found
                break
        for at in range(known, len(symbols)):
            reached = self._extended(reached, symbols[at])
            if at + _LATE >= len(symbols):
                self._keep(symbols[: at + 1], reached)
        return reached

    def _look(self, symbols: Symbols) -> T | None:
        found = self._new.get(symbols)
        if found is None and (found := self._old.get(symbols)) is not None:
            self._keep(symbols, found)
        return found

    def _keep(self, symbols: Symbols, reached: T) -> None:
        if len(self._new) >= self._most:
            self._old, self._new = self._new, {}
        self._new[symbols] = reached
