"""Words that start from vectors learnt elsewhere, such as GloVe's."""

from __future__ import annotations

import os

import torch

from unrolled.data.tokens import Tokenizer
from unrolled.data.word_vectors import WordVectors, read_word_vectors
from unrolled.errors import DataError
from unrolled.tasks.classifying.network import TextClassifier
from unrolled.tasks.initial import put_vectors


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


def start_from(network: TextClassifier, vocabulary: Tokenizer, vectors: WordVectors) -> str:
    """Let the known words begin with their vectors; gives a line that says how many do."""
    rows, known = vectors.matrix(piece.strip() for piece in vocabulary.pieces)
    put_vectors(network.encoder.embedding.weight, torch.from_numpy(rows), torch.from_numpy(known))
    told = f"{known.sum():,} of {len(vocabulary):,} words begin with a vector"
    return f"{told} from {vectors.name}"
