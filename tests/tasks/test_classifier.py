"""A classifier learns, answers word by word, explains, comes back from its file, and goes on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from unrolled.data.labelled import read_labelled
from unrolled.errors import ConfigError, DataError, DataWarning
from unrolled.tasks.classifier import Classifier
from unrolled.tasks.classifying import encoding
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.generator import Generator
from unrolled.training.loop import Trainer

pytestmark = [
    pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses"),
    pytest.mark.filterwarnings("ignore::unrolled.errors.DataWarning"),
]

Data = tuple[list[str], list[Any]]


@pytest.fixture(autouse=True, scope="module")
def _quick_rivals() -> Iterator[None]:
    """The rivals' strength is not chosen: one for each."""
    grid = {"tfidf": (3.0,) * 3, "naive-bayes": (0.1,) * 3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unrolled.baselines.tfidf._GRID", grid)
        patch.setattr("unrolled.baselines.tfidf._SHARE", 1e-9)
        yield


def reviews(count: int = 120, seed: int = 0) -> Data:
    """What is said of a film; "not" turns it round, so that single words do not tell."""
    random = np.random.default_rng(seed)
    texts, labels = [], []
    for n in range(count):
        word, good = [("fine", True), ("dull", False), ("great", True), ("weak", False)][n % 4]
        turned = bool(random.integers(2))
        filler = " ".join(random.choice(["we", "saw", "it", "there", "once", "and"], 4))
        texts.append(f"{filler} the film {n} is {'not ' if turned else ''}{word} .")
        labels.append("good" if good != turned else "bad")
    return texts, labels


def small(**options: Any) -> Classifier:
    given = {
        "hidden_size": 8,
        "embedding_size": 6,
        "batch_size": 16,
        "chunk": 8,
        "dropout": 0.0,
        "input_dropout": 0.0,
        "embedding_dropout": 0.0,
        "output_dropout": 0.0,
        "learning_rate": 0.02,
        "average": 0.5,
        "device": "cpu",
    }
    return Classifier(**{**given, **options})


def fit(model: Classifier, data: Any = None, **options: Any) -> Classifier:
    given: dict[str, Any] = {"budget": 4, "progress": False, "holdout": 0.2, "validation": 0.2}
    return model.fit(reviews() if data is None else data, **{**given, **options})


def moved(model: Classifier, by: float = 0.3) -> Classifier:
    """Its weights moved about, so that no answer is near one half."""
    torch.manual_seed(5)
    with torch.no_grad():
        for parameter in model.model.parameters():
            parameter += by * torch.randn(parameter.shape)
    return model


@pytest.fixture(scope="module")
def fitted() -> Classifier:
    return moved(fit(small()))


TEXTS = ["the film is not good .", "", "we saw it once", "an utterly unknown wording !", "fine"]


def test_it_learns_the_order_of_words() -> None:
    random = np.random.default_rng(0)
    texts, labels = [], []
    for n in range(160):
        first, last = [("fine", "dull"), ("dull", "fine")][n % 2]
        filler = random.choice(["we", "saw", "it"], 2)
        texts.append(f"{n} {first} {' '.join(filler)} {last}")
        labels.append(last)
    model = fit(small(linear=False), (texts, labels), budget=50)
    assert model.evaluation is not None
    assert model.evaluation["accuracy"] > 0.9


def test_the_parts_alone_and_both_rivals_stand_in_the_evaluation(fitted: Classifier) -> None:
    assert fitted.evaluation is not None
    table = str(fitted.evaluation)
    for name in ("network alone", "linear path alone", "TF-IDF", "naive-Bayes weights"):
        assert name in table
    assert fitted.evaluation.labels is not None
    assert fitted.evaluation.labels.labels == ("bad", "good")
    assert sum(fitted.evaluation.labels.support) == 24
    assert "24 texts" in fitted.evaluation.held_out


def test_one_text_gets_one_answer_and_several_get_a_list(fitted: Classifier) -> None:
    alone = fitted.predict_proba(TEXTS[0])
    together = fitted.predict_proba(TEXTS)
    assert alone.shape == (2,)
    assert together.shape == (5, 2)
    np.testing.assert_allclose(together[0], alone, atol=1e-6)
    np.testing.assert_allclose(together.sum(1), 1)
    assert fitted.predict(TEXTS) == [fitted.predict(text) for text in TEXTS]
    assert fitted.predict(TEXTS[0]) == fitted.labels.names[alone.argmax()]


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_the_running_answer_is_that_of_the_text_so_far(cell: str) -> None:
    model = moved(fit(small(cell=cell, layers=2), budget=2))
    text = "the film is not fine , once the unheard film is dull ."
    words = text.split()
    state = model.start()
    sizes = set()
    for read in range(1, len(words) + 1):
        kept = {name: array.copy() for name, array in state.items()}
        answer, after = model.step(words[read - 1], state)
        for name, array in kept.items():
            assert np.array_equal(state[name], array)
        wanted = model.predict_proba(" ".join(words[:read]))
        assert list(answer) == ["bad", "good"]
        np.testing.assert_allclose(list(answer.values()), wanted, atol=1e-6)
        sizes.add(sum(array.nbytes for array in after.values()))
        state = after
    assert len(sizes) == 1
    begun = model.start("the film")
    again, _ = model.step("is", begun)
    np.testing.assert_allclose(list(again.values()), model.predict_proba("the film is"), atol=1e-6)


def test_a_running_answer_by_characters_reads_what_is_given_as_it_is() -> None:
    model = moved(fit(small(tokenizer="characters"), budget=2))
    state = None
    for piece in ("the f", "ilm", "", " is", " not dull"):
        answer, state = model.step(piece, state)
    wanted = model.predict_proba("the film is not dull")
    np.testing.assert_allclose(list(answer.values()), wanted, atol=1e-6)


def test_the_order_in_which_texts_are_asked_changes_no_answer(fitted: Classifier) -> None:
    texts, _ = reviews(40, seed=3)
    texts = [text * (1 + at % 5) for at, text in enumerate(texts)]
    order = np.random.default_rng(0).permutation(40)
    forward = fitted.predict_proba(texts)
    np.testing.assert_allclose(
        fitted.predict_proba([texts[at] for at in order]), forward[order], atol=1e-6
    )


def test_a_long_document_is_answered_as_if_read_whole(fitted: Classifier) -> None:
    text = " ".join(reviews(400, seed=4)[0])
    chunked = fitted.predict_proba(text)
    chunk, fitted.model.chunk = fitted.model.chunk, 10**9
    try:
        whole = fitted.predict_proba(text)
    finally:
        fitted.model.chunk = chunk
    np.testing.assert_allclose(chunked, whole, atol=1e-5)


def test_saved_and_loaded_it_is_the_same(fitted: Classifier, tmp_path: Path) -> None:
    again = unrolled.load(fitted.save(tmp_path / "it.unrolled"))
    assert isinstance(again, Classifier)
    assert np.array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))
    answers = [model.step("not", model.step("film")[1])[0] for model in (fitted, again)]
    assert answers[0] == answers[1]
    data = reviews(30, seed=8)
    assert str(again.evaluate(data)) == str(fitted.evaluate(data))
    assert str(again.evaluation) == str(fitted.evaluation)
    assert again.checkup == fitted.checkup
    assert again.get_params() == fitted.get_params()


