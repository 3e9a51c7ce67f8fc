"""Words that start from vectors learnt elsewhere, such as GloVe's."""

from __future__ import annotations

import os

import torch

from unrolled.data.tokens import Tokenizer
from unrolled.data.word_vectors import WordVectors, read_word_vectors
from unrolled.errors import DataError
from unrolled.tasks.classifying.network import TextClassifier


def open_vectors(path: str | os.PathLike[str], vocabulary: Tokenizer) -> WordVectors:
    """The vectors of the words that the vocabulary has.

    Raises:
        DataError: the file can't be read, or has none of them.
    """
    found = read_word_vectors(path, [piece.strip() for piece in vocabulary.pieces])
    if not len(found):
        raise DataError(
            f"has a vector for none of the {len(vocabulary):,} words of the texts; expected the"
            " words of their language, one a line, each with its numbers",
            file=path,
        )
    return found


def put_vectors(network: TextClassifier, vocabulary: Tokenizer, vectors: WordVectors) -> str:
    """Let the known words begin with their vectors; gives a line that says how many do.

    They are scaled to the spread of the others, which the layers are made for.
    """
    rows, there = vectors.matrix(piece.strip() for piece in vocabulary.pieces)
    weight = network.encoder.embedding.weight
    known = torch.from_numpy(there)
    found = torch.from_numpy(rows[there])
    with torch.no_grad():
        spread = weight.std() / found.std().clamp(min=1e-6)
        weight[known] = (found * spread).to(weight)
    return (
        f"{int(there.sum()):,} of {len(vocabulary):,} words begin with a vector from {vectors.name}"
    )
