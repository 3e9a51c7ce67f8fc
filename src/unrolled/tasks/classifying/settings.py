"""What a `Classifier`'s None comes to: by the texts, and by what it starts from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from unrolled.errors import ConfigError

# Tokens of a vocabulary, by kind: characters keep all.
VOCABULARY = {"characters": None, "words": 30_000, "subwords": 8_000}
# Tokens of the longest n-gram of the linear path.
ORDERS = {"characters": 4, "words": 2, "subwords": 3}
# Below so many tokens of training text a network is small and drops more.
FEW_TOKENS = 2_000_000
# Padded tokens of a batch that are trained at once, whatever the length of the documents.
BATCH_TOKENS = 16_384
# Tokens of a longer text that are trained on: more time for other texts is worth more.
LONGEST_LESSON = 300


@dataclass(frozen=True)
class Settings:
    """The settled hyperparameters of one fitted `Classifier`; names as its arguments."""

    tokenizer: str
    lower: bool
    vocabulary_size: int | None
    hidden_size: int
    layers: int
    embedding_size: int
    dropout: float
    input_dropout: float
    weight_dropout: float
    embedding_dropout: float
    output_dropout: float
    head_size: int
    prefix: float
    ngrams: int
    train_tokens: int | None
    batch_size: int
    chunk: int
    learning_rate: float
    weight_decay: float
    rate_decay: float
    unfreeze: float
    average: float
    patience: int | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a card."""
        return asdict(self)


def settle(given: dict[str, Any], *, characters: int, texts: int, starts: bool) -> Settings:
    """Fill in what was left None.

    Args:
        given: the arguments of the constructor that are fields of `Settings`.
        characters: of all training texts.
        texts: how many they are.
        starts: whether the encoder comes from a `Generator`, whose sizes are given.
    """
    kind = given["tokenizer"] or "words"
    if kind not in VOCABULARY:
        raise ConfigError(f"tokenizer: got {kind!r}, expected one of {', '.join(VOCABULARY)}")
    tokens = characters if kind == "characters" else characters // 5
    few = tokens < FEW_TOKENS
    short = tokens < 64 * max(1, texts)
    usual: dict[str, Any] = {
        "tokenizer": kind,
        "lower": kind == "words",
        "vocabulary_size": VOCABULARY[kind],
        "hidden_size": 128,
        "layers": 1,
        "embedding_size": 32 if kind == "characters" else 100,
        "dropout": 0.4 if starts or not few else 0.5,
        "input_dropout": 0.0 if kind == "characters" else 0.3,
        "weight_dropout": 0.0,
        "embedding_dropout": 0.0 if kind == "characters" else 0.05 if starts else 0.1,
        "output_dropout": 0.0 if kind == "characters" else 0.2,
        "head_size": 0,
        "prefix": 0.0 if kind == "characters" else 0.3,
        "ngrams": ORDERS[kind],
        "train_tokens": None if kind == "characters" else LONGEST_LESSON,
        "batch_size": 64 if short else 32,
        "chunk": 512,
        "learning_rate": 2e-3 if starts else 3e-3,
        "weight_decay": 0.0 if starts else 0.01,
        # Gentler than the 2.6 a layer and an epoch each of arXiv 1801.06146: a budget is often two
        # or three epochs, in which the lower layers must learn something, too.
        "rate_decay": 1.6 if starts else 1.0,
        "unfreeze": 0.03 if starts else 0.0,
        "average": 0.99,
        "patience": None,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    return Settings(**{**usual, **asked})