def test_the_same_seed_gives_the_same_model_and_another_seed_another() -> None:
    one, same, other = (fit(small(seed=seed, dropout=0.3), budget=3) for seed in (1, 1, 2))
    assert np.array_equal(one.predict_proba(TEXTS), same.predict_proba(TEXTS))
    assert not np.allclose(one.predict_proba(TEXTS), other.predict_proba(TEXTS))


def test_an_interrupted_run_goes_on_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"dropout": 0.3, "embedding_dropout": 0.2, "unfreeze": 0.2}
    whole = fit(small(**options), budget=12)
    save, count = Trainer._save, 0

    def stop_after_some(self: Trainer) -> None:
        nonlocal count
        save(self)
        count += 1
        if count == 5:
            raise ConnectionAbortedError

    monkeypatch.setattr(Trainer, "_save", stop_after_some)
    with pytest.raises(ConnectionAbortedError):
        fit(small(**options), budget=12, run_dir=tmp_path / "run")
    monkeypatch.undo()
    resumed = fit(small(**options), budget=12, run_dir=tmp_path / "run", resume=True)
    for one, two in zip(
        whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, two)
    assert np.array_equal(whole.predict_proba(TEXTS), resumed.predict_proba(TEXTS))


def test_a_checkpoint_is_a_model(tmp_path: Path) -> None:
    model = fit(small(), run_dir=tmp_path / "run")
    loaded = unrolled.load(tmp_path / "run" / "checkpoint.unrolled")
    assert isinstance(loaded, Classifier)
    assert loaded.predict_proba(TEXTS).shape == (5, 2)
    assert loaded.labels == model.labels


