"""Laws of the split: nobody on both sides, labels alike, the same for the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.classifying.splitting import split


@given(
    texts=st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from("xy")), min_size=1),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 9),
)
def test_every_text_is_on_one_side_and_equal_texts_on_the_same(
    texts: list[tuple[str, str]], share: float, seed: int
) -> None:
    words, labels = zip(*texts, strict=True)
    stay, apart = split(words, labels, share, seed)
    assert sorted([*stay, *apart]) == list(range(len(words)))
    assert not {words[i] for i in stay} & {words[i] for i in apart}


def test_case_and_spaces_make_no_other_text() -> None:
    texts = ["A  fine film", "a fine film\n", *(f"text {n}" for n in range(18))]
    for seed in range(10):
        _, apart = split(texts, ["x"] * 20, 0.5, seed)
        assert (0 in apart) == (1 in apart)


def test_each_label_is_shared_out_alike() -> None:
    texts = [f"text {n}" for n in range(1000)]
    labels = ["rare"] * 100 + ["common"] * 900
    _, apart = split(texts, labels, 0.1, 0)
    assert Counter(labels[i] for i in apart) == {"rare": 10, "common": 90}


def test_many_small_labels_together_give_the_share() -> None:
    texts = [f"text {n}" for n in range(300)]
    _, apart = split(texts, [str(n // 3) for n in range(300)], 0.1, 0)
    assert abs(len(apart) - 30) <= 1


def test_a_label_with_one_text_is_learnt() -> None:
    texts = [f"text {n}" for n in range(21)]
    for seed in range(20):
        stay, _ = split(texts, ["lonely"] + ["x"] * 20, 0.5, seed)
        assert 0 in stay


def test_the_seed_settles_it() -> None:
    texts = [f"text {n}" for n in range(100)]
    one, same, other = (split(texts, ["x"] * 100, 0.3, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_in_a_row_what_is_set_apart_stands_together() -> None:
    texts = [f"text {n}" for n in range(100)]
    begins = set()
    for seed in range(8):
        _, apart = split(texts, ["x"] * 100, 0.2, seed, in_a_row=True)
        assert len(apart) == 20
        gaps = np.diff([*apart, apart[0] + 100])
        assert sorted(gaps.tolist()) == [1] * 19 + [81]
        begins.add(int(apart[0]))
    assert len(begins) > 3
