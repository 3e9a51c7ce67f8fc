"""Bad input to a generator: one plain line, and what was learnt stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import unrolled
from unrolled import Generator
from unrolled.errors import (
    ConfigError,
    DataError,
    DataWarning,
    ModelFileError,
    OutputError,
    TrainingDiverged,
    UnrolledError,
)

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

TEXT = "".join(f"{n} and {n} make {n + n}, says the book.\n" for n in range(60))


def small(**options: object) -> Generator:
    given = {"hidden_size": 8, "layers": 1, "embedding_size": 4, "rows": 4, "steps": 16}
    return Generator(**{**given, "device": "cpu", **options})


@pytest.fixture(scope="module")
def fitted() -> Generator:
    return small().fit(TEXT, budget=4, progress=False)


def refuse(do: Callable[[], object], kind: type[UnrolledError], *words: str) -> None:
    with pytest.raises(kind) as caught:
        do()
    text = str(caught.value)
    assert "\n" not in text
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"directions": 2}, ["directions", "2", "expected 1"]),
        ({"cell": "brain"}, ["cell", "'brain'", "lstm"]),
        ({"hidden_size": 0}, ["hidden_size", "0"]),
        ({"hidden_size": 2.5}, ["hidden_size", "2.5"]),
        ({"layers": -1}, ["layers", "-1"]),
        ({"embedding_size": 0}, ["embedding_size", "0"]),
        ({"rows": 0}, ["rows", "0"]),
        ({"steps": -3}, ["steps", "-3"]),
        ({"dropout": 2.0}, ["dropout", "2.0"]),
        ({"dropout": -0.1}, ["dropout", "-0.1"]),
        ({"learning_rate": -1.0}, ["learning_rate", "-1.0"]),
        ({"learning_rate": 0.0}, ["learning_rate", "0.0"]),
        ({"precision": "fp16"}, ["precision", "'fp16'", "bf16"]),
        ({"tokenizer": "runes"}, ["tokenizer", "'runes'", "subwords"]),
        ({"lower": True}, ["lower", "characters", "words"]),
        ({"vocabulary_size": 1}, ["vocabulary_size", "1"]),
        ({"weight_dropout": 1.0}, ["weight_dropout", "1.0"]),
        ({"resets": -0.1}, ["resets", "-0.1"]),
        ({"average": 1.0}, ["average", "1.0"]),
        ({"device": "tpu"}, ["device", "'tpu'", "cpu"]),
    ],
)
def test_a_setting_that_cannot_work_is_named(options: dict[str, object], words: list[str]) -> None:
    model = small(**options)
    refuse(lambda: model.fit(TEXT, budget=1, progress=False), ConfigError, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"budget": "soon"}, ["budget", "'soon'"]),
        ({"holdout": 0.0}, ["holdout", "0.0"]),
        ({"holdout": 1.0}, ["holdout", "1.0"]),
        ({"resume": True}, ["run_dir"]),
    ],
)
def test_an_option_that_cannot_work_is_named(options: dict[str, object], words: list[str]) -> None:
    options = {"budget": 1, **options}
    refuse(lambda: small().fit(TEXT, progress=False, **options), ConfigError, *words)


@pytest.mark.parametrize("holdout", [0.0001, 0.001, 0.995, 0.9999])
def test_a_holdout_that_leaves_a_part_empty_is_refused_before_training(
    holdout: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from unrolled.training.loop import Trainer

    monkeypatch.setattr(Trainer, "train", lambda self: pytest.fail("trained"))
    fit = lambda: small().fit(TEXT[:600], budget=1, holdout=holdout, progress=False)  # noqa: E731
    refuse(fit, DataError, "holdout")


def test_a_text_that_is_too_short_says_what_is_needed(tmp_path: Path, fitted: Generator) -> None:
    refuse(lambda: small().fit("too short\n", budget=1), DataError, "10 characters", "500")
    (tmp_path / "short.txt").write_text("too short\n")
    refuse(lambda: small().fit(tmp_path / "short.txt", budget=1), DataError, "short.txt", "500")
    small().fit(TEXT[:500], budget=1, progress=False)
    for text in ("", "a"):
        refuse(lambda text=text: fitted.evaluate(text), DataError, "at least 2")
        refuse(lambda text=text: small().fit(text), DataError)


def test_a_file_that_is_missing_empty_or_not_utf_8_is_named(
    tmp_path: Path, fitted: Generator
) -> None:
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "latin.txt").write_bytes("caf\u00e9\n".encode("latin-1") * 200)
    for name in ("missing.txt", "empty.txt", "latin.txt"):
        for path in (tmp_path / name, str(tmp_path / name)):
            refuse(lambda path=path: small().fit(path, budget=1), DataError, name)
            refuse(lambda path=path: fitted.evaluate(path), DataError, name)


def test_half_a_character_is_one_plain_line(fitted: Generator) -> None:
    refuse(lambda: small().fit(TEXT + "\ud800", budget=1), DataError)
    refuse(lambda: fitted.evaluate("a\ud800b\n"), DataError)
    with pytest.warns(DataWarning, match="ud800"):
        assert len(fitted.generate("a\ud800", length=3, seed=1)) == 3


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"repetition_penalty": 0.0}, "repetition_penalty"),
        ({"repetition_window": 0}, "repetition_window"),
        ({"stop": ""}, "stop"),
        ({"seed": -1}, "seed"),
        ({"cache": 3}, "cache"),
        ({"temperature": -1.0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_k": 0}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.5}, "top_p"),
        ({"length": -1}, "length"),
    ],
)
def test_an_option_of_writing_out_of_its_range_is_named(
    options: dict[str, float], name: str, fitted: Generator
) -> None:
    refuse(lambda: fitted.generate("a", **options), ConfigError, name)
    refuse(lambda: next(fitted.stream("a", **options)), ConfigError, name)


def test_what_is_no_text_is_named(fitted: Generator) -> None:
    for ask in (fitted.generate, fitted.suggest, fitted.start, fitted.step, fitted.typing):
        refuse(lambda ask=ask: ask(3), ConfigError, "int", "a text")
    refuse(lambda: fitted.score(["a", None]), ConfigError, "texts", "NoneType")
    refuse(lambda: fitted.suggest("a", n=0), ConfigError, "n: got 0")


@pytest.mark.parametrize("character", ["", "ab"])
def test_a_step_reads_one_character(character: str, fitted: Generator) -> None:
    refuse(lambda: fitted.step(character), ConfigError, "one character")


@pytest.mark.parametrize(
    "options",
    [
        {"hidden_size": np.int64(8)},
        {"steps": np.int64(16)},
        {"seed": np.int64(3)},
        {"learning_rate": np.float64(0.01)},
        {"learning_rate": np.float32(0.01)},
        {"dropout": np.float32(0.1)},
        {"cell": np.str_("gru")},
        {"warm_start": np.bool_(True)},
    ],
)
def test_what_can_be_trained_can_be_saved(options: dict[str, object], tmp_path: Path) -> None:
    """A search over settings hands in NumPy's numbers: refused at once, or good to the end."""
    name = next(iter(options))
    try:
        model = small(**options).fit(TEXT, budget=1, progress=False)
    except ConfigError as error:
        told = str(error)
    else:
        told = ""
    if told:
        assert name in told
        return
    back = unrolled.load(model.save(tmp_path / "model.unrolled"))
    assert getattr(back, name) == options[name]