def test_with_warm_start_it_goes_on_from_what_is_there() -> None:
    model = fit(small(warm_start=True), budget=6)
    before = model.model.encoder.embedding.weight.detach().clone()
    names = model.vocabulary
    fit(model, budget=1)
    after = model.model.encoder.embedding.weight
    assert model.vocabulary is names
    assert 0 < (after - before).abs().max() < 0.05


def test_with_warm_start_the_arguments_that_are_given_count() -> None:
    model = fit(small(warm_start=True), budget=6)
    before = model.model.encoder.embedding.weight.detach().clone()
    chunk = model.settings.chunk
    fit(model.set_params(learning_rate=1e-6, chunk=None), budget=2)
    assert (model.settings.learning_rate, model.settings.chunk) == (1e-6, chunk)
    assert (model.model.encoder.embedding.weight - before).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"hidden_size": 16}, "made with other arguments"),
        ({"tokenizer": "characters"}, "tokenizer='characters'.*has 'words'"),
        ({"vocabulary_size": 7}, "vocabulary_size=7"),
    ],
)
def test_a_warm_start_with_another_network_is_told(change: dict[str, Any], named: str) -> None:
    model = fit(small(warm_start=True), budget=2)
    asked = model.predict_proba("we saw it")
    with pytest.raises(ConfigError, match=named):
        fit(model.set_params(**change), budget=2)
    assert np.array_equal(model.predict_proba("we saw it"), asked)


def test_one_label_and_lists_of_one_label_are_the_same_to_a_model_that_is_there() -> None:
    texts, labels = reviews()
    lists = (texts, [(label,) for label in labels])
    model = fit(small(warm_start=True), budget=4)
    expected = model.evaluate((texts, labels))
    assert model.evaluate(read_labelled(lists)).to_dict() == expected.to_dict()
    assert fit(model, read_labelled(lists), budget=1).predict("we saw it") in ("good", "bad")
    with pytest.raises(DataError, match=r"text 0 .* has 2 labels where each text is to have one"):
        model.evaluate(read_labelled((texts, [("good", "bad"), *lists[1][1:]])))
    with pytest.raises(ConfigError, match="warm_start: several=True"):
        fit(model, lists, several=True)
    each = fit(small(warm_start=True), lists, budget=4)
    assert each.labels.several
    assert isinstance(fit(each, (texts, labels), budget=1).predict("we saw it"), tuple)
    assert each.evaluate(read_labelled((texts, labels)))["micro F1"] > 0


def endings(count: int = 120) -> Data:
    """Words of which the last letter tells the label, and no other."""
    random = np.random.default_rng(2)
    texts = ["".join([*random.permutation(list("bdeim")), "ao"[n % 2]]) for n in range(count)]
    return [f"{text[:-1]}{'ao'[1 - n % 2]}{text[-1]}" for n, text in enumerate(texts)], [
        "first" if n % 2 else "second" for n in range(count)
    ]


def test_the_running_answer_knows_how_a_text_ends() -> None:
    model = fit(small(tokenizer="characters", ngrams=2), endings())
    assert model.linear_path is not None
    for text in ("bdeimao", "bdeimoa", "a", "bdo"):
        found, _ = model.step(text)
        assert list(found.values()) == pytest.approx(model.predict_proba(text), abs=1e-6)
    logits = model.linear_path.logits([encoding.document(model.vocabulary, "bdeimao")])
    opened = model.linear_path.step(
        encoding.document(model.vocabulary, "bdeimao"), model.linear_path.start()
    )["linear"]
    assert np.abs(logits[0] - opened).max() > 0.1


def test_texts_that_are_learnt_and_choose_are_told() -> None:
    texts, labels = reviews()
    with pytest.warns(DataWarning, match="of the validation stand in the training too"):
        fit(small(), (texts, labels), validation=(texts[:20], labels[:20]))


