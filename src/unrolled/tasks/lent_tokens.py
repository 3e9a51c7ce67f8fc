"""The tokens of a fitted task, for another one that is to read or write the same."""

from __future__ import annotations

import os
from typing import Any

from unrolled.data.tokens import Tokenizer
from unrolled.errors import ConfigError


def lent_tokens(given: Any) -> Tokenizer:
    """What a fitted `Generator` reads, or a `Translator` writes; given as such or as a file's path.

    Raises:
        ModelFileError: the file can't be read.
        ConfigError: it is of another kind, or has not learnt anything.
    """
    from unrolled.tasks.base import Task
    from unrolled.tasks.loading import load

    task = load(given) if isinstance(given, str | os.PathLike) else given
    if not isinstance(task, Task):
        raise ConfigError(
            f"tokens_of: got {type(task).__name__}, expected a Translator, a Generator or the path"
            " of a file of one"
        )
    task._check_fitted()
    both = getattr(task, "tokens", None)
    found = getattr(task, "vocabulary", None) if both is None else both.target
    if found is None:
        raise ConfigError(
            f"tokens_of: a {type(task).__name__} has no tokens to lend; give a Translator or a"
            " Generator"
        )
    tokens: Tokenizer = found
    return tokens
