"""On a GPU every task learns, its file answers as on the CPU, and a run goes on bit for bit."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from tests.tasks.transcribing.small import labelled, spoken, tone
from unrolled import Classifier, Forecaster, Generator, Tagger, Transcriber, Translator
from unrolled.data.series_set import SeriesSet
from unrolled.errors import LeakBetweenRows, LeakFromPadding
from unrolled.training.run import Run

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
    pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses"),
    pytest.mark.filterwarnings("ignore::unrolled.errors.DataWarning"),
]
TEXT = "".join(f"{n} and {n} make {n + n}, says the book.\n" for n in range(100))
REVIEWS = (
    [f"{n} the film is {'not ' if n % 3 else ''}{'good' if n % 2 else 'bad'} ." for n in range(60)],
    ["for" if bool(n % 3) != bool(n % 2) else "against" for n in range(60)],
)
SENTENCES = (
    [["We", "the" if n % 2 else "to", "walk", str(n), "."] for n in range(60)],
    [["PRON", *(["DET", "NOUN"] if n % 2 else ["PART", "VERB"]), "NUM", "."] for n in range(60)],
)
PAIRS = [
    (" ".join(map(str, (n, n % 7, n % 3))), " ".join(map(str, (n % 3, n % 7, n))))
    for n in range(100)
]
SMALL: dict[str, Any] = {"hidden_size": 16, "layers": 2, "dropout": 0.2}


@pytest.fixture(autouse=True)
def _in_full_precision() -> Iterator[None]:
    """So that the CPU's answers can be told from wrong ones."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.fixture
def series(weekly: Callable[..., np.ndarray]) -> SeriesSet:
    return SeriesSet.from_arrays({"one": weekly(120), "two": weekly(90, seed=3)}, frequency="D")


def score(model: Generator) -> list[Any]:
    chances, state = model.step("d", model.start("1 an"))
    return [model.score(TEXT[:200]).log_probability, chances, state["h"], *model.suggest("1 an", 1)]


def judge(model: Classifier) -> list[Any]:
    explained = model.explain(REVIEWS[0][0])
    return [model.predict_proba(REVIEWS[0][:5]), explained.attributions, explained.score]


def tag(model: Tagger) -> list[Any]:
    return [model.predict_proba(SENTENCES[0][:2])[0], model.predict_proba(SENTENCES[0][:2])[1]]


def translate(model: Translator) -> list[Any]:
    sentences = [source for source, _ in PAIRS[:3]]
    found = []
    for options in ({}, {"beam": 1}, {"coverage_penalty": 0.2, "no_repeat": 3, "prefix": "1"}):
        # An end that is likelier than all else would leave nothing to compare.
        found += model.translate(sentences, min_length=4, **options)
    chances, state = model.step(None, model.start(sentences[0]))
    chances, state = model.step("1", state)
    alignments = [one.alignment for one in found]
    return [[one.log_probability for one in found], *alignments, chances, state["looked"]]


def transcribe(model: Transcriber) -> list[Any]:
    asked = spoken(4, seed=7)
    state, chunks = model.start(), np.array_split(tone(["low", "mid"], 1), 5)
    for chunk in chunks:
        _, state = model.step(chunk, state, endpoint=None)
    heard = [*model.transcribe(asked), model.finish(state)]
    return [[one.log_probability for one in heard], state["h"], state["level"]]


def name_sounds(model: Transcriber) -> list[Any]:
    heard = model.transcribe(labelled(4, seed=7), n_best=3)
    return [[other.confidence for other in (one, *one.alternatives)] for one in heard]


TASKS: dict[str, tuple[Callable[..., Any], Any, Callable[[Any], list[Any]]]] = {
    "generator": (lambda **o: Generator(embedding_size=8, rows=4, steps=16, **o), TEXT, score),
    "classifier": (lambda **o: Classifier(embedding_size=8, **o), REVIEWS, judge),
    "tagger": (lambda **o: Tagger(embedding_size=8, character_size=4, **o), SENTENCES, tag),
    "translator": (lambda **o: Translator("words", embedding_size=8, **o), PAIRS, translate),
    "transcriber": (lambda **o: Transcriber(channels=2, bands=16, **o), spoken(40), transcribe),
    "labels": (lambda **o: Transcriber(channels=2, bands=16, **o), labelled(40), name_sounds),
}
HEARS = ("transcriber", "labels")