def test_how_far_each_part_is_trusted_is_settled_after_the_training() -> None:
    model = fit(small(), budget=40)
    assert model.mix.network != 0.5
    assert model.mix.network_alone != 1.0
    untold = fit(small(), budget=4, validation=0)
    assert (untold.mix.network, untold.mix.linear) == (0.5, 0.5)


def test_the_running_answer_ends_at_that_of_the_text_with_its_last_line_break() -> None:
    model = moved(fit(small()))
    for text in ("the film is fine\n", "\n the film  \n\n", "not .\r\n \n"):
        *_, (_, last) = model.running(text)
        assert list(last.values()) == pytest.approx(model.predict_proba(text), abs=1e-6)


def test_several_labels_a_text_are_answered_each_for_itself() -> None:
    random = np.random.default_rng(0)
    texts, labels = [], []
    for n in range(150):
        held = [name for name in ("red", "green", "blue") if random.integers(2)]
        texts.append(f"{n} " + " ".join([*random.permutation(held), "paper"]))
        labels.append(held)
    model = fit(small(), (texts, labels), budget=60)
    assert model.predict("green and blue paper") == ("blue", "green")
    assert model.predict("paper") == ()
    assert model.evaluation is not None
    assert model.evaluation.comparisons[0].metric == "micro F1"
    assert model.evaluation["micro"] > 0.95
    answer, _ = model.step("red")
    assert list(answer) == ["blue", "green", "red"]
    assert answer["red"] > 0.5 > answer["blue"]


def test_a_rare_label_is_found_more_often_with_balanced_weights() -> None:
    random = np.random.default_rng(1)
    labels = ["rare" if n % 10 == 0 else "common" for n in range(200)]
    texts = [
        f"{n} {'odd' if (label == 'rare') != (random.random() < 0.3) else 'even'}"
        for n, label in enumerate(labels)
    ]
    plain, balanced = (
        fit(small(class_weight=weight), (texts, labels), budget=30).predict_proba(texts)[:, 1]
        for weight in (None, "balanced")
    )
    assert balanced.mean() > plain.mean() + 0.1


def test_a_test_set_of_its_own_is_what_is_measured_on(tmp_path: Path) -> None:
    import csv

    paths = []
    for name, seed in (("train", 0), ("test", 1)):
        paths.append(tmp_path / f"{name}.csv")
        with paths[-1].open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["review", "verdict"])
            rows.writerows(zip(*reviews(60, seed), strict=True))
    model = fit(small(), paths[0], test=paths[1])
    assert model.evaluation is not None
    assert model.evaluation.held_out == "60 texts of test.csv"
    assert model.predict(paths[1])[:3] == model.predict(reviews(60, 1)[0][:3])


def test_both_directions_answer_but_do_not_stream() -> None:
    model = moved(fit(small(directions=2)))
    assert model.predict_proba("the film is not fine").shape == (2,)
    with pytest.raises(ConfigError, match=r"directions: got 2, expected 1"):
        model.step("the")


def test_what_the_doctor_finds_is_told_or_warned_of() -> None:
    texts, labels = reviews(60)
    texts[4] = "it is great"
    told: list[str] = []
    fit(small(), (texts * 2, labels * 2), tell=told.append)
    assert "duplicate" in told[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fit(small(), (texts * 2, labels * 2))
    assert any("duplicate" in str(one.message) for one in caught if one.category is DataWarning)
    assert any(one.kind == "duplicate" for one in model.checkup)


def test_a_loss_against_a_simple_rival_is_warned_of() -> None:
    texts = [f"{n} {'yes' if n % 2 else 'no'}" for n in range(100)]
    labels = ["odd" if n % 2 else "even" for n in range(100)]
    with pytest.warns(NetworkLoses, match="LOSES"):
        fit(small(linear=False, learning_rate=1e-6), (texts, labels), budget=1)


def test_words_begin_with_their_vectors(tmp_path: Path) -> None:
    path = tmp_path / "vectors.txt"
    path.write_text("film 1 0 0\nfine 0 2 0\ndull 0 0 -2\nunheard 1 1 1\n")
    model = fit(small(vectors=path, embedding_size=None, learning_rate=1e-9, average=0.0), budget=1)
    assert model.settings.embedding_size == 3
    rows = {
        word: model.model.encoder.embedding.weight[int(model.vocabulary.encode(word)[0])]
        for word in ("film", "fine", "dull")
    }
    directions = torch.stack([row / row.norm() for row in rows.values()]).detach()
    wanted = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, -1]])
    torch.testing.assert_close(directions, wanted, atol=1e-4, rtol=0)
    assert any("3 of" in one.text and "vectors.txt" in one.text for one in model.checkup)


