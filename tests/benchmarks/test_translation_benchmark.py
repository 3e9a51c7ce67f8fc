"""Runs of translation tasks: what is asked, what is kept, and the rival beside the network."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import run_tables
import torch
import translation
from run_folder import TEST, VALIDATION, result_of
from run_parts import Request
from text_tasks.turns import in_turns
from translation_tasks import published, reference
from translation_tasks.parallel import Parallel
from translation_tasks.reference import Reference
from translation_tasks.runs import learn
from translation_tasks.table import tables
from translation_tasks.throughput import batches_of

from unrolled import Translator
from unrolled.data.pairs import SentencePairs
from unrolled.errors import ConfigError

SMALL: dict[str, Any] = {
    "hidden_size": 8,
    "embedding_size": 8,
    "vocabulary_size": 300,
    "batch_tokens": 40,
}
NUMBERS = ("eins", "zwei", "drei", "vier"), ("one", "two", "three", "four")


def pairs(count: int, start: int = 0) -> SentencePairs:
    """Counting in German and in English."""
    places = [((i + start) % 4, (i + start) // 4 % 4, (i + start) // 16) for i in range(count)]
    sides = ([f"{words[a]} {words[b]} {c}." for a, b, c in places] for words in NUMBERS)
    return SentencePairs(*(tuple(side) for side in sides))


def small(request: Request, **options: Any) -> tuple[Translator, dict[str, Any]]:
    translator = Translator(**SMALL)
    return learn("one", translator, pairs(60), pairs(12, 60), request, budget="5 steps", **options)


def asked(folder: Path, **given: Any) -> Request:
    usual = {"task": "attention", "seed": 0, "on": VALIDATION, "budget": "5m", "options": {}}
    usual |= {"run_dir": None, "runs": folder, "rival": False, "model": None}
    return translation.request_of(argparse.Namespace(**{**usual, **given}))


def test_the_parts_that_are_scored_share_what_was_trained(tmp_path: Path) -> None:
    chosen, tested = asked(tmp_path), asked(tmp_path, on=TEST)
    assert chosen.folder != tested.folder
    assert chosen.within("one") == tested.within("one") == tmp_path / "attention-0-5m" / "one"
    assert chosen.within("one") != asked(tmp_path, budget="15m").within("one")
    assert chosen.within("one") != asked(tmp_path, rival=True).within("one")


def test_a_network_is_not_trained_again_for_the_test_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, took = small(asked(tmp_path))
    monkeypatch.setattr(Translator, "fit", None)
    again, same = small(asked(tmp_path, on=TEST))
    assert same == json.loads(json.dumps(took))
    assert again.predict(["eins zwei 3."]) == first.predict(["eins zwei 3."])


def test_only_the_part_may_differ_in_a_folder(tmp_path: Path) -> None:
    def run(request: Request) -> list[dict[str, Any]]:
        return [{"part": request.part}]

    assert result_of(asked(tmp_path), run)["parts"] == [{"part": VALIDATION}]
    assert result_of(asked(tmp_path, on=TEST), run)["parts"] == [{"part": TEST}]
    for other in ({"options": {"layers": 1}}, {"model": "x"}):
        with pytest.raises(ConfigError, match="otherwise"):
            result_of(asked(tmp_path, **other), run)


def test_without_a_word_of_the_test_part_a_run_is_scored_on_validation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for words, part in (([], VALIDATION), (["--test"], TEST), (["--on", "test"], TEST)):
        monkeypatch.setattr("sys.argv", ["translation.py", "dates", *words])
        assert translation.request_of(translation._options()).part == part


def test_what_was_read_is_told_in_passes_and_target_tokens() -> None:
    model, took = small(Request("made"))
    data = Parallel("made", pairs(60), pairs(12, 60), lambda: pairs(3), "test")
    batches = batches_of(model, data)
    tokens = [int((one.targets[1:] >= 0).sum()) for one in batches]
    assert sum(tokens) == sum(len(one) - 1 for one in model.tokens.targets(pairs(60).targets))
    assert len(batches) > 5
    assert took["passes"] == pytest.approx(5 / len(batches), rel=0.1)
    assert took["target tokens"] == pytest.approx(sum(tokens[:5]), rel=0.1)
    assert took["target tokens a second"] > 0


def test_the_rival_learns_and_reads_every_pair_once_a_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "BATCH", 8)
    monkeypatch.setattr(reference, "RATE", 1e-2)
    rival = Reference(pairs(60), embedding=16, hidden=16, vocabulary=300)
    first = rival.update()
    losses = [rival.update() for _ in range(40)]
    assert losses[-1] < 0.8 * first
    assert rival.steps == 41
    assert rival.passes == pytest.approx(41 / 8, rel=0.05)
    whole = sum(len(one) - 1 for one in rival.tokens.targets(pairs(60).targets))
    assert rival.target_tokens == pytest.approx(rival.passes * whole, rel=0.1)


def test_the_rivals_translations_are_its_likeliest_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "RATE", 1e-2)
    rival = Reference(pairs(60), embedding=16, hidden=16, vocabulary=300)
    for _ in range(60):
        rival.update()
    sentences = ["eins zwei 3.", "drei 1.", "vier"]
    found = rival.translate(sentences)
    assert found == [rival.translate([one])[0] for one in sentences]
    for sentence, answer in zip(sentences, found, strict=True):
        source = torch.from_numpy(rival.tokens.sources([sentence])[0])[None]
        read = torch.from_numpy(rival.tokens.targets([answer])[0])[None]
        likeliest = rival(source, torch.tensor([source.shape[1]]), read[:, :-1]).argmax(-1)
        assert likeliest.tolist() == read[:, 1:].tolist()


def test_padding_changes_nothing_of_what_the_rival_scores() -> None:
    rival = Reference(pairs(60), embedding=8, hidden=8, vocabulary=300).eval()
    for parameter in rival.attention.parameters():
        torch.nn.init.normal_(parameter)
    short, long = (torch.from_numpy(one) for one in rival.tokens.sources(["vier", "drei 1 2."]))
    both = torch.zeros(2, len(long), dtype=torch.long)
    both[0, : len(short)], both[1] = short, long
    read = torch.full((2, 3), 5)
    together = rival(both, torch.tensor([len(short), len(long)]), read)
    alone = rival(short[None], torch.tensor([len(short)]), read[:1])
    assert torch.allclose(together[:1], alone, atol=1e-6)


def test_what_the_rival_learns_depends_on_its_seed_alone() -> None:
    learnt = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        rival = Reference(pairs(60), embedding=8, hidden=8, vocabulary=300)
        rival.learn(0.0)
        learnt.append(rival.readout.weight)
    assert torch.equal(*learnt)


def test_the_rival_is_kept_and_restored(tmp_path: Path) -> None:
    def made() -> Reference:
        return Reference(pairs(60), embedding=8, hidden=8, vocabulary=300)

    rival = made()
    for _ in range(3):
        rival.update()
    rival.keep(tmp_path / "rival", {"steps": 3})
    again = made()
    assert again.restore(tmp_path / "rival") == {"steps": 3}
    assert all(
        torch.equal(one, other)
        for one, other in zip(rival.parameters(), again.parameters(), strict=True)
    )


def test_beside_the_rival_a_network_learns_what_it_would_alone() -> None:
    alone, _ = small(Request("made"))
    rival = Reference(pairs(60), embedding=8, hidden=8, vocabulary=300)
    with in_turns(lambda seconds: rival.learn(0.0), seconds=0.0):
        rival.steps = 0
        beside, _ = small(Request("made"))
    assert rival.steps >= 1
    theirs = beside.model.state_dict()
    assert all(torch.equal(one, theirs[name]) for name, one in alone.model.state_dict().items())


def test_what_others_measured_stands_under_its_task() -> None:
    rows = published.shown("multi30k-de-en")["shown"]["rows"]
    assert [row[1] for row in rows] == ["28.3", "33.5", "13.2", "25.4", "30", "30.6"]
    assert published.shown("dates") == {}


def test_the_table_tells_passes_and_tokens(tmp_path: Path) -> None:
    def run(request: Request) -> list[dict[str, Any]]:
        _, took = small(request)
        return [
            {
                "part": "counting",
                "held out": "12 pairs",
                "scores": {"network": {"BLEU": 31.25}},
                "goals": [],
                "took": {"network": took},
            }
        ]

    result_of(asked(tmp_path), run)
    shown = tables(run_tables.results_under(tmp_path))
    assert "attention, counting, validation part, other (12 pairs)" in shown
    assert "| network | 31.25 |" in shown
    assert "| passes | target tokens | a second |" in shown
