"""Small models with random weights over small vocabularies, for laws that need no training."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest
import torch

from unrolled.baselines import NGram
from unrolled.data.tokens.checks import word_beginnings
from unrolled.layers import LSTM
from unrolled.tasks.generating.interpolation import Interpolation
from unrolled.tasks.generating.reading import Reader
from unrolled.tasks.language_model import LanguageModel
from unrolled.tasks.language_models import LanguageModels
from unrolled.tasks.text_encoder import TextEncoder


class Pieces:
    """A tokenizer of given pieces, the longest first; what is none of them is unknown."""

    def __init__(self, kind: str, pieces: Iterable[str]) -> None:
        self.kind = kind
        self.pieces = ("\ufffd", "\n", *pieces)
        self.word_beginnings = word_beginnings(self.pieces)

    def __len__(self) -> int:
        return len(self.pieces)

    def encode(self, text: str) -> np.ndarray:
        ids, ranked = [], sorted(self.pieces[1:], key=len, reverse=True)
        while text:
            piece = next((one for one in ranked if text.startswith(one)), None)
            ids.append(0 if piece is None else self.pieces.index(piece))
            text = text[1 if piece is None else len(piece) :]
        return np.array(ids, dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> str:
        return "".join(self.pieces[number] for number in ids)


@pytest.fixture(scope="session")
def reader_of() -> Callable[..., Reader]:
    """`reader_of(kind, pieces, seed)`: a reader over those pieces, with random weights; with
    `weight`, an n-gram model of a random text answers too; with `members`, several networks."""

    def make(
        kind: str, pieces: Iterable[str], seed: int = 0, *, weight: float = 0.0, members: int = 1
    ) -> Reader:
        tokenizer = Pieces(kind, pieces)
        torch.manual_seed(seed)
        several = [
            LanguageModel(TextEncoder(LSTM(5, 8, 2), len(tokenizer))) for _ in range(members)
        ]
        model = several[0] if members == 1 else LanguageModels(several)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter *= 3
        mix = None
        if weight:
            text = np.random.default_rng(seed).integers(1, len(tokenizer), 300)
            mix = Interpolation(NGram(4).fit(text, len(tokenizer)), weight)
        return Reader(model.eval(), tokenizer, mix)

    return make
