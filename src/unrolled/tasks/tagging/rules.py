"""Which tags may follow each other, where tags mark spans of words."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from unrolled.layers.crf_sums import Potentials

_OUTSIDE = "O"


def rules_of(tags: Sequence[str], scheme: str | None) -> Potentials:
    """0 where the scheme allows a first tag, a tag after a tag, a last tag; -inf where not.

        BIO     I-X follows B-X or I-X only
        BIOES   B-X and I-X are followed by I-X or E-X, which follow nothing else

    In IOB1, and where tags stand for their words alone, all is allowed. BILOU's L and U are E and
    S. Where the tags seen leave no way on (a B-X without any I-X or E-X), the rule is not applied
    to that tag.

    Args:
        tags: the `C` tags.
        scheme: "BIO", "BIOES", "IOB1" or None.
    """
    count = len(tags)
    start, end = torch.zeros(count), torch.zeros(count)
    transitions = torch.zeros(count, count)
    if scheme not in ("BIO", "BIOES"):
        return Potentials(start, transitions, end)
    seen = set(tags)
    for at, tag in enumerate(tags):
        begun = [f"{letter}-{tag[2:]}" for letter in "BI"]
        if tag[0] in "IEL" and seen & {begun[0]}:
            start[at] = -torch.inf
            for before, other in enumerate(tags):
                if other not in begun:
                    transitions[before, at] = -torch.inf
        if scheme == "BIOES" and tag[0] in "BI":
            onward = {f"{letter}-{tag[2:]}" for letter in "IEL"} & seen
            if onward - {tag}:
                end[at] = -torch.inf
                for after, other in enumerate(tags):
                    if other not in onward:
                        transitions[at, after] = -torch.inf
    return Potentials(start, transitions, end)
