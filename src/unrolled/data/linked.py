"""Which things of a set belong together, so that a split must not part them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np

Groups = list[list[int]]


def alike(keys: Iterable[Hashable]) -> Groups:
    """The places of equal keys, in the order of their first."""
    groups: dict[Hashable, list[int]] = {}
    for place, key in enumerate(keys):
        groups.setdefault(key, []).append(place)
    return list(groups.values())


def numbers(groups: Groups) -> list[int]:
    """Of each place the number of its group; the groups hold each place once."""
    found = [0] * sum(map(len, groups))
    for number, places in enumerate(groups):
        for place in places:
            found[place] = number
    return found


def linked(first: Iterable[Hashable], second: Iterable[Hashable]) -> Groups:
    """The places that are linked by equal keys, of either kind and over any number of others.

    Places `i` and `j` are in one group where `first[i] == first[j]` or `second[i] == second[j]`,
    and so on from `j`: the connected components of the graph that has a node for each key and an
    edge for each place.

    Args:
        first, second: `N` keys each.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = []
    count = 0
    for keys in (first, second):
        numbers: dict[Hashable, int] = {}
        ends.append(np.array([numbers.setdefault(key, len(numbers)) for key in keys]) + count)
        count += len(numbers)
    edges = coo_array((np.ones(len(ends[0]), np.int8), (ends[0], ends[1])), shape=(count, count))
    _, component = connected_components(edges, directed=False)
    return alike(component[ends[0]].tolist())
