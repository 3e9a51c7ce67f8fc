"""What a transcriber is told of the language on the command line: models and hot words."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.options import given
from unrolled.errors import ConfigError, DataError, ModelFileError

if TYPE_CHECKING:
    from unrolled.tasks.transcriber import Transcriber

# As the verbs have them that hear: in `options_transcribe`, and two that are a translator's, too.
OPTIONS = (
    "lm",
    "lm_weight",
    "word_bonus",
    "unknown_word",
    "rerank",
    "rerank_weight",
    "hot_word",
    "hot_words",
    "skip_lm",
)
_FILES = ("lm", "rerank", "hot_words")


def language(options: Mapping[str, Any]) -> dict[str, Any]:
    """What was said of it, by the names of the options.

    Args:
        options: a verb's, by their names, others among them: `locals()` as the verb begins.
    """
    told = {name: options[name] for name in OPTIONS}
    return given(**told | {"skip_lm": told["skip_lm"] or None})


def files_of(options: Mapping[str, Any]) -> list[str]:
    """The files that are read for it, which no result may replace."""
    return [str(options[name]) for name in _FILES if options.get(name) is not None]


def use(task: Transcriber, told: dict[str, Any]) -> None:
    """Let a transcriber hear with it, as `language` gave it.

    Raises:
        ConfigError, DataError, ModelFileError: what can't be used; with --skip-lm numbers alone.
    """
    lm, rerank = told.get("lm"), told.get("rerank")
    of_lm = {"lm_weight": "weight", "word_bonus": "word_bonus", "unknown_word": "unknown"}
    needs("--lm", lm, [name for name in ("lm_weight", "unknown_word") if name in told])
    needs("--lm or --rerank", lm or rerank, [name for name in ("word_bonus",) if name in told])
    needs("--rerank", rerank, [name for name in ("rerank_weight",) if name in told])
    if told.get("skip_lm"):
        needs("--lm or --rerank", lm or rerank, ["skip_lm"])
    if lm or rerank:
        numbers = {own: told[name] for name, own in of_lm.items() if name in told}
        numbers |= given(rerank_weight=told.get("rerank_weight"))
        if told.get("skip_lm"):
            _use_what_fits(task, lm, rerank, numbers)
        else:
            task.use_language(lm, rerank=rerank, **numbers)
    hot: dict[str, float] = {}
    if "hot_words" in told:
        hot |= read_hot_words(told["hot_words"])
    for one in told.get("hot_word", ()):
        word, nats = _word_and_nats(one, "=")
        hot[word] = _nats(nats, f"--hot-word {one!r}: ")
    if hot:
        task.bias(hot)


def _use_what_fits(task: Transcriber, lm: Any, rerank: Any, numbers: dict[str, float]) -> None:
    """Hear with those models that can be read and write what the transcriber does.

    Raises:
        ConfigError: a number that can't work, whether its model is there or not.
    """
    from unrolled.tasks.transcribing.language import Weights

    Weights().given(**numbers).check()
    used: dict[str, Any] = {}
    for name, option, model in (("model", "--lm", lm), ("rerank", "--rerank", rerank)):
        if not model:
            continue
        try:
            task.use_language(**used, **{name: model}, **numbers)
        except (ConfigError, DataError, ModelFileError) as error:
            print(f"unrolled: heard without {option} (--skip-lm): {error}", file=sys.stderr)
        else:
            # A large file is read once.
            used = {"model": task.language and task.language.model}


def read_hot_words(path: Path) -> dict[str, float]:
    """The words of a file, one a line, each with what it adds.

    Raises:
        DataError: a file that can't be read, without words, or with something that is no number.
    """
    from unrolled.data.files import decode, read_bytes

    found: dict[str, float] = {}
    for number, line in enumerate(decode(read_bytes(path), path).split("\n"), start=1):
        if not line.strip():
            continue
        word, nats = _word_and_nats(line, "\t")
        if not word:
            raise DataError("no word before the tab", file=path, line=number)
        found[word] = _nats(nats, file=path, line=number)
    if not found:
        raise DataError("holds no hot words; write one a line, or leave --hot-words out", file=path)
    return found


def _word_and_nats(text: str, mark: str) -> tuple[str, str | None]:
    word, found, nats = text.rpartition(mark)
    return (word.strip(), nats) if found else (text.strip(), None)


def _nats(nats: str | None, before: str = "", **place: Any) -> float:
    from unrolled.tasks.transcribing.language import HOT

    if nats is None:
        return HOT
    try:
        number = float(nats)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        told = f"{before}got {nats.strip()!r}, expected a number of nats, such as 3"
        raise DataError(told, **place)
    return number


def needs(what: str, there: object, names: list[str]) -> None:
    """ConfigError where options of these names are said without the one that they go with."""
    if names and not there:
        raise ConfigError(f"--{names[0].replace('_', '-')}: goes with {what}, and there is none")