def numbers(answers: list[Any]) -> list[np.ndarray]:
    flat = [one[1] if isinstance(one, tuple) else one for one in answers]
    return [np.asarray(one, dtype=np.float64) for one in flat]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", TASKS)
def test_a_task_learns_on_a_gpu_and_answers_the_same_on_the_cpu(
    name: str, precision: str, tmp_path: Path
) -> None:
    make, data, ask = TASKS[name]
    with warnings.catch_warnings():
        for leak in (LeakBetweenRows, LeakFromPadding):
            warnings.simplefilter("error", leak)
        model = make(precision=precision, **SMALL).fit(data, budget=6, progress=False)
    assert next(model.model.parameters()).is_cuda
    loaded = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert not next(loaded.model.parameters()).is_cuda
    for a, b in zip(numbers(ask(model)), numbers(ask(loaded)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)
    if name in HEARS:
        return
    text: Any = data[0] if name == "translator" else data[0][0]
    text = data[:40] if name == "generator" else text
    here, there = unrolled.trace(model, text), unrolled.trace(loaded, text)
    for one, other in zip(here.layers, there.layers, strict=True):
        for parts, others in ((one.states, other.states), (one.gradients, other.gradients)):
            for part, values in parts.items():
                np.testing.assert_allclose(values, others[part], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("architecture", ["steps", "segments", "autoregressive"])
def test_a_forecaster_learns_on_a_gpu_and_answers_the_same_on_the_cpu(
    architecture: str, series: SeriesSet, each: Callable[..., Forecaster], tmp_path: Path
) -> None:
    model = each(architecture, device="auto").fit(series, budget="6 steps", progress=False)
    assert next(model.model.parameters()).is_cuda
    loaded: Any = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert not next(loaded.model.parameters()).is_cuda
    fans, others = (one.backtest(series, windows=2).fans for one in (model, loaded))
    for name, fan in fans.items():
        np.testing.assert_allclose(fan, others[name], rtol=1e-3)
    one = SeriesSet.from_arrays({"one": series.values[0]}, frequency="D")
    for task in (model, loaded):
        task.step(10.0, task.start(one))


@pytest.mark.parametrize("name", [*TASKS, "forecaster"])
def test_a_run_on_a_gpu_goes_on_as_if_it_had_never_stopped(
    name: str, series: SeriesSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fit(folder: str, **options: Any) -> Any:
        if name == "forecaster":
            model, data = Forecaster("steps", 3, members=2, **SMALL), series
        else:
            make, data, _ = TASKS[name]
            model = make(**SMALL)
        run = {"budget": "14 steps", "run_dir": tmp_path / folder, "progress": False}
        return model.fit(data, **run, **options)

    whole = fit("whole")
    write = Run.write

    def stopped(self: Run, record: dict[str, Any]) -> None:
        write(self, record)
        if record["step"] == 6 and "loss" in record:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "write", stopped)
        assert fit("part").outcome.ended == "interrupted"
    again = fit("part", resume=True)
    assert again.outcome.steps == whole.outcome.steps == 14
    for part, weight in whole.model.state_dict().items():
        assert torch.equal(weight, again.model.state_dict()[part])


def test_a_generator_on_another_device_has_a_say_in_a_translation(tmp_path: Path) -> None:
    model = Translator("words", embedding_size=8, **SMALL).fit(PAIRS, budget=6, progress=False)
    text = "".join(f"{target}\n" for _, target in PAIRS)
    writer = Generator(hidden_size=8, layers=1, embedding_size=4, rows=4, steps=16, device="cpu")
    writer.fit(text, tokens_of=model, budget=2, progress=False)
    loaded: Any = unrolled.load(model.save(tmp_path / "model.unrolled"))
    sentences = [source for source, _ in PAIRS[:3]]
    for say in ({"fuse": writer}, {"rerank": writer}):
        here, there = (one.translate(sentences, min_length=4, **say) for one in (model, loaded))
        for one, other in zip(here, there, strict=True):
            np.testing.assert_allclose(one.score, other.score, rtol=1e-4, atol=1e-4)


def test_a_fit_on_the_cpu_before_it_does_not_keep_a_fit_from_the_gpu() -> None:
    for device, there in (("cpu", "cpu"), ("cuda", "cuda"), ("cpu", "cpu"), ("auto", "cuda")):
        model = Generator(
            hidden_size=8, layers=1, embedding_size=4, rows=4, steps=16, device=device
        )
        model.fit(TEXT, budget=2, progress=False)
        assert next(model.model.parameters()).device.type == there
