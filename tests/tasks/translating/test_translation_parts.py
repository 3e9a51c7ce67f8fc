"""The split of pairs: what shares a sentence stays together, and the parts stay balanced."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.data.linked import alike, linked
from unrolled.data.pairs import SentencePairs
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.setting_apart import set_apart
from unrolled.tasks.translating.parts import read_split

SMALL = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=30)


def some(count: int = 200) -> list[tuple[str, str]]:
    return [(f"der Satz {place} hier", f"the sentence {place} here") for place in range(count)]


def split(data, validation=None, holdout=0.1, test=None, source=None, target=None):
    return read_split(data, validation, holdout, test, source, target)


@given(SMALL)
def test_places_are_linked_where_a_chain_of_equal_keys_leads(rows):
    groups = linked(*zip(*rows, strict=True))
    assert sorted(place for group in groups for place in group) == list(range(len(rows)))
    for group in groups:
        # what a group holds is reached from its first place, and nothing else is
        reached, grown = {group[0]}, True
        while grown:
            more = {
                other
                for other in range(len(rows))
                for place in reached
                if rows[other][0] == rows[place][0] or rows[other][1] == rows[place][1]
            }
            grown, reached = more > reached, more
        assert set(group) == reached


def test_keys_of_both_sides_are_never_taken_for_one_another():
    assert linked(["a", "b"], ["b", "c"]) == [[0], [1]]


@given(st.lists(st.integers(1, 40), min_size=5, max_size=60), st.floats(0.02, 0.97))
def test_a_share_is_met_within_half_a_group_where_groups_are_small(sizes, share):
    groups = alike(np.repeat(np.arange(len(sizes)), sizes).tolist())
    stays, apart = set_apart(groups, share, name=None, what="pairs")
    assert sorted(stays + apart) == list(range(sum(sizes)))
    assert stays
    assert apart
    wanted = share * sum(sizes)
    assert len(apart) <= max(wanted + max(sizes) / 2, sorted(sizes)[1])
    side = np.isin(np.arange(sum(sizes)), apart)
    assert all(len(set(side[group].tolist())) == 1 for group in groups)


def test_a_group_stays_whatever_the_share():
    stays, apart = set_apart(alike(range(5)), 0.98, name=None, what="pairs")
    assert (len(stays), len(apart)) == (1, 4)


def test_a_group_that_holds_most_of_the_data_is_never_set_apart():
    for large in range(10):
        sizes = [1] * 10
        sizes[large] = 500
        groups = alike(np.repeat(np.arange(10), sizes).tolist())
        assert len(set_apart(groups, 0.1, name=None, what="pairs")[1]) <= 9


def test_no_sentence_stands_on_two_sides():
    draw = random.Random(3)
    rows = [(f"Satz {draw.randrange(300)}", f"Sentence {draw.randrange(900)}") for _ in range(600)]
    rows += [(f"  sATZ {a.split()[1]}", b.upper()) for a, b in rows[:50]]
    found = split(rows, validation=0.1, holdout=0.1)
    parts = [found.learnt, found.chosen_by, found.test]
    assert sum(map(len, parts)) == len(rows)
    for side in ("sources", "targets"):
        seen = [{" ".join(one.lower().split()) for one in getattr(part, side)} for part in parts]
        assert sum(map(len, seen)) == len(set.union(*seen))


def test_shares_are_met_and_the_split_depends_on_the_data_alone():
    found = split(some(), validation=0.1, holdout=0.2)
    assert (len(found.learnt), len(found.chosen_by), len(found.test)) == (144, 16, 40)
    assert found.told == "20% of the pairs of pairs, 40 pairs"
    again = split(some(), validation=0.1, holdout=0.2)
    assert again == found
    assert split(some(), validation=0.1, holdout=0.25).holdout != found.holdout
    none = split(some(), validation=0, holdout=0)
    assert (none.chosen_by, none.test, len(none.learnt)) == (None, None, 200)
    assert (none.told, none.holdout) == ("", ["", ""])


def test_files_of_their_own_are_taken_whole_and_in_the_same_direction(tmp_path):
    path = tmp_path / "more.tsv"
    path.write_text("de\ten\nein anderer Satz hier\tanother sentence over here\n")
    data = SentencePairs(*zip(*some(), strict=True), columns=("de", "en"))
    test = SentencePairs(("q",), ("w",), "few", columns=("de", "en"))
    found = split(data, validation=path, test=test, source="en")
    assert found.columns == ("en", "de")
    assert found.chosen_by.sources == ("another sentence over here",)
    assert found.learnt.sources == data.targets
    assert found.told == "all of few, 1 pair"


def test_what_links_nearly_all_is_told():
    rows = [(f"Satz {place}", "the same") for place in range(300)] + some(20)
    found = split(rows, holdout=0.2, validation=0)
    assert len(found.test) <= 20
    told = [one.text for one in found.checkup if "set apart as test" in one.text]
    assert len(told) == 1
    assert "300 belong together" in told[0]


def test_what_was_guessed_and_left_out_of_other_files_is_told(tmp_path):
    path = tmp_path / "val.tsv"
    path.write_text("de\ten\nein anderer Satz hier\tanother sentence over here\nalso\t\n")
    told = [one.text for one in split(some(), validation=path).checkup]
    assert any(one.startswith("validation: line 1 ('de' and 'en') was taken") for one in told)
    assert "1 of 2 (50%) pairs of the validation have one empty side: line 3" in told


def test_too_few_pairs_are_told():
    with pytest.raises(DataError, match="got 1 different pair, expected at least 5"):
        split([(f"Satz {place}", "same") for place in range(50)])
    rows = [(f"Satz {place}", f"sentence {place}") for place in range(5)]
    with pytest.raises(DataError, match="got 5 different pairs, 4 beside the test, expected at"):
        split(rows)
    with pytest.raises(ConfigError, match="holdout: got 1"):
        split(some(), holdout=1)
    with pytest.raises(ConfigError, match="validation: got True"):
        split(some(), validation=True)


@pytest.mark.data
def test_the_parts_of_tatoeba_are_alike_and_share_no_sentence():
    from unrolled.data import catalog

    if catalog.find("tatoeba-de-en") is None:
        pytest.skip("tatoeba-de-en is not in UNROLLED_DATA")
    pairs = catalog.load("tatoeba-de-en", download=False)
    found = split(pairs)
    assert len(found.test) == pytest.approx(0.1 * len(pairs), abs=10)
    size = dict.fromkeys(pairs.lines, 0)
    for group in pairs.groups():
        for place in group:
            size[pairs.lines[place]] = len(group)
    words = [np.mean([len(one.split()) for one in p.sources]) for p in (found.learnt, found.test)]
    alone = [np.mean([size[line] == 1 for line in p.lines]) for p in (found.learnt, found.test)]
    assert words[0] == pytest.approx(words[1], rel=0.02)
    assert alone[0] == pytest.approx(alone[1], abs=0.02)
    assert not {one.lower() for one in found.learnt.targets} & {
        one.lower() for one in found.test.targets
    }
