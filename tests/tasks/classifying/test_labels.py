"""Labels as numbers and back, what rare ones count, and what is said of unknown ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from unrolled.errors import ConfigError, DataError
from unrolled.tasks.classifying.encoding import cropped
from unrolled.tasks.classifying.labels import Labels, per_text
from unrolled.tasks.classifying.schooling import label_loss


def test_numbers_are_in_the_order_of_numbers_and_names_in_that_of_names() -> None:
    assert Labels.of(["10", "9", "1"], False).names == ("1", "9", "10")
    assert Labels.of(["b", "10", "a"], False).names == ("10", "a", "b")


def test_several_labels_are_a_row_of_ones_and_zeros() -> None:
    labels = Labels.of([("a", "c"), (), ("b",)], True)
    assert labels.targets([("c",), (), ("a", "b")]).tolist() == [[0, 0, 1], [0, 0, 0], [1, 1, 0]]
    assert labels.chosen(np.array([[0.5, 0.2, 0.9], [0.1, 0.1, 0.1]])) == [("a", "c"), ()]


def test_an_unknown_label_is_named_with_the_known_ones() -> None:
    with pytest.raises(DataError, match=r"'maybe'.*'no', 'yes'"):
        Labels(("no", "yes"), False).targets(["no", "maybe"])


def test_balanced_labels_count_alike_together() -> None:
    labels = Labels(("a", "b", "c"), False)
    targets = np.array([0] * 6 + [1] * 3 + [2])
    weights = per_text(labels.weights("balanced", targets), targets)
    assert [weights[targets == c].sum() for c in range(3)] == pytest.approx([10 / 3] * 3)
    assert weights.mean() == pytest.approx(1)


def test_balanced_among_several_a_label_counts_as_much_as_its_absence() -> None:
    labels = Labels(("a", "b"), True)
    targets = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], dtype=np.float32)
    weights = per_text(labels.weights("balanced", targets), targets)
    held = (weights * targets).sum(0)
    assert held == pytest.approx((weights * (1 - targets)).sum(0))


@pytest.mark.parametrize(
    ("asked", "word"),
    [("fair", "'fair'"), ({"d": 2.0}, "'d'"), ({"a": 0}, "0"), ({"a": "much"}, "'much'"), (3, "3")],
)
def test_weights_that_cannot_work_are_named(asked: object, word: str) -> None:
    labels = Labels(("a", "b"), False)
    with pytest.raises(ConfigError, match=f"class_weight: got.*{word}"):
        labels.weights(asked, np.array([0, 1]))  # type: ignore[arg-type]


def test_a_label_without_a_weight_counts_once() -> None:
    found = Labels(("1", "2"), False).weights({2: 3.0}, np.array([0, 1]))  # type: ignore[dict-item]
    assert found.tolist() == [1, 3]


def test_a_cropped_text_keeps_its_beginning_and_its_end() -> None:
    tokens = np.arange(20)
    assert cropped(tokens, 8).tolist() == [0, 1, 14, 15, 16, 17, 18, 19]
    assert cropped(tokens, 20) is tokens
    assert cropped(tokens, None) is tokens


def test_a_label_that_counts_more_costs_more_where_it_is_missed_and_no_more_elsewhere() -> None:
    logits = torch.tensor([[0.3, -0.2], [-1.0, 0.5]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    loss = label_loss(np.array([3.0, 1.0], np.float32), several=True, prefix=0.0)
    yes, no = logits.sigmoid().log(), (-logits).sigmoid().log()
    expected = -(3 * yes[0, 0] + no[0, 1] + no[1, 0] + yes[1, 1]) / 4
    torch.testing.assert_close(loss(logits, targets), expected)
    one = label_loss(np.array([3.0, 1.0], np.float32), several=False, prefix=0.0)
    each = -logits.log_softmax(-1)
    torch.testing.assert_close(one(logits, torch.tensor([0, 1])), (3 * each[0, 0] + each[1, 1]) / 4)