def attempts(folder: Path) -> list[tuple[type[UnrolledError], dict[str, object], str]]:
    broken = folder / "broken"
    broken.mkdir()
    (broken / "checkpoint.unrolled").write_bytes(b"no model")
    (folder / "file").write_text("")
    return [
        (DataError, {}, "short\n"),
        (ConfigError, {"budget": "soon"}, TEXT),
        (ConfigError, {"run_dir": folder / "other", "resume": True}, TEXT.upper()),
        (ModelFileError, {"run_dir": broken, "resume": True}, TEXT.upper()),
        (OutputError, {"run_dir": folder / "file"}, TEXT.upper()),
        (TrainingDiverged, {}, TEXT.upper()),
    ]


def break_third_step(patch: pytest.MonkeyPatch) -> None:
    """The third step of the optimiser spoils every weight."""
    steps: list[object] = []
    step = torch.optim.AdamW.step

    def spoil(self: torch.optim.AdamW, *arguments: object) -> object:
        done = step(self, *arguments)
        steps.append(done)
        if len(steps) == 3:
            with torch.no_grad():
                for group in self.param_groups:
                    for parameter in group["params"]:
                        parameter.fill_(torch.nan)
        return done

    patch.setattr(torch.optim.AdamW, "step", spoil)


def test_a_fit_that_fails_costs_nothing_that_was_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small().fit(TEXT, budget=2, run_dir=tmp_path / "other", progress=False)
    model = small().fit(TEXT, budget=8, progress=False)
    expected = (model.generate("7", length=20, seed=1), model.suggest("7"), model.evaluate(TEXT))
    evaluation, outcome = model.evaluation, model.outcome
    for kind, options, text in attempts(tmp_path):
        if kind is TrainingDiverged:
            break_third_step(monkeypatch)
        options = {"budget": 8, "progress": False, **options}
        with pytest.raises(kind):
            model.fit(text, **options)
        now = (model.generate("7", length=20, seed=1), model.suggest("7"), model.evaluate(TEXT))
        assert now == expected
        assert model.evaluation is evaluation
        assert model.outcome is outcome
        assert not model.model.training


