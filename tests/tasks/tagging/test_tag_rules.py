"""Which tags may follow each other in a span scheme."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

from unrolled.data.tag_schemes import broken_spans
from unrolled.layers import CRF
from unrolled.tasks.tagging.rules import rules_of

SCHEMES = {
    "BIO": ("B-LOC", "B-PER", "I-LOC", "I-PER", "O"),
    "BIOES": ("B-PER", "E-PER", "I-PER", "O", "S-LOC", "S-PER"),
}


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_just_the_sequences_that_the_scheme_knows_are_allowed(scheme: str) -> None:
    tags = SCHEMES[scheme]
    rules = rules_of(tags, scheme)
    for row in product(range(len(tags)), repeat=3):
        total = rules.start[row[0]] + rules.end[row[-1]]
        total = total + sum(rules.transitions[a, b] for a, b in pairwise(row))
        broken = list(broken_spans([tags[place] for place in row], scheme))
        assert bool(total.isfinite()) == (not broken), [tags[place] for place in row]


@pytest.mark.parametrize("scheme", [None, "IOB1"])
def test_without_a_scheme_of_beginnings_all_is_allowed(scheme: str | None) -> None:
    assert all((one == 0).all() for one in rules_of(("B-X", "I-X", "O"), scheme))


@pytest.mark.parametrize("scheme", ["BIO", "BIOES"])
def test_decoded_tags_keep_the_rules_whatever_the_scores(scheme: str) -> None:
    tags = SCHEMES[scheme]
    crf = CRF(len(tags))
    lengths = torch.tensor([1, 4, 9, 9])
    emissions = 5 * torch.randn(9, 4, len(tags))
    found, score = crf.decode(emissions, lengths, penalties=rules_of(tags, scheme))
    assert score.isfinite().all()
    for row, length in enumerate(lengths.tolist()):
        said = [tags[place] for place in found[:length, row].tolist()]
        assert not list(broken_spans(said, scheme)), said
    free, _ = crf.decode(emissions, lengths)
    assert any(
        list(broken_spans([tags[place] for place in free[:length, row].tolist()], scheme))
        for row, length in enumerate(lengths.tolist())
    )


def test_a_tag_without_a_way_in_or_on_is_not_forbidden() -> None:
    rules = rules_of(("B-X", "I-Y", "O"), "BIOES")
    assert all((one == 0).all() for one in rules)
