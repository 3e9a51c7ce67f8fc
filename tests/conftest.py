"""What all tests share: seeds, the `data` mark, hypothesis's manners."""

from __future__ import annotations

import os
import random
import sys

import pytest
from hypothesis import HealthCheck, settings

# No deadlines, since a busy machine is no fault of the code; in CI every run has the same examples.
settings.register_profile(
    "unrolled", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("ci", settings.get_profile("unrolled"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "unrolled")


def pytest_configure() -> None:
    """One thread: the tests' models are tiny, and threads that wait for each other while other work
    runs on the same cores take many times as long. Read when torch is loaded, here and in children.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _seeds() -> None:
    """Every test starts from the same random state, in each library that is imported already."""
    random.seed(20)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(20)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("UNROLLED_DATA"):
        return
    skip = pytest.mark.skip(reason="needs public data: set UNROLLED_DATA to their folder")
    for item in items:
        if item.get_closest_marker("data"):
            item.add_marker(skip)
