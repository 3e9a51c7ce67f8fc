"""Networks that are there, and have learnt nothing: of transcripts and of labels."""

from __future__ import annotations

import pytest

from tests.tasks.transcribing.small import ONCE, SMALL, labelled, spoken
from unrolled import Transcriber


@pytest.fixture(scope="module")
def words() -> Transcriber:
    return Transcriber("words", **SMALL).fit(spoken(30), **ONCE)


@pytest.fixture(scope="module")
def labels() -> Transcriber:
    return Transcriber(**SMALL).fit(labelled(30), **ONCE)
