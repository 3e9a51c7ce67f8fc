"""The compact form of a model: arrays in a `.unrolled` file, which map into memory."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from unrolled.decoding.ngrams.trie import Trie
from unrolled.decoding.ngrams.vocabulary import MARKS, Vocabulary
from unrolled.errors import ModelFileError

_ARRAYS = {
    "first_child": np.int32,
    "token": np.int32,
    "log_prob": np.float32,
    "backoff": np.float32,
    "suffix": np.int32,
}


def to_tensors(trie: Trie, vocabulary: Vocabulary) -> dict[str, Tensor]:
    """The arrays of a trie, 20 bytes a gram, and the words: UTF-8, a line break between two."""
    words = np.frombuffer("\n".join(vocabulary.tokens).encode(), dtype=np.uint8)
    arrays = {f"model.{name}": getattr(trie, name) for name in _ARRAYS}
    found = {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()}
    return found | {"model.words": torch.from_numpy(words.copy())}


def from_tensors(tensors: Mapping[str, Tensor]) -> tuple[Trie, Vocabulary]:
    """What `to_tensors` gave; the arrays are the tensors' own memory.

    Raises:
        ModelFileError: a tensor is missing, or they make no trie: native code follows their
            numbers, so that each is looked at.
    """
    arrays = {}
    for name, kind in {**_ARRAYS, "words": np.uint8}.items():
        if f"model.{name}" not in tensors:
            raise ModelFileError(f"it lacks the tensor model.{name}; save the model again")
        arrays[name] = tensors[f"model.{name}"].numpy()
        arrays[name].flags.writeable = False
        if arrays[name].dtype != kind or arrays[name].ndim != 1:
            raise _broken(name)
    try:
        vocabulary = Vocabulary(arrays.pop("words").tobytes().decode().split("\n"))
    except UnicodeDecodeError:
        raise _broken("words") from None
    if vocabulary.tokens[: len(MARKS)] != MARKS or len(vocabulary.numbers) != len(vocabulary):
        raise _broken("words")
    return _checked(arrays, len(vocabulary)), vocabulary


def _broken(name: str) -> ModelFileError:
    return ModelFileError(
        f"model.{name} is not what an n-gram model has there; the file is damaged: save the model"
        " again"
    )


def _checked(arrays: dict[str, np.ndarray], size: int) -> Trie:
    """The trie of these arrays, if they are one."""
    first_child, token, suffix = (arrays[name] for name in ("first_child", "token", "suffix"))
    count = len(token)
    for name, array in arrays.items():
        if len(array) != count + (name == "first_child"):
            raise _broken(name)
    # Children come after their gram, those of later grams later, and the last ends at N.
    follow = count > size and first_child[0] == 1 and first_child[-1] == count
    follow = follow and first_child[1] == 1 + size and bool((np.diff(first_child) >= 0).all())
    follow = follow and bool((first_child[:-1] > np.arange(count, dtype=np.int32)).all())
    if not follow:
        raise _broken("first_child")
    inside = (token >= 0) & (token < size)
    # Ascending, but where another gram's children begin.
    begins = np.zeros(count + 1, dtype=bool)
    begins[first_child] = True
    inside[2:] &= (np.diff(token[1:]) > 0) | begins[2:-1]
    if not (inside.all() and (token[1 : 1 + size] == np.arange(size)).all()):
        raise _broken("token")
    starts = [0, 1]
    while starts[-1] < count:
        starts.append(int(first_child[starts[-1]]))
    order = len(starts) - 2
    shorter = suffix[0] == -1
    for length, (first, last) in enumerate(pairwise(starts[1:]), start=1):
        here = suffix[first:last]
        shorter = shorter and bool(((here >= 0) & (here < starts[length])).all())
    if not shorter:
        raise _broken("suffix")
    if not ((arrays["log_prob"] <= 0) & (arrays["log_prob"] > -np.inf)).all():
        raise _broken("log_prob")
    if not np.isfinite(arrays["backoff"]).all():
        raise _broken("backoff")
    return Trie(order, **arrays)
