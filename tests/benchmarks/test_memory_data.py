"""The pictures of the memory tasks: MNIST and digits, in parts that share none."""

from __future__ import annotations

import pytest
import torch
from memory_tasks.images import VALIDATION, digits, mnist

from unrolled.errors import DataError


def test_digits_are_read_row_by_row_in_three_parts_that_share_no_picture() -> None:
    task = digits()
    assert (task.length, task.inputs) == (8, 8)
    sizes = {part: len(labels) for part, (_, labels) in task.parts.items()}
    assert sizes == {"train": 1152, "validation": 286, "test": 359}
    from sklearn.datasets import load_digits

    loaded = load_digits()
    pictures, labels = task.parts["test"]
    assert torch.equal(pictures[1] * 16, torch.from_numpy(loaded.images[9]).float())
    assert int(labels[1]) == int(loaded.target[9])


def test_an_epoch_shows_every_picture_once_and_the_next_in_another_order() -> None:
    task = digits()
    pictures, _ = task.parts["train"]
    steps = len(pictures) // 64
    for epoch in (0, 1):
        seen = [task.batch(64, 3, epoch * steps + i).inputs.transpose(0, 1) for i in range(steps)]
        rows = torch.cat(seen).flatten(1)
        assert torch.equal(_sorted(rows), _sorted(pictures.flatten(1)))
    first, second = task.batch(64, 3, 0), task.batch(64, 3, steps)
    assert not torch.equal(first.inputs, second.inputs)
    again = task.batch(64, 3, 0)
    assert torch.equal(first.inputs, again.inputs)
    assert torch.equal(first.targets, again.targets)


def _sorted(rows: torch.Tensor) -> torch.Tensor:
    return rows[torch.argsort((rows.double() * torch.arange(1, 65).sqrt()).sum(1))]


@pytest.mark.data
def test_mnist_is_read_pixel_by_pixel_and_permuted_alike_in_all_parts() -> None:
    plain, permuted = mnist(permuted=False), mnist(permuted=True)
    sizes = {part: len(labels) for part, (_, labels) in plain.parts.items()}
    assert sizes == {"train": 60000 - VALIDATION, "validation": VALIDATION, "test": 10000}
    assert (plain.length, plain.inputs) == (784, 1)
    assert int(plain.parts["train"][1][0]) == 5  # the first picture to learn from is a five
    pixels = plain.parts["train"][0]
    assert abs(float(pixels.mean())) < 0.01
    assert abs(float(pixels.std()) - 1) < 0.01
    first, mixed = plain.parts["validation"][0], permuted.parts["validation"][0]
    places = [place for place in range(0, 784, 7) if float(mixed[:, place].std()) > 0.5]
    order = [next(i for i in range(784) if torch.equal(first[:, i], mixed[:, p])) for p in places]
    assert len(places) > 20
    assert order != sorted(order)
    for part in plain.parts:
        assert torch.equal(plain.parts[part][0][:, order], permuted.parts[part][0][:, places])
    assert torch.equal(plain.parts["test"][1], permuted.parts["test"][1])


def test_without_mnist_the_error_says_where_it_was_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    with pytest.raises(DataError, match="name a folder that holds it in UNROLLED_DATA"):
        mnist(permuted=False)