@pytest.fixture(scope="module")
def writer() -> Generator:
    text = "\n".join(reviews(60)[0])
    return Generator(
        "words", hidden_size=8, layers=2, embedding_size=6, rows=2, steps=8, lower=True,
        device="cpu",
    ).fit(text, budget=3, progress=False)  # fmt: skip


def from_writer(writer: Any, **options: Any) -> Classifier:
    sizes: dict[str, Any] = {"hidden_size": None, "embedding_size": None}
    return small(**{**sizes, "pretrained": writer, **options})


def test_it_begins_with_the_weights_and_the_words_of_a_generator(
    writer: Generator, tmp_path: Path
) -> None:
    path = writer.save(tmp_path / "writer.unrolled")
    for given in (writer, path):
        model = fit(from_writer(given, learning_rate=1e-12, average=0.0), budget=1)
        assert model.vocabulary == writer.vocabulary
        assert (model.settings.layers, model.settings.hidden_size) == (2, 8)
        for name, weight in writer.model.encoder.state_dict().items():
            torch.testing.assert_close(model.model.encoder.state_dict()[name], weight)


def test_lower_layers_learn_later_and_more_slowly(writer: Generator) -> None:
    def changed(**options: Any) -> list[float]:
        model = fit(from_writer(writer, average=0.0, weight_decay=0.0, **options), budget=10)
        its, before = model.model.encoder.state_dict(), writer.model.encoder.state_dict()
        names = ["embedding.weight", "recurrent.weight_hh_l0", "recurrent.weight_hh_l1"]
        return [float((its[name] - before[name]).abs().max()) for name in names]

    embedding, first, second = changed(unfreeze=0.0, rate_decay=2.6)
    assert 0 < embedding < first < second
    embedding, first, second = changed(unfreeze=0.5, rate_decay=1.0)
    assert embedding == first == 0 < second


def test_a_classifier_from_a_generator_needs_no_generator_any_more(
    writer: Generator, tmp_path: Path
) -> None:
    path = writer.save(tmp_path / "writer.unrolled")
    saved = fit(from_writer(path)).save(tmp_path / "judge.unrolled")
    path.unlink()
    again = unrolled.load(saved)
    assert isinstance(again, Classifier)
    assert again.pretrained == "writer.unrolled"
    assert again.predict_proba("fine").shape == (2,)


def test_a_generator_itself_is_not_kept_in_the_file(writer: Generator, tmp_path: Path) -> None:
    judge = fit(from_writer(writer), budget=1)
    again = unrolled.load(judge.save(tmp_path / "judge.unrolled"))
    assert again.get_params()["pretrained"] is None
    assert again.get_params()["cell"] == "lstm"


def test_a_later_table_is_read_as_the_one_of_the_training(tmp_path: Path) -> None:
    rows = [
        ("good one" if n % 2 else "bad one", "yes" if n % 2 else "no", "a note of many words")
        for n in range(60)
    ]
    lines = [
        "said,opinion,remark",
        *(f"{text} {n},{label},{note}" for n, (text, label, note) in enumerate(rows)),
    ]
    table = tmp_path / "train.csv"
    table.write_text("\n".join(lines) + "\n")
    judge = small().fit(table, text_column="said", label_column="opinion", budget=4, progress=False)
    judge = unrolled.load(judge.save(tmp_path / "judge.unrolled"))
    assert judge.columns == {"text_column": "said", "label_column": "opinion"}
    assert judge.texts_of(table)[0] == "bad one 0"
    assert "60 texts of train.csv" in judge.evaluate(table).held_out
    other = tmp_path / "other.csv"
    other.write_text("text,label\ngood one,yes\nbad one,no\n")
    assert "2 texts of other.csv" in judge.evaluate(other).held_out
    assert judge.texts_of(other) == ("good one", "bad one")
