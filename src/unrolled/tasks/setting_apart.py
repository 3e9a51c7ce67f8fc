"""Shares of the data that are set apart to test on or to choose by, what is alike kept together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, Self, TypeVar

import numpy as np

from unrolled.data.doctor_checkup import Checkup
from unrolled.data.linked import Groups
from unrolled.errors import DataError
from unrolled.tasks.base import check_share, is_number

# Fewer groups than this can't be split into parts that mean anything.
FEWEST = 5


class Divisible(Protocol):
    """What can be split: `N` things."""

    def __len__(self) -> int: ...

    def select(self, places: Sequence[int] | np.ndarray) -> Self: ...


P = TypeVar("P", bound=Divisible)


@dataclass(frozen=True)
class Shared(Generic[P]):
    """What `share_out` gives.

    Attributes:
        learnt: what stays.
        test, validation: what was set apart or given; None where that is not wanted.
        names: "test" and "validation", in words: where they are from.
        notes: what a person should know of the split.
    """

    learnt: P
    test: P | None
    validation: P | None
    names: dict[str, str]
    notes: tuple[str, ...] = ()


def share_out(
    whole: P,
    validation: Any,
    holdout: float,
    test: Any,
    *,
    read: Callable[[str, Any], tuple[P, str]],
    groups: Callable[[P], Groups],
    name: str,
    what: str,
) -> Shared[P]:
    """Sets apart what was not given as data of its own: first the test, then the validation.

    Args:
        whole: all that may be learnt.
        validation: a share of it, 0 for none, or data; None: a tenth.
        holdout: a share of it, 0 for none; not used where `test` is given.
        test: data, or None.
        read: data that was given, for "test" or "validation": the part and what it is called.
        groups: the places of a part that stay on one side.
        name: of `whole`.
        what: it is made of: "sentences".

    Raises:
        ConfigError: a share that is none.
        DataError: too few groups, or nothing left to learn.
    """
    shares: dict[str, float] = {}
    apart: dict[str, P | None] = {"test": None, "validation": None}
    names = {"test": f"{holdout:.0%} of the {what} of {name}" if is_number(holdout) else ""}
    for part, given in (("test", test), ("validation", validation)):
        told, share = part, given
        if part == "test" and test is None:
            told, share = "holdout", holdout
        if share is None:
            share = 0.1
        if is_number(share) or isinstance(share, bool):
            if share != 0 or isinstance(share, bool):
                check_share(told, share)
                shares[part] = float(share)
            continue
        apart[part], called = read(part, given)
        names[part] = f"all of {called}"
    rest, notes = whole, []
    for part, share in shares.items():
        alike = groups(rest)
        wanted = share * len(rest)
        given = None if rest is whole else len(groups(whole))
        stays, chosen = set_apart(alike, share, name=name, what=what, given=given)
        if len(chosen) < wanted / 2 and wanted - len(chosen) > 1:
            largest = max(map(len, alike))
            notes.append(
                f"only {len(chosen):,} {what} are set apart as {part}, not {wanted:,.0f}: "
                f"{largest:,} belong together and stay on one side; a file for {part}= is better"
            )
        rest, apart[part] = rest.select(stays), rest.select(chosen)
    if not len(rest):
        raise DataError(f"no {what} are left to learn from: give more", file=name)
    return Shared(rest, apart["test"], apart["validation"], names, tuple(notes))


def doubles_told(checkup: Checkup) -> Checkup:
    """The same, with doubles as a note: they spoil a score only where they stand on both sides of a
    split, and here they do not."""
    findings = [
        replace(one, severity="note", done="kept on one side of the split")
        if one.kind == "duplicate"
        else one
        for one in checkup.findings
    ]
    return Checkup.of(checkup.about, findings)


def set_apart(
    groups: Groups, share: float, *, name: str | None, what: str, given: int | None = None
) -> tuple[list[int], list[int]]:
    """The places that stay, and a share that is set apart; each sorted, no group on both sides.

    Groups are drawn in an order that depends on their number alone. One that would take the part
    beyond the share by more than half of its own size is passed over, so that a large group does
    not unbalance the parts; one group at least is set apart, and one stays.

    Args:
        groups: of places that stay on one side.
        share: what is to be set apart.
        name, what: for the error, as for `share_out`.
        given: how many groups there were before another part was set apart; None: these are all.

    Raises:
        DataError: fewer than `FEWEST` groups.
    """
    if len(groups) < FEWEST:
        count = len(groups) if given is None else given
        left, which = (
            ("", "a") if given is None else (f", {len(groups)} beside the test", "another")
        )
        raise DataError(
            f"got {count} different {what if count != 1 else what.removesuffix('s')}{left},"
            f" expected at least {FEWEST} to set {which} part of them aside: give more, or files"
            " for validation= and test=",
            file=name,
        )
    total = sum(map(len, groups))
    wanted = share * total
    chosen: list[int] = []
    order = np.random.default_rng(0x7A6).permutation(len(groups))[:-1]
    for at in order:
        if len(chosen) + len(groups[at]) / 2 <= wanted:
            chosen += groups[at]
        if len(chosen) >= wanted:
            break
    if not chosen:
        chosen = list(groups[min(order, key=lambda at: len(groups[at]))])
    taken = set(chosen)
    return [place for place in range(total) if place not in taken], sorted(chosen)
