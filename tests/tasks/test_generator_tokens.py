"""Words and subwords: the same Generator, other tokens."""

from __future__ import annotations

import math
import os
import signal
from pathlib import Path

import pytest
import torch

import unrolled
from unrolled import Generator
from unrolled.data.corpus import Corpus
from unrolled.errors import ConfigError, DataError, DataWarning
from unrolled.tasks import generator as generator_module
from unrolled.tasks.generating import parts

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

NAMES = ("Anna", "Bert", "Cleo", "Dora", "Emil")
PLACES = ("garden", "kitchen", "station", "caf\u00e9")
TEXT = "".join(
    f'"{NAMES[n % 5]}," said {NAMES[n % 3]}, "isn\'t in the {PLACES[n % 4]} today."\n'
    for n in range(200)
)


def small(tokenizer: str | None, **options: object) -> Generator:
    given = {"hidden_size": 16, "layers": 1, "rows": 4, "steps": 16, "learning_rate": 0.02}
    if tokenizer == "subwords":
        given["vocabulary_size"] = 320
    return Generator(tokenizer, **{**given, "device": "cpu", **options})


@pytest.fixture(scope="module")
def words() -> Generator:
    return small("words").fit(TEXT, budget=60, progress=False)


@pytest.fixture(scope="module")
def subwords() -> Generator:
    return small("subwords").fit(TEXT, budget=60, progress=False)


@pytest.fixture(params=["words", "subwords"])
def generator(request: pytest.FixtureRequest) -> Generator:
    return request.getfixturevalue(request.param)


def test_it_learns_and_is_measured_in_bits_per_character(generator: Generator) -> None:
    evaluation = generator.evaluate()
    assert evaluation["bits"] < 2.5
    assert "characters" in evaluation.held_out
    assert "tokens" in evaluation.held_out
    assert evaluation["nats per character"] == pytest.approx(evaluation["bits"] * math.log(2))
    assert generator.settings.tie_weights
    assert generator.settings.embedding_size == 128


def test_a_saved_model_answers_as_before(generator: Generator, tmp_path: Path) -> None:
    back = unrolled.load(generator.save(tmp_path / "model.unrolled"))
    assert isinstance(back, Generator)
    assert back.vocabulary == generator.vocabulary
    assert back.settings == generator.settings
    assert back.generate("Anna", seed=4) == generator.generate("Anna", seed=4)
    assert back.suggest("said A", n=4) == generator.suggest("said A", n=4)
    assert back.score("Anna said.") == generator.score("Anna said.")
    assert back.evaluate(TEXT[:900]) == generator.evaluate(TEXT[:900])
    assert back.evaluate() == generator.evaluate()


def test_what_is_streamed_is_what_is_generated(generator: Generator) -> None:
    for prompt in ("Anna", "said Bert, ", ""):
        pieces = list(generator.stream(prompt, length=40, seed=3, temperature=1.5))
        assert "".join(pieces) == generator.generate(prompt, length=40, seed=3, temperature=1.5)


