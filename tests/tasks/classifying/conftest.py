"""A small network with weights that are not near zero, and a tokenizer of few words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from unrolled.data.tokens import Tokenizer, make_tokenizer
from unrolled.tasks.classifying.building import build
from unrolled.tasks.classifying.network import TextClassifier
from unrolled.tasks.classifying.settings import Settings, settle

TOKENS, LABELS = 12, 3


def _settings(**given: Any) -> Settings:
    small = {"hidden_size": 6, "embedding_size": 5, "chunk": 4, "dropout": 0.0, "ngrams": 2}
    still = {"input_dropout": 0.0, "embedding_dropout": 0.0, "head_size": 0, "output_dropout": 0.0}
    open_ = dict.fromkeys(Settings.__dataclass_fields__)
    return settle({**open_, **small, **still, **given}, characters=1000, texts=10, starts=False)


def _network(cell: str = "lstm", directions: int = 1, **given: Any) -> TextClassifier:
    torch.manual_seed(3)
    network = build(_settings(**given), cell, directions, TOKENS, LABELS)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.4 * torch.randn(parameter.shape)
    return network.eval()


@pytest.fixture(scope="session")
def settings() -> Callable[..., Settings]:
    """`settings(**given)`: settled for next to nothing."""
    return _settings


@pytest.fixture(scope="session")
def network() -> Callable[..., TextClassifier]:
    """`network(cell, directions, **settings)`: 12 tokens, 3 labels, chunks of 4, 6 units."""
    return _network


@pytest.fixture(scope="session")
def words() -> Tokenizer:
    """A tokenizer of the words of a few sentences."""
    text = "the film is good and bad , not so very good at all . a long story of two people"
    return make_tokenizer("words", [text], lower=True, min_count=1)
