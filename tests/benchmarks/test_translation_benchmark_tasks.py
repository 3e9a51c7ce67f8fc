"""Each translation task asks what it says, of the data that it names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import translation
from harness import Disagreement, Effort
from run_folder import TEST, VALIDATION, Recipe
from run_parts import Request
from text_tasks.runs import NETWORK
from translation_tasks import (
    attention,
    dates,
    multi30k_de_en,
    multi30k_en_de,
    quality,
    reference,
    tatoeba_de_en,
    throughput,
)
from translation_tasks.parallel import Parallel
from translation_tasks.quality import Contest
from translation_tasks.reference import Reference

from unrolled import Translator
from unrolled.data.pairs import SentencePairs

SMALL: dict[str, Any] = {
    "hidden_size": 8,
    "embedding_size": 8,
    "vocabulary_size": 300,
    "batch_tokens": 200,
}
QUICK: dict[str, Any] = {"budget": "2 steps", "options": SMALL}
NUMBERS = ("eins", "zwei", "drei", "vier"), ("one", "two", "three", "four")


def pairs(count: int, start: int = 0) -> SentencePairs:
    """Counting in German and in English, in sentences of 3 to 6 words."""
    sides: tuple[list[str], list[str]] = ([], [])
    for place in range(start, start + count):
        for side, words in zip(sides, NUMBERS, strict=True):
            more = [words[(place + i) % 4] for i in range(place % 4)]
            side.append(" ".join([words[place % 4], words[place // 4 % 4], str(place), *more]))
    return SentencePairs(tuple(sides[0]), tuple(sides[1]))


def made(asked: list[str] | None = None) -> Parallel:
    def test() -> SentencePairs:
        if asked is None:
            raise AssertionError("the test part was looked at")
        asked.append(TEST)
        return pairs(7, 80)

    return Parallel("counting", pairs(60), pairs(12, 60), test, "made-test")


def contest(data: Parallel, **goals: float) -> Contest:
    recipes = {budget: Recipe(SMALL, budget) for budget in goals} or {"15m": Recipe(SMALL, "15m")}
    return Contest(lambda: data, recipes, goals, next(iter(recipes)))


def test_a_corpus_is_scored_on_validation_beside_rivals_and_published_figures() -> None:
    part = quality.part(contest(made()), Request("multi30k-de-en", part=VALIDATION, **QUICK))
    assert part["held out"].startswith("12 pairs of validation; beam 5; nrefs:1|case:mixed")
    assert "tok:13a" in part["held out"]
    assert part["scores"][NETWORK].keys() == {"BLEU", "chrF", "BLEU, greedy"}
    assert len(part["scores"]) == 3
    assert all(row.keys() <= {"BLEU", "chrF", "BLEU, greedy"} for row in part["scores"].values())
    assert (part["how"], part["goals"]) == ("other", [])
    assert ["published, subwords", "33.5", "-"] in part["shown"]["rows"]


def test_the_test_part_is_scored_by_the_same_network_and_judged(tmp_path: Path) -> None:
    asked: list[str] = []
    goals = {"2 steps": 5.0, "9 steps": 99.0}
    parts = {
        which: quality.part(
            contest(made(asked), **goals),
            Request("made", part=which, budget="2 steps", folder=tmp_path / which),
        )
        for which in (VALIDATION, TEST)
    }
    assert asked == [TEST]
    assert parts[TEST]["held out"].startswith("7 pairs of made-test")
    assert parts[VALIDATION]["goals"] == []
    (goal,) = parts[TEST]["goals"]
    assert (goal["metric"], goal["limit"], goal["within minutes"]) == ("BLEU", 5.0, None)
    assert goal["figure"] == parts[TEST]["scores"][NETWORK]["BLEU"]
    assert parts[TEST]["how"] == "recipe"
    assert parts[TEST]["took"] == parts[VALIDATION]["took"]
    assert len(list(tmp_path.rglob("took.json"))) == 1


def test_a_budget_without_a_recipe_takes_the_usual_one() -> None:
    two = Contest(made, {"a": Recipe({"x": 1}, "a"), "b": Recipe({"x": 2}, "b")}, {}, "b")
    assert two.recipe(Request("made")) == Recipe({"x": 2}, "b")
    assert two.recipe(Request("made", budget="a")) == Recipe({"x": 1}, "a")
    asked = Request("made", budget="7m", options={"y": 3})
    assert two.recipe(asked) == Recipe({"x": 2, "y": 3}, "7m")


def test_the_rival_is_trained_as_long_and_restored_for_the_test_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "VOCABULARY", 300)
    parts = [
        quality.part(
            contest(made([])),
            Request("made", part=which, folder=tmp_path / which, rival=True, **QUICK),
        )
        for which in (VALIDATION, TEST)
    ]
    first, second = (part["took"] for part in parts)
    assert first == second
    theirs, ours = first[Reference.name], first[NETWORK]
    assert theirs["steps"] >= 1
    assert ours["minutes"] >= ours["training"] > 0
    assert theirs["training"] >= 0.9 * ours["training"]
    assert {"BLEU", "chrF"} == parts[1]["scores"][Reference.name].keys()
    assert parts[0]["part"].endswith("in turns")


@pytest.mark.parametrize("task", [multi30k_de_en, multi30k_en_de, tatoeba_de_en])
def test_every_budget_that_has_a_goal_has_a_recipe(task: Any) -> None:
    found = task.CONTEST
    assert found.recipes.keys() == found.goals.keys()
    assert found.usual in found.recipes
    assert all(recipe.budget == name for name, recipe in found.recipes.items())


def test_with_and_without_attention_are_drawn_by_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "FEWEST", 3)
    built = []
    monkeypatch.setattr(
        "unrolled.Translator", lambda **given: built.append(given) or Translator(**given)
    )
    monkeypatch.setattr(attention, "multi30k", lambda source, target: made())
    monkeypatch.setattr(translation, "RUNS", tmp_path)
    picture, small = tmp_path / "lengths.png", json.dumps(SMALL)
    words = ["attention", "--budget", "2 steps", "--options", small]
    monkeypatch.setattr("sys.argv", ["translation.py", *words])
    assert translation.main() == 0
    monkeypatch.setattr("sys.argv", ["translation.py", *words, "--picture", str(picture)])
    assert translation.main() == 0
    (found,) = tmp_path.rglob("result.json")
    (part,) = json.loads(found.read_text())["parts"]
    assert [one.get("attention") for one in built] == [None, "none"]
    assert part["scores"].keys() == part["took"].keys() == {attention.WITH, attention.WITHOUT}
    sentences, *lines = part["shown"]["rows"]
    assert sum(int(one) for one in sentences[1:]) == 12
    assert [line[0] for line in lines] == [attention.WITH, attention.WITHOUT]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_bleu_by_words_is_that_of_the_sentences_that_have_as_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = ("a b", "a b c d e", *("a b c d e f g",) * 3)
    targets = tuple(f"one two three four {i}" for i in range(5))
    answers = [*targets[:2], *("wrong",) * 3]
    monkeypatch.setattr(attention, "FEWEST", 2)
    lines = attention.by_words(answers, SentencePairs(sources, targets))
    assert [one["sentences"] for one in lines] == [2, 3]
    assert [one["middle"] for one in lines] == [3.5, 7.0]
    assert lines[0]["BLEU"] == pytest.approx(100)
    assert lines[1]["BLEU"] == 0


def test_dates_are_asked_in_languages_that_were_learnt_and_in_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, count in (("TRAIN", 60), ("CHOSEN_BY", 5), ("SCORED", 4), ("SHOWN", 2)):
        monkeypatch.setattr(dates, name, count)
    drawn = []
    write = dates.written_dates
    monkeypatch.setattr(
        dates, "written_dates", lambda *a, **o: drawn.append((a[0], o)) or write(*a, **o)
    )
    part = dates.part(Request("dates", part=TEST, **QUICK))
    assert drawn == [
        (60, {}),
        (5, {"part": VALIDATION}),
        (4, {"part": TEST, "seed": 1, "languages": dates.LANGUAGES}),
        (4, {"part": TEST, "seed": 1, "languages": dates.HELD_OUT_LANGUAGES}),
    ]
    assert part["scores"][NETWORK] == {
        "exact, %, thirty languages": 0,
        "exact, %, twelve others": 0,
    }
    assert len(part["scores"]) == 3
    (goal,) = part["goals"]
    assert (goal["limit"], goal["within minutes"], goal["reached"]) == (99.5, 2, False)
    assert [row[0] for row in part["shown"]["rows"]] == [dates.KNOWN] * 2 + [dates.OTHERS] * 2


@pytest.fixture(scope="module")
def translator() -> Translator:
    """One that has learnt enough to end its sentences."""
    model = Translator(**{**SMALL, "hidden_size": 16, "learning_rate": 2e-2})
    data = made()
    return model.fit(data.train, validation=data.validation, holdout=0, budget="120 steps")


def test_throughput_is_told_of_both_and_judged_by_the_ratio(
    translator: Translator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throughput, "BATCHES", 2)
    monkeypatch.setattr(throughput, "ROUNDS", 2)
    monkeypatch.setattr(throughput, "AT_ONCE", 5)
    monkeypatch.setattr(throughput, "Effort", lambda rounds: Effort(rounds, sample=1e-4))
    before = {name: one.clone() for name, one in translator.model.state_dict().items()}
    part = throughput.part(translator, {}, made(), Request("throughput", part=VALIDATION))
    after = translator.model.state_dict()
    assert all(torch.equal(one, after[name]) for name, one in before.items())
    ours, theirs = part["scores"][NETWORK], part["scores"][throughput.PLAIN]
    for what in ("training, target tokens a second", "decoding, sentences a second"):
        assert ours[what] >= ours[f"{what}, median"] > 0
        kind = what.split(",")[0]
        assert ours[f"{kind}, times plain"] == pytest.approx(ours[what] / theirs[what])
    assert [goal["limit"] for goal in part["goals"]] == [1.4, 5.0]
    assert [goal["rival"] for goal in part["goals"]] == [None, None]
    assert part["alike"] == {"greedy": 1.0, "beam": 1.0}
    assert ours["BLEU"] == theirs["BLEU"]
    assert all(len(one["samples"]) == 2 for one in part["times"]["decoding"].values())


def test_nothing_is_timed_where_translations_differ(
    translator: Translator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(throughput.PlainTranslator, "greedy", lambda self, some: ["?"] * len(some))
    monkeypatch.setattr(throughput, "race", None)
    with pytest.raises(Disagreement, match=r"0\.0%"):
        throughput.part(translator, {}, made(), Request("throughput", part=VALIDATION))


@pytest.mark.data
def test_the_corpora_are_those_of_the_catalog() -> None:
    for task, source in ((multi30k_de_en, "Zwei"), (multi30k_en_de, "Two")):
        data = task.CONTEST.data()
        assert (len(data.train), len(data.validation), len(data.test())) == (29_000, 1_014, 1_000)
        assert data.train.sources[0].startswith(source)
    data = tatoeba_de_en.CONTEST.data()
    test = data.test()
    assert (len(data.validation), len(test)) == (2_000, 2_000)
    assert not set(data.train.targets) & set(test.targets)
    assert sum(" der " in one for one in test.sources) > 50
    assert sum(" the " in one for one in test.targets) > 50