def test_no_half_character_is_streamed(
    subwords: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = " in the caf\u00e9 \u4e16\u754c \U0001f600 today"
    tokens = subwords.vocabulary.encode(text).tolist()
    assert sum("\ufffd" in subwords.vocabulary.pieces[token] for token in tokens) > 6
    monkeypatch.setattr("unrolled.tasks.generating.answering.write", lambda *_: iter(tokens))
    pieces = list(subwords.stream("Anna"))
    assert "".join(pieces) == text
    assert not any("\ufffd" in piece for piece in pieces)
    assert list(subwords.stream("Anna", stop=["\u754c"]))[-1] == "\u4e16"


def test_written_words_have_their_spaces(words: Generator) -> None:
    assert words.generate("Anna", length=1, seed=1, top_k=1)[0] in ' ,.\n"'
    text = words.generate("said", length=60, seed=2)
    assert " ," not in text
    assert "is n't" not in text


def test_a_space_at_the_end_of_a_prompt_is_not_doubled(words: Generator) -> None:
    options = {"length": 5, "seed": 2, "top_k": 1}
    without = words.generate("Anna is in the", **options)
    assert without.startswith(" ")
    assert words.generate("Anna is in the ", **options) == without[1:]


@pytest.mark.parametrize("prefix", ["said ", "said A", "the ", "the gar", "the kitchen"])
def test_suggestions_are_whole_words(generator: Generator, prefix: str) -> None:
    before = '"Anna," ' if prefix.startswith("said") else '"Anna," said Bert, "isn\'t in '
    found = generator.suggest(before + prefix, n=3)
    typed = prefix.split(" ")[-1]
    known = {*NAMES, *PLACES, "isn't", "in", "the", "said", "today"}
    assert found
    assert all(word.startswith(typed) for word, _ in found)
    assert all(0 < p <= 1 for _, p in found)
    assert sum(p for _, p in found) <= 1 + 1e-6
    if typed:
        assert found[0][0] in known
        assert found[0][1] > 0.3


def test_typing_goes_on_and_back_as_suggest_does(generator: Generator) -> None:
    typing = generator.typing("said B")
    typing.type("ert, ")
    typing.suggest(2)
    typing.back(6)
    assert typing.text == "said "
    typing.type("Cl")
    for (word, p), (want, q) in zip(
        typing.suggest(2), generator.suggest("said Cl", 2), strict=True
    ):
        assert word == want
        assert p == pytest.approx(q, rel=1e-4)


def test_unknown_words_are_told_and_counted(words: Generator, subwords: Generator) -> None:
    with pytest.warns(DataWarning, match="1 word that the model does not know"):
        words.generate("Anna zyxw said", length=3)
    assert words.score("Anna zyxw said").unknown == 1
    assert subwords.score("Anna zyxw said").unknown == 0
    unknown = words.evaluate("Anna zyxw said Bert.")
    assert unknown["unknown tokens"] == pytest.approx(1 / 5)


def test_lower_case_words_complete_what_was_typed() -> None:
    model = small("words", lower=True).fit(TEXT, budget=40, progress=False)
    assert "anna" in model.vocabulary.pieces
    assert "Anna" not in model.vocabulary.pieces
    found = model.suggest("said An", n=1)
    assert found[0][0] == "Anna"


def test_scores_add_up_by_token(generator: Generator) -> None:
    score = generator.score("Anna said.", per_token=True)
    assert score.tokens is not None
    assert len(score.tokens) == score.count
    assert sum(p for _, p in score.tokens) == pytest.approx(score.log_probability)
    likely = generator.score('"Anna," said Bert')
    assert likely.bits_per_character < generator.score('Bert "said Anna,"').bits_per_character


def test_texts_a_table_and_a_corpus_teach_the_same(tmp_path: Path) -> None:
    lines = TEXT.splitlines()
    (tmp_path / "lines.jsonl").write_text("".join(_json(line) + "\n" for line in lines))
    models = [
        small("words").fit(data, budget=3, progress=False, **options)
        for data, options in (
            (lines, {}),
            (tmp_path / "lines.jsonl", {"text_column": "line"}),
            (Corpus.of(lines), {}),
        )
    ]
    assert len({model.generate("Anna", length=30, seed=1) for model in models}) == 1
    assert len({model.evaluate()["bits"] for model in models}) == 1
    assert "documents" in models[0].evaluate().held_out


def _json(line: str) -> str:
    import json

    return json.dumps({"n": 1, "line": line})


def test_a_corpus_shorter_than_one_batch_reads_smaller_batches_or_says_so() -> None:
    model = small("words", rows=64, steps=512).fit(TEXT[:900], budget=2, progress=False)
    assert model.outcome.steps == 2
    with pytest.raises(DataError, match="at least 500"):
        small("words").fit(TEXT[:300], budget=2, progress=False)


def test_a_resumed_run_finds_the_tokens_of_a_large_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unrolled.tasks.generator.WORTH_KEEPING", 1000)
    options = {"budget": 6, "progress": False, "run_dir": tmp_path}
    first = small("words").fit(TEXT, **options)
    kept = (tmp_path / "tokens" / "tokens.bin").stat()
    again = small("words").fit(TEXT, resume=True, **options)
    assert (tmp_path / "tokens" / "tokens.bin").stat().st_mtime_ns == kept.st_mtime_ns
    assert again.generate("Anna", seed=1) == first.generate("Anna", seed=1)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("characters", {"muon_rate": 0.02, "layers": 2, "weight_dropout": 0.2, "resets": 0.05}),
        ("words", {"negatives": 16, "embedding_dropout": 0.1}),
        ("words", {"negatives": 16, "muon_rate": 0.02, "validation": 0}),
    ],
    ids=["orthogonal steps", "drawn words", "nothing to choose by"],
)
def test_an_interrupted_run_comes_to_the_weights_of_a_whole_one(
    kind: str, options: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    share = {"validation": options["validation"]} if "validation" in options else {}
    options = {name: value for name, value in options.items() if name not in share}
    given = {"budget": 14, "progress": False, **share}
    whole = small(kind, **options).fit(TEXT, **given)
    take = generator_module.ContiguousBatches.__getitem__

    def interrupt(batches: object, step: int) -> object:
        if step == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return take(batches, step)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(generator_module.ContiguousBatches, "__getitem__", interrupt)
        stopped = small(kind, **options).fit(TEXT, run_dir=tmp_path, **given)
    assert (stopped.outcome.ended, stopped.outcome.steps) == ("interrupted", 6)
    resumed = small(kind, **options).fit(TEXT, run_dir=tmp_path, resume=True, **given)
    assert resumed.outcome.steps == 14
    weights = whole.model.state_dict()
    for name, tensor in resumed.model.state_dict().items():
        assert torch.equal(tensor, weights[name]), name
    assert resumed.evaluate().comparisons == whole.evaluate().comparisons


def test_a_sample_of_a_large_held_out_part_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(parts.MOST_TO_TEST_ON, "words", 200)
    model = small("words").fit(TEXT, budget=2, progress=False)
    assert "the first 200 characters of the last 10%" in model.evaluate().held_out


def test_the_kind_of_tokens_that_are_lent_need_not_be_said() -> None:
    lender = small("words", lower=True).fit(TEXT, budget=1, progress=False)
    borrower = small(None).fit(TEXT, tokens_of=lender, budget=1, progress=False)
    assert borrower.vocabulary == lender.vocabulary
    assert borrower.tokenizer is None
    for options in ({"tokenizer": "subwords"}, {"tokenizer": "characters"}, {"tokenizer": "words"}):
        with pytest.raises(ConfigError, match="but tokens_of has tokens with"):
            small(**options).fit(TEXT, tokens_of=lender, budget=1, progress=False)
    borrower.set_params(warm_start=True).fit(TEXT, budget=1, progress=False)
    assert borrower.vocabulary == lender.vocabulary
    other = small("words", lower=True).fit(TEXT * 2 + "never\n" * 9, budget=1, progress=False)
    with pytest.raises(ConfigError, match="tokens_of: other tokens than those of the network"):
        borrower.fit(TEXT, tokens_of=other, budget=1, progress=False)
