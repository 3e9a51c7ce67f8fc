"""What a `Generator` checks before it works, and what it tells of a text that it can't read."""

from __future__ import annotations

import warnings
from typing import Any

from unrolled.data.tokens import Tokenizer
from unrolled.data.tokens.tokenizer import KINDS
from unrolled.errors import ConfigError, DataWarning
from unrolled.tasks.base import check_rate, is_number, whole_number
from unrolled.tasks.same_tokens import check_same_tokens

_SHARES = (
    "input_dropout",
    "weight_dropout",
    "embedding_dropout",
    "resets",
    "average",
    "ngram_weight",
)
# Unknown characters that are named.
_NAMED = 5


def check_options(task: Any, kind: str) -> None:
    """The constructor's arguments that only a `Generator` has.

    Args:
        task: the generator.
        kind: of its tokens.

    Raises:
        ConfigError: one that can't work.
    """
    if kind not in KINDS:
        raise ConfigError(f"tokenizer: got {kind!r}, expected one of {', '.join(KINDS)}")
    for name in _SHARES:
        value = getattr(task, name)
        if value is None:
            continue
        check_rate(name, value)
        setattr(task, name, float(value))
    for name in ("muon_rate", "weight_decay"):
        value = getattr(task, name)
        if value is not None and not (is_number(value) and 0 <= value < 1):
            raise ConfigError(f"{name}: got {value!r}, expected a number from 0 to below 1")
    if task.negatives is not None:
        task.negatives = whole_number("negatives", task.negatives, least=0)
    for name in ("tie_weights", "cooccurrence"):
        if getattr(task, name) is not None:
            setattr(task, name, bool(getattr(task, name)))
    task.lower = bool(task.lower)
    if task.lower and kind != "words":
        raise ConfigError(f"lower: got True for {kind}, expected it for words only")
    if task.vocabulary_size is not None:
        task.vocabulary_size = whole_number("vocabulary_size", task.vocabulary_size, least=2)


def check_tokenizer(task: Any, vocabulary: Tokenizer, argument: str = "warm_start") -> None:
    """ConfigError where a network that reads tokens that are there is asked to read by others.

    Where no kind is asked for, the tokens that are there say of which they are, and whether they
    are lower case.

    Args:
        task: the generator.
        vocabulary: what is there.
        argument: what says so: "warm_start" or "tokens_of".
    """
    lower = bool(getattr(vocabulary, "lower", False))
    there: dict[str, Any] = {}
    if task.tokenizer is not None:
        there["tokenizer"] = vocabulary.kind
    if task.tokenizer is not None or task.lower:
        there["lower"] = lower
    check_same_tokens(task, there, len(vocabulary), argument)


def check_text(name: str, text: Any) -> None:
    """ConfigError for what is no text."""
    if not isinstance(text, str):
        raise ConfigError(f"{name}: got {type(text).__name__}, expected a text")


def tell_unknown(tokenizer: Tokenizer, text: str) -> None:
    """Warn of what is in a text and not in the vocabulary: it is read as the unknown token."""
    count = tokenizer.count_unknown(text)
    if not count:
        return
    one = tokenizer.kind.removesuffix("s")
    what = f"1 {one}" if count == 1 else f"{count} {tokenizer.kind}"
    named = ""
    if tokenizer.kind == "characters":
        different = [one for one in dict.fromkeys(text) if tokenizer.count_unknown(one)]
        more = ", ..." if len(different) > _NAMED else ""
        named = f" ({', '.join(ascii(one) for one in different[:_NAMED])}{more})"
    warnings.warn(
        f"the text has {what} that the model does not know{named}: read as unknown",
        DataWarning,
        stacklevel=4,
    )
