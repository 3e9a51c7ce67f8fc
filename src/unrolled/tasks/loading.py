"""`unrolled.load`: from a `.unrolled` file (or a run's checkpoint) back to a task or model."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

from unrolled.errors import ModelFileError
from unrolled.tasks.base import Task
from unrolled.training.modelfile import Card, map_model, read_card, read_model

_TASKS = {
    "Classifier": "classifier",
    "Forecaster": "forecaster",
    "Generator": "generator",
    "Tagger": "tagger",
    "Transcriber": "transcriber",
    "Translator": "translator",
}
# What is no task, and is mapped into memory: it may be larger than what is at hand.
_MAPPED = {"NGramModel": "decoding.ngrams.model"}


def kind_of(task: Task) -> str:
    """Which of the tasks it is, "Forecaster" or another, without importing the others: what one of
    them needs can take a second to import. Of what is none of them, its type."""
    kinds = [base.__name__ for base in type(task).__mro__]
    return next((kind for kind in kinds if kind in _TASKS), kinds[0])


def with_article(kind: str) -> str:
    """What a file holds, as a message says it: "a Generator", "an n-gram model"."""
    return "an n-gram model" if kind == "NGramModel" else f"a {kind}"


def _task_of(path: str | os.PathLike[str], card: Card) -> Any:
    if card.task not in _TASKS:
        known = ", ".join((*_TASKS, *_MAPPED))
        raise ModelFileError(
            f"{os.fspath(path)}: holds a {card.task!r}, this version knows {known};"
            " upgrade unrolled"
        )
    return getattr(import_module(f"unrolled.tasks.{_TASKS[card.task]}"), card.task)


def load(path: str | os.PathLike[str]) -> Any:
    """Read a model file. No code from the file is run.

    Args:
        path: what `save` wrote, or the `checkpoint.unrolled` of a run folder (its best weights so
            far).

    Returns:
        The fitted task, ready to predict, stream, or go on training; or the `NGramModel`, whose
        arrays stay in the file and are read where they are looked at.

    Raises:
        ModelFileError: no such file, truncated, of another kind, or from a newer version.
    """
    if read_card(path).task in _MAPPED:
        card, tensors = map_model(path)
        kind = getattr(import_module(f"unrolled.{_MAPPED[card.task]}"), card.task)
    else:
        card, tensors = read_model(path)
        kind = _task_of(path, card)
    try:
        return kind._from_file(card, tensors)
    except ModelFileError as error:
        raise ModelFileError(f"{os.fspath(path)}: {error}") from error
    except RuntimeError as error:  # torch's own text, of shapes or of memory, tells a reader little
        raise ModelFileError(
            f"{os.fspath(path)}: its weights do not fit the network that its card describes; save"
            " the model again"
        ) from error
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelFileError(
            f"{os.fspath(path)}: its card and its weights do not fit together"
            f" ({str(error).splitlines()[0]}); save the model again"
        ) from error