def test_a_warm_start_that_fails_costs_nothing_that_was_learnt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model = small(warm_start=True).fit(TEXT, budget=8, progress=False)
    before = {name: tensor.clone() for name, tensor in model.model.state_dict().items()}
    break_third_step(monkeypatch)
    with pytest.raises(TrainingDiverged):
        model.fit(TEXT, budget=8, progress=False)
    for name, tensor in model.model.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert not model.model.training


@pytest.mark.parametrize(
    "options", [{"tokenizer": "words"}, {"vocabulary_size": 5}, {"lower": True}]
)
def test_a_warm_start_with_other_tokens_is_refused(options: dict[str, object]) -> None:
    model = small(warm_start=True).fit(TEXT, budget=1, progress=False)
    model.set_params(**options)
    name = next(iter(options))
    refuse(lambda: model.fit(TEXT, budget=1, progress=False), ConfigError, name)


def test_what_was_set_after_the_fit_is_not_saved_as_if_it_had_been_used(tmp_path: Path) -> None:
    model = small().fit(TEXT, budget=1, progress=False).set_params(learning_rate=0.5)
    refuse(lambda: model.save(tmp_path / "m.unrolled"), ConfigError, "learning_rate")
    assert not (tmp_path / "m.unrolled").exists()
    model.fit(TEXT, budget=1, progress=False).save(tmp_path / "m.unrolled")


def test_a_cache_without_data_is_refused(fitted: Generator) -> None:
    refuse(lambda: fitted.evaluate(cache=True), ConfigError, "cache")


def test_going_on_with_another_text_or_holdout_or_size_names_it(tmp_path: Path) -> None:
    def fit(text: str = TEXT, holdout: float = 0.1, **options: object) -> Generator:
        return small(**options).fit(
            text, budget=3, holdout=holdout, run_dir=tmp_path, resume=True, progress=False
        )

    first = fit()
    before = (tmp_path / "checkpoint.unrolled").read_bytes()
    refuse(lambda: fit(holdout=0.3), ConfigError, "holdout")
    refuse(lambda: fit(hidden_size=9), ConfigError, "hidden_size", "8", "9")
    refuse(lambda: fit(seed=5), ConfigError, "seed")
    refuse(lambda: fit(TEXT + "more\n"), ConfigError, str(tmp_path))
    assert (tmp_path / "checkpoint.unrolled").read_bytes() == before
    for name, tensor in fit().model.state_dict().items():
        assert torch.equal(tensor, first.model.state_dict()[name])


def test_going_on_from_another_name_of_the_same_file_is_the_same_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "book.txt").write_text(TEXT)
    options = {"budget": 3, "run_dir": tmp_path / "run", "progress": False}
    small().fit(tmp_path / "book.txt", **options)
    monkeypatch.chdir(tmp_path)
    small().fit("book.txt", resume=True, **options)
