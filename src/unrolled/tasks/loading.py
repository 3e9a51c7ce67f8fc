"""`unrolled.load`: from a `.unrolled` file (or a run's checkpoint) back to a task."""

from __future__ import annotations

import os
from importlib import import_module

from unrolled.errors import ModelFileError
from unrolled.tasks.base import Task
from unrolled.training.modelfile import read_model

_TASKS = {
    "Classifier": "classifier",
    "Forecaster": "forecaster",
    "Generator": "generator",
    "Tagger": "tagger",
    "Transcriber": "transcriber",
    "Translator": "translator",
}


def kind_of(task: Task) -> str:
    """Which of the tasks it is, "Forecaster" or another, without importing the others: what one of
    them needs can take a second to import. Of what is none of them, its type."""
    kinds = [base.__name__ for base in type(task).__mro__]
    return next((kind for kind in kinds if kind in _TASKS), kinds[0])


def load(path: str | os.PathLike[str]) -> Task:
    """Read a model file. No code from the file is run.

    Args:
        path: what `save` wrote, or the `checkpoint.unrolled` of a run folder (its best weights so
            far).

    Returns:
        The fitted task, ready to predict, stream, or go on training.

    Raises:
        ModelFileError: no such file, truncated, of another kind, or from a newer version.
    """
    card, tensors = read_model(path)
    if card.task not in _TASKS:
        raise ModelFileError(
            f"{os.fspath(path)}: holds a {card.task!r}, this version knows {', '.join(_TASKS)};"
            " upgrade unrolled"
        )
    kind = getattr(import_module(f"unrolled.tasks.{_TASKS[card.task]}"), card.task)
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
