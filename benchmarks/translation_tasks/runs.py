"""What the translation tasks share: the training of one network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import text_tasks.runs
from run_parts import Request

from unrolled.data.pairs import SentencePairs

if TYPE_CHECKING:
    from unrolled import Translator

# Sentences that a search works on at once.
AT_ONCE = 64
BEAM = 5


def learn(
    name: str,
    translator: Translator,
    train: SentencePairs,
    validation: SentencePairs,
    request: Request,
    **options: Any,
) -> tuple[Translator, dict[str, Any]]:
    """Train a network; or take the model that its folder holds.

    Args:
        name: of the network, and of its folder.
        translator: not fitted yet.
        train, validation: to learn, and to choose the best weights by.
        request: of the command.
        options: of `fit`, such as the budget.

    Returns:
        The fitted translator, and what it took, besides what `text_tasks.runs.learn` says: "passes"
        over the training part, and "target tokens", the end of each sentence counted.
    """
    return text_tasks.runs.learn(
        name,
        translator,
        train,
        request,
        validation=validation,
        test=validation,
        more=lambda fitted: reading(fitted, train),
        **options,
    )


def reading(translator: Translator, train: SentencePairs) -> dict[str, Any]:
    """How much of the training part a training has read."""
    tokens = translator.tokens
    read = sum(one.get("tokens", 0) for one in translator.outcome.records)  # of the sources
    passes = read / sum(map(len, tokens.sources(train.sources)))
    # The begin symbol is read, not answered.
    targets = round(passes * sum(len(one) - 1 for one in tokens.targets(train.targets)))
    return {
        "passes": round(passes, 3),
        "target tokens": targets,
        "target tokens a second": round(targets / max(translator.outcome.seconds, 1e-9)),
    }
