"""Every test starts from the same seed, on one thread: the tensors are small."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def seed_and_one_thread() -> Iterator[None]:
    torch.manual_seed(20240607)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
