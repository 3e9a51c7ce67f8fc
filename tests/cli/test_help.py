"""The help: examples that parse, options and defaults that are Python's."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from unrolled.cli.app import command
from unrolled.data.doctor import examine
from unrolled.data.pairs import read_pairs
from unrolled.data.pairs_doctor import examine_pairs
from unrolled.data.recordings_doctor import examine_recordings
from unrolled.data.recordings_reading import read_recordings
from unrolled.data.series import read_series
from unrolled.data.text_doctor import examine_texts
from unrolled.decoding.ngrams import NGramModel
from unrolled.lab.laboratory import run_lab
from unrolled.lens import show
from unrolled.tasks.classifier import Classifier
from unrolled.tasks.forecaster import Forecaster
from unrolled.tasks.generator import Generator
from unrolled.tasks.tagger import Tagger
from unrolled.tasks.transcriber import Transcriber
from unrolled.tasks.transcribing.settings import settle as settle_hearing
from unrolled.tasks.translating.request import Request
from unrolled.tasks.translating.settings import settle
from unrolled.tasks.translator import Translator

COLUMNS = {
    "target": "value_columns", "time": "time_column", "past": "past_columns",
    "future": "future_columns", "static": "static_columns", "category": "category_columns",
}  # fmt: skip
VERBS = {
    "demo", "check", "train forecast", "train classify", "train tag", "train translate",
    "train transcribe", "train generate", "train ngram", "predict", "listen", "suggest", "score",
    "evaluate", "tune", "backtest", "lens", "data list", "data get", "info", "lab",
}  # fmt: skip
# What an argument that is None becomes, where that is a number whatever the data.
SETTLED = {
    "train translate": asdict(settle(Translator().get_params())),
    "train transcribe": asdict(
        settle_hearing(Transcriber().get_params(), labelled=False, bands=True)
    )
    | {"frame_rate": inspect.signature(read_recordings).parameters["frame_rate"].default},
}


def leaves(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, found in (command() if group is None else group).commands.items():
        if hasattr(found, "commands"):
            yield from leaves(found, (*path, name))
        else:
            yield " ".join([*path, name]), found


def examples(text: str) -> list[str]:
    return re.findall(r"^ *((?:[A-Z_]+=\S+ )?unrolled .*)$", text.split("Examples:")[1], re.M)


def find(words: list[str]) -> tuple[Any, list[str]]:
    found = command()
    while hasattr(found, "commands"):
        found = found.commands[words.pop(0)]
    return found, words


def test_every_verb_is_there():
    assert {name for name, _ in leaves()} == VERBS


@pytest.mark.parametrize("verb", ["", *sorted(VERBS)])
def test_the_examples_of_every_help_are_two_or_more_and_parse(call, verb):
    told = call(*verb.split(), "--help")
    assert told.code == 0
    shown = examples(told.out)
    assert len(shown) >= 2
    for line in shown:
        words = shlex.split(line)
        words = words[words.index("unrolled") + 1 :]
        assert " ".join(words).startswith(verb)
        found, rest = find(words)
        found.make_context("unrolled", rest)


def test_short_and_long_help_are_the_same(call):
    assert call("train", "forecast", "-h") == call("train", "forecast", "--help")


@pytest.mark.parametrize(
    ("verb", "functions", "renamed", "left_out"),
    [
        (
            "train forecast",
            [Forecaster.__init__, Forecaster.fit],
            {"quantile": "quantiles", **COLUMNS},
            {"self", "data", "warm_start", "directions", "tell"},
        ),
        (
            "backtest",
            [Forecaster.backtest],
            {"file": "history"},
            {"self", "history", "origins", "columns"},
        ),
        (
            "check",
            [
                *(examine, read_series, examine_texts, read_pairs, examine_pairs),
                *(read_recordings, examine_recordings),
            ],
            COLUMNS,
            {
                *("series", "missing", "data", "encoding", "target"),
                # what can't be used is always left out and told
                *("recordings", "skip", "texts", "frame_rate"),
                "symbols",  # a function
            },
        ),
        (
            "train generate",
            [Generator.__init__, Generator.fit],
            {},
            {"self", "data", "warm_start", "directions"},
        ),
        ("train ngram", [NGramModel.__init__, NGramModel.fit], {}, {"self", "data"}),
        (
            "train classify",
            [Classifier.__init__, Classifier.fit],
            {"no_linear": "linear"},
            {"self", "data", "warm_start", "tell"},
        ),
        (
            "train tag",
            [Tagger.__init__, Tagger.fit],
            {"no_crf": "crf"},
            {"self", "data", "warm_start", "tell"},
        ),
        (
            "train translate",
            [Translator.__init__, Translator.fit],
            {"separate": "shared", "no_tie_weights": "tie_weights"},
            {"self", "data", "warm_start", "tell"},
        ),
        (
            "train transcribe",
            [Transcriber.__init__, Transcriber.fit],
            {},
            {"self", "data", "warm_start", "tell"},
        ),
        (
            "predict",
            [Generator.stream, Forecaster.predict, Request.__init__],
            {"quantile": "quantiles", "sources": "history"},
            {"self", "columns"},
        ),
        # the beam of a transcriber is another than a translator's, and its help says so
        ("predict", [Transcriber.transcribe], {}, {"self", "sounds", "beam"}),
        ("predict", [Transcriber.explain], {}, {"self", "sounds", "beam"}),
        ("evaluate", [Transcriber.evaluate], {"files": "data"}, {"self", "worst", "beam"}),
        (
            "tune",
            [Transcriber.tune],
            {"files": "data", "lm": "model"},
            {"self", "tell", "beam"},  # 32, and in Python None
        ),
        ("tune", [Translator.tune], {"files": "data"}, {"self", "tell", "options"}),
        (
            "listen",
            [Transcriber.listen],
            {"file": "sound"},
            {"self", "rate", "until", "tell"},
        ),
        ("suggest", [Generator.suggest], {}, {"self", "prefix"}),
        ("score", [Generator.score], {}, {"self", "texts"}),
        ("lens", [show], {"no_browser": "browser"}, {"what", "given"}),
        (
            "lens",
            [Transcriber.use_language],
            {"lm": "model", "lm_weight": "weight", "unknown_word": "unknown"},
            {"self"},
        ),
        ("lab", [run_lab], {"no_browser": "browser"}, {"out"}),
    ],
)
def test_options_and_their_defaults_are_those_of_python(verb, functions, renamed, left_out):
    renamed = {"id_": "id_column", "no_progress": "progress", "no_diagnose": "diagnose", **renamed}
    python = {}
    for function in functions:
        python |= inspect.signature(function).parameters
    found, _ = find(verb.split())
    options = {renamed.get(one.name, one.name): one for one in found.params}
    assert set(python) - left_out <= set(options)
    for name in set(python) - left_out:
        told = re.search(r"\[default: (.*)\]$", getattr(options[name], "help", "") or "")
        default = python[name].default
        if told is None:
            assert default in (None, False, True, inspect.Parameter.empty, "", 1), name
        elif default is None:
            number = re.fullmatch(r"[\d.]+", told[1])
            assert number is None or float(told[1]) == SETTLED.get(verb, {}).get(name), name
        elif isinstance(default, tuple):
            assert told[1] == ", ".join(map(str, default))
        else:
            # "0.2 of a translator; ...": another task of the verb has another
            assert told[1].split(" of a ")[0] == str(default)
