"""Each text task asks what it says, of the data that it names."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folder import TEST, VALIDATION, Recipe
from text_tasks import imdb, mr, names, running, scale, shakespeare, suggest, ud
from text_tasks.runs import ALONE, NETWORK, Request
from text_tasks.suggest import Place, hits, places_in
from text_tasks.turns import TorchLSTM

from unrolled import Generator
from unrolled.data.labelled import LabelledTexts
from unrolled.data.tagged import TaggedSentences
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.generating.keystrokes import Typing

TEXT = "the cat sat on the mat and the dog sat on the cat.\n" * 60
SMALL: dict[str, Any] = {"hidden_size": 8, "layers": 1}
QUICK: dict[str, Any] = {"budget": "2 steps", "options": SMALL}


def reviews(count: int = 60) -> LabelledTexts:
    rng = np.random.default_rng(0)
    words = {"pos": ["fine", "good", "great"], "neg": ["bad", "dull", "poor"]}
    labels = ["pos", "neg"] * (count // 2)
    texts = [f"film {i} is {' '.join(rng.choice(words[one], 3))}" for i, one in enumerate(labels)]
    return LabelledTexts(tuple(texts), tuple(labels))


def tagged(count: int, start: int = 0) -> TaggedSentences:
    words = tuple(("the", f"cat{i}", "sleeps") for i in range(start, start + count))
    return TaggedSentences(words, (("DET", "NOUN", "VERB"),) * count)


def test_shakespeare_is_scored_beside_kneser_ney_and_the_rival(tmp_path: Path) -> None:
    request = Request("shakespeare", folder=tmp_path, rival=True, **QUICK)
    part = shakespeare.part(TEXT, "2 steps", request)
    _, alone, kneser_ney, lstm = part["scores"].values()
    assert list(part["scores"])[:2] == ["network", "network alone"]
    assert kneser_ney["nats a character"] < alone["nats a character"]
    assert part["took"]["torch.nn.LSTM"]["parameters"] > 800_000
    assert part["took"]["torch.nn.LSTM"]["steps"] >= 1
    assert lstm["nats a character"] > 0
    assert (part["how"], part["goals"]) == ("other", [])


def test_the_rivals_turn_after_the_network_has_ended_is_none_of_the_networks_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def turn(rival: TorchLSTM, seconds: float) -> None:
        rival.steps, rival.seconds, rival.busy = 1, seconds, seconds

    taught = shakespeare.learn

    def timed(*given: Any, **options: Any) -> Any:
        model, took = taught(*given, **options)
        return model, {**took, "training": 1.0, "minutes": 2.0, "processor minutes": 2.0}

    monkeypatch.setattr(TorchLSTM, "learn", turn)
    monkeypatch.setattr(shakespeare, "in_turns", lambda turn: nullcontext())
    monkeypatch.setattr(shakespeare, "learn", timed)
    took = shakespeare.part(TEXT, "2 steps", Request("shakespeare", rival=True, **QUICK))["took"]
    assert took["torch.nn.LSTM"]["minutes"] == took["torch.nn.LSTM"]["processor minutes"] == 1.0
    assert took[NETWORK]["minutes"] == took[NETWORK]["processor minutes"] == 2.0


def test_a_budget_of_shakespeare_that_has_a_goal_is_judged_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(shakespeare.RECIPES, "60s", Recipe(SMALL, "60s"))
    monkeypatch.setattr(shakespeare, "learn", _learn_two_steps(shakespeare.learn))
    part = shakespeare.part(TEXT, "60s", Request("shakespeare", budget="60s"))
    (goal,) = part["goals"]
    assert (part["how"], goal["limit"], goal["within minutes"]) == ("recipe", 1.80, 1)
    assert goal["rival"].startswith("Kneser-Ney")


def _learn_two_steps(learn: Any) -> Any:
    return lambda *given, **options: learn(*given, **{**options, "budget": "2 steps"})


def test_every_budget_that_has_a_goal_has_a_recipe() -> None:
    assert shakespeare.RECIPES.keys() == shakespeare.GOALS.keys()
    assert all(recipe.budget == name for name, recipe in shakespeare.RECIPES.items())


def test_imdb_reads_first_and_judges_the_parts_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Recipe({**imdb.LANGUAGE.options, **SMALL, "rows": 2, "steps": 8}, "2 steps")
    monkeypatch.setattr(imdb, "LANGUAGE", small)
    request = Request("imdb", folder=tmp_path, budget="2 steps")
    part = imdb.part(reviews(), lambda: reviews(20), request)
    both, alone = part["goals"]
    assert (both["who"], both["limit"], alone["who"], alone["limit"]) == (NETWORK, 0.92, ALONE, 0.9)
    assert both["within minutes"] == 60
    assert part["took"].keys() == {imdb.BEFORE, NETWORK}
    assert {NETWORK, ALONE, "linear path alone"} < part["scores"].keys()
    assert sum("logistic regression" in name for name in part["scores"]) == 2
    assert part["held out"] == "20 reviews of the test part"
    model = tmp_path / "language-model" / "model.unrolled"
    again = imdb.part(
        reviews(), None, Request("imdb", part=VALIDATION, pretrained=str(model), budget="2 steps")
    )
    assert again["held out"] == "6 reviews, the last tenth of each label"
    assert again["took"].keys() == {NETWORK}


def test_what_imdb_is_chosen_by_stands_at_the_end_of_each_label() -> None:
    texts, labels = [str(i) for i in range(40)], ["a"] * 10 + ["b"] * 30
    stay, apart = imdb.last_of_each(texts, labels)
    assert apart == (("9", "37", "38", "39"), ("a", "b", "b", "b"))
    assert len(stay[0]) == 36
    assert not set(stay[0]) & set(apart[0])


def test_the_folds_of_mr_score_every_sentence_once_and_validation_none_of_the_scored() -> None:
    labels = ["pos", "neg"] * 50
    for_test = mr.folds(labels, TEST)
    assert sorted(np.concatenate([tested for _, tested in for_test])) == list(range(100))
    for (learnt, tested), (inner, chosen) in zip(
        for_test, mr.folds(labels, VALIDATION), strict=True
    ):
        assert not set(learnt) & set(tested)
        assert set(inner) | set(chosen) == set(learnt)
        assert not set(inner) & set(chosen)
        assert sum(labels[i] == "pos" for i in tested) == 5


def test_a_fold_of_mr_that_has_ended_is_not_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mr, "FOLDS", 2)
    data = reviews(40)
    texts, labels = list(data.texts), list(data.labels or ())
    request = Request("mr", folder=tmp_path, **QUICK)
    part = mr.part(texts, labels, request)
    assert part["took"][NETWORK]["steps"] == 4
    assert len(part["folds"]) == 2
    mean = np.mean([one[NETWORK]["accuracy"] for one in part["folds"]])
    assert part["scores"][NETWORK]["accuracy"] == pytest.approx(mean)
    (tmp_path / "fold-1.json").unlink()
    trained = []
    learn = mr.learn
    monkeypatch.setattr(mr, "learn", lambda *a, **o: trained.append(a[0]) or learn(*a, **o))
    assert mr.part(texts, labels, request)["scores"] == part["scores"]
    assert trained == ["fold 1"]


def test_ud_is_tested_on_test_and_on_dev_without_it() -> None:
    options = {
        "hidden_size": 4,
        "layers": 1,
        "embedding_size": 4,
        "character_size": 4,
        "members": 1,
    }
    request = Request("ud", budget="2 steps", options=options)
    part = ud.part(tagged(30), tagged(10, 30), tagged(12, 40), request)
    assert part["held out"] == "36 words of test"
    (goal,) = part["goals"]
    assert (goal["limit"], goal["within minutes"]) == (0.958, 30)
    assert len(part["scores"]) == 3
    chosen = Request("ud", part=VALIDATION, budget="2 steps", options=options)
    assert ud.part(tagged(30), tagged(10, 30), None, chosen)["held out"] == "30 words of dev"


def test_names_are_the_mean_of_seeds_with_splits_of_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    endings = {"Dutch": "stra", "Greek": "os", "Irish": "an"}
    labels = [name for name in endings for _ in range(30)]
    texts = ["".join(rng.choice(list("abdel"), 4)) + endings[one] for one in labels]
    request = Request(
        "names", folder=tmp_path, **{**QUICK, "options": {**SMALL, **names.RECIPE.options}}
    )
    part = names.part(texts, labels, request)
    assert part["part"] == "3 languages, mean of 3 seeds"
    assert len(part["seeds"]) == 3
    assert {path.stem for path in tmp_path.glob("seed-*.json")} == {"seed-0", "seed-1", "seed-2"}
    assert any("1-4 characters" in name for name in part["scores"])
    (goal,) = part["goals"]
    assert goal["of the rival"]


def test_words_are_drawn_by_the_seed_and_stand_where_they_are_said_to() -> None:
    text = "To be, or not to be_it; well-known o'er 9th: cafés -x y."
    found = places_in(text, 100, 0)
    assert [one.word for one in found] == ["be", "or", "not", "to", "o'er", "cafés", "y"]
    assert all(text[one.begin :].startswith(one.word) for one in found)
    many = places_in(TEXT, 20, 1)
    assert len(many) == 20
    assert many == places_in(TEXT, 20, 1) != places_in(TEXT, 20, 2)
    assert [one.begin for one in many] == sorted(one.begin for one in many)


def test_hits_count_words_that_are_longer_than_what_was_typed() -> None:
    text = " a cat dog"
    places = [Place(1, "a"), Place(3, "cat"), Place(7, "dog")]
    asked = []

    def suggest(before: str) -> list[str]:
        asked.append(before)
        return ["cat", "x", "dog"]

    found = hits(text, places, suggest)
    assert found["top 1, 0 typed"] == pytest.approx(1 / 3)
    assert found["top 3, 0 typed"] == pytest.approx(2 / 3)
    assert found["top 1, 1 typed"] == pytest.approx(1 / 2)
    assert found["top 3, 2 typed"] == 1.0
    assert asked == [" ", " a ", " a c", " a ca", " a cat ", " a cat d", " a cat do"]


def test_suggestions_are_asked_as_if_each_text_were_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggest, "KEYSTROKES", 5)
    monkeypatch.setattr(suggest, "PLACES", 8)
    monkeypatch.setattr(suggest, "WARM", 1)
    kept: dict[str, Any] = {"typed": []}
    learn, answer = suggest.learn, Typing.suggest

    def noted(self: Typing, n: int = 5) -> Any:
        kept["typed"].append(self.text)
        return answer(self, n)

    monkeypatch.setattr(Typing, "suggest", noted)

    def spy(*given: Any, **options: Any) -> Any:
        kept["model"], took = learn(*given, **options)
        return kept["model"], took

    monkeypatch.setattr(suggest, "learn", spy)
    part = suggest.part(
        "made", TEXT, Recipe({}), Request("suggest", budget="20 steps", options=SMALL)
    )
    model = kept["model"]
    assert isinstance(model, Generator)
    tested = TEXT[round(len(TEXT) * 0.9) :]
    drawn = places_in(tested, 8, 0)
    asked = [tested[: one.begin + k] for one in drawn for k in suggest.TYPED if k < len(one.word)]
    assert kept["typed"][: len(asked)] == asked
    anew = hits(tested, drawn, lambda before: [w for w, _ in model.suggest(before, 3)])
    assert {name: part["scores"][NETWORK][name] for name in anew} == anew
    assert part["scores"]["5-gram of words"]["top 3, 0 typed"] > 0.9
    assert part["scores"][NETWORK]["ms, median"] > 0
    assert len(part["goals"]) == 5


def test_a_made_corpus_has_its_size_and_no_two_copies_alike(tmp_path: Path) -> None:
    path = tmp_path / "made.txt"
    text = "añ" + "the cat sat " * 50
    size = len(text.encode())
    scale.make(path, text, 3 * size + 2, seed=0)
    raw = path.read_bytes()
    assert 3 * size + 1 <= len(raw) <= 3 * size + 2
    raw.decode()
    copies = [raw[i * size : (i + 1) * size] for i in range(3)]
    assert len({*copies, text.encode()}) == 4
    share = np.mean([a != b for a, b in zip(copies[0], text.encode(), strict=True)])
    assert 0 < share <= scale.NOISE


def test_a_disk_without_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="TMPDIR"):
        scale.check_space(tmp_path, 10**18)
    scale.check_space(tmp_path, 1)


class Saying:
    """Answers with given probabilities, word by word."""

    def __init__(self, *chances: float) -> None:
        self.chances = chances

    def step(self, text: str, state: Any = None) -> tuple[dict[str, float], Any]:
        at = 0 if state is None else state
        chance = self.chances[min(at, len(self.chances) - 1)]
        return {"neg": 1 - chance, "pos": chance}, at + 1


def test_twenty_sentences_hold_their_negation_and_half_of_them_praise() -> None:
    assert len(running.SENTENCES) == 20
    assert len({one.text for one in running.SENTENCES}) == 20
    assert sum(one.positive for one in running.SENTENCES) == 10
    assert running.SENTENCES[0].text == "the film is not good"
    assert all(one.negation in one.words for one in running.SENTENCES)


@pytest.mark.parametrize(
    ("chances", "right", "turned"),
    [
        ((0.6, 0.6, 0.6, 0.4, 0.3), True, True),  # at "not"
        ((0.6, 0.6, 0.6, 0.7, 0.3), True, True),  # at "good"
        ((0.6, 0.6, 0.6, 0.55, 0.8), False, False),
        ((0.4, 0.4, 0.4, 0.45, 0.47), True, False),  # it was there already, and moves away
        ((0.4, 0.4, 0.4, 0.38, 0.36), True, False),  # too small a step
        ((0.4, 0.4, 0.4, 0.3, 0.8), False, True),
    ],
)
def test_an_answer_turns_where_it_moves_to_the_right_side(
    chances: tuple[float, ...], right: bool, turned: bool
) -> None:
    first = running.SENTENCES[0]
    found = running.answers(Saying(*chances), first.words, "pos")
    assert found == pytest.approx(chances)
    assert running.is_right(first, found) is right
    assert running.turns(first, found) is turned


def test_who_always_praises_is_right_about_half_of_the_sentences() -> None:
    part = running.part(Saying(0.9), "pos")
    (shares,) = part["scores"].values()
    assert list(shares.values()) == [10.0, 0.0, 0.0]
    assert part["shown"]["rows"][0][0] == "the 0.90 film 0.90 is 0.90 not 0.90 good 0.90"


def test_a_file_of_two_labels_one_of_them_praise_is_expected() -> None:
    assert running.positive_of(["neg", "pos"]) == "pos"
    for labels in (["a", "b"], ["neg", "pos", "neutral"]):
        with pytest.raises(ConfigError, match="labels"):
            running.positive_of(labels)
    with pytest.raises(ConfigError, match="--model"):
        running.run(Request("running"))


@pytest.mark.data
def test_the_folds_of_mr_are_those_of_the_catalog() -> None:
    from unrolled.data import catalog

    data = catalog.load("mr")
    found = mr.folds(list(data.labels), TEST)
    assert [len(tested) for _, tested in found] == [1067, 1067, *[1066] * 8]
