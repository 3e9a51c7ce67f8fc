"""What the speech tasks share: the training of one network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import text_tasks.runs
from run_parts import Request

from unrolled.data.recordings import Recordings

if TYPE_CHECKING:
    from unrolled import Transcriber


def learn(
    name: str,
    transcriber: Transcriber,
    train: Recordings,
    validation: Recordings | int,
    request: Request,
    **options: Any,
) -> tuple[Transcriber, dict[str, Any]]:
    """Train a network; or take the model that its folder holds.

    Args:
        name: of the network, and of its folder.
        transcriber: not fitted yet.
        train, validation: to learn, and to choose the best weights by; 0: the last ones count.
        request: of the command.
        options: of `fit`, such as the budget.

    Returns:
        The fitted transcriber, and what it took, besides what `text_tasks.runs.learn` says:
        "passes" over the training part, and the "sound hours" that were heard in them.
    """
    return text_tasks.runs.learn(
        name,
        transcriber,
        train,
        request,
        validation=validation,
        holdout=0,
        more=lambda fitted: hearing(fitted, train),
        **options,
    )


def hearing(transcriber: Transcriber, train: Recordings) -> dict[str, Any]:
    """How much of the training part a training has heard; sounds that it made slower or faster
    count as long as they were then."""
    heard = sum(one.get("tokens", 0) for one in transcriber.outcome.records)
    seconds = heard * transcriber.framing.seconds
    return {
        "passes": round(seconds / train.seconds, 3),
        "sound hours": round(seconds / 3600, 3),
        "times real time": round(seconds / max(transcriber.outcome.seconds, 1e-9)),
    }
