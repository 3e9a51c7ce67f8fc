"""Models that have a say in what was heard or translated, from an object or a file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from unrolled.data.arpa import names_arpa
from unrolled.errors import ConfigError, ModelFileError

if TYPE_CHECKING:
    from unrolled.decoding.ngrams.model import NGramModel
    from unrolled.tasks.generator import Generator


def open_ngrams(given: Any, argument: str) -> NGramModel:
    """An n-gram model, which a search can ask token by token.

    Args:
        given: a fitted `NGramModel`, or the path of its file (.unrolled, .arpa, .arpa.gz, .gz).
        argument: what it is given as.

    Raises:
        DataError, ModelFileError: a file that can't be read, or holds another model.
        ConfigError: neither a model nor a path.
    """
    from unrolled.decoding.ngrams.model import NGramModel

    model = _opened(given)
    if isinstance(model, NGramModel):
        return model
    raise _another(given, model, argument, "an NGramModel (unrolled train ngram TEXT)")


def open_text_model(given: Any, argument: str) -> Generator | NGramModel:
    """A model that reads whole texts.

    Args, raises: as `open_ngrams`; a `Generator` is one, too.
    """
    from unrolled.decoding.ngrams.model import NGramModel
    from unrolled.tasks.generator import Generator

    model = _opened(given)
    if isinstance(model, (Generator, NGramModel)):
        return model
    raise _another(given, model, argument, "a Generator or an NGramModel")


def _opened(given: Any) -> Any:
    if not isinstance(given, (str, os.PathLike)):
        return given
    if names_arpa(given):
        from unrolled.decoding.ngrams.model import NGramModel

        return NGramModel.read_arpa(given)
    from unrolled.tasks.loading import load

    return load(given)


def _another(given: Any, model: Any, argument: str, expected: str) -> Exception:
    from unrolled.tasks.loading import with_article

    got = with_article(type(model).__name__)
    if isinstance(given, (str, os.PathLike)):
        return ModelFileError(f"{os.fspath(given)}: holds {got}; {argument} takes {expected}")
    return ConfigError(f"{argument}: got {got}, expected {expected}, or its file")
