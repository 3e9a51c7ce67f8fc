"""The checks of what a search is asked."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.decoding.answers import Question
from unrolled.decoding.beam_options import BeamOptions
from unrolled.decoding.constraints import Constraints
from unrolled.decoding.sentence_error import SentenceError
from unrolled.errors import ConfigError


def ask(
    begin: int,
    end: int,
    sentences: int | Sequence[int] | Tensor,
    options: BeamOptions,
    prefixes: Sequence[Sequence[int]] | None,
    limits: Sequence[int] | None,
    device: str | torch.device,
) -> Question:
    """The arguments of `beam.search`, checked.

    Raises:
        ConfigError: the first that can't work.
    """
    for name, token in (("begin", begin), ("end", end)):
        if _whole(token) is None:
            raise ConfigError(f"{name}: got {token!r}, expected a token's id")
    known = isinstance(sentences, Tensor) or _whole(sentences) is None
    lengths = _lengths(sentences) if known else np.zeros(index(sentences), np.int64)  # type: ignore[arg-type]
    if not known:
        for name, needed in (
            ("max_length", options.by_source and limits is None),
            ("coverage_penalty", options.coverage_penalty > 0),
        ):
            if needed:
                raise ConfigError(
                    f"{name}: needs the length of each source; give them as `sentences`"
                )
    most = options.limits(lengths) if limits is None else _limits(limits, len(lengths))
    if prefixes is not None:
        _check_prefixes(prefixes, most, end)
    if end in options.forbidden:
        raise ConfigError(f"forbidden: holds the end, {end}; no answer could finish")
    # Where the lengths are not known, all of the attention is given.
    widths = lengths if known else np.full(len(lengths), np.iinfo(np.int64).max)
    constraints = Constraints(options, end, prefixes)
    return Question(begin, end, options, constraints, widths, most, torch.device(device))


def _lengths(sentences: Any) -> np.ndarray[Any, Any]:
    given = sentences.tolist() if isinstance(sentences, Tensor) else sentences
    try:
        numbers = [_whole(one) for one in given]
    except TypeError:
        numbers = [None]
    if None in numbers:
        raise ConfigError(
            f"sentences: got {sentences!r}, expected a count, or the length of each source"
        )
    return np.array(numbers, np.int64)


def _limits(given: Sequence[int], count: int) -> np.ndarray[Any, Any]:
    if len(given) != count:
        raise ConfigError(f"limits: got {len(given)} for {count} sentences")
    for sentence, limit in enumerate(given):
        if not _whole(limit):
            raise ConfigError(
                f"limits: got {limit!r} for sentence {sentence}, expected a whole number from 1 on"
            )
    return np.array(given, np.int64)


def _check_prefixes(prefixes: Sequence[Sequence[int]], limits: Any, end: int) -> None:
    if len(prefixes) != len(limits):
        raise ConfigError(f"prefixes: got {len(prefixes)} for {len(limits)} sentences")
    for sentence, (prefix, limit) in enumerate(zip(prefixes, limits.tolist(), strict=True)):
        if any(_whole(token) is None or token == end for token in prefix):
            raise SentenceError(
                f"prefixes: got {list(prefix)!r} for",
                sentence,
                f", expected tokens' ids without the end, {end}",
            )
        if len(prefix) >= limit:
            raise SentenceError(
                f"prefixes: got {len(prefix)} tokens for",
                sentence,
                f", which ends after {limit} steps; raise max_length, or its limit",
            )


def _whole(value: Any) -> int | None:
    """A whole number from 0 on, or None for what is none."""
    try:
        number = index(value) if not isinstance(value, bool) else -1
    except TypeError:
        return None
    return number if number >= 0 else None
