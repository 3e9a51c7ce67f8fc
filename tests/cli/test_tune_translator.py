"""`unrolled tune` of a translator: the weight of --rerank, chosen and kept in the model's file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import unrolled
from unrolled import NGramModel
from unrolled.data.pairs import read_pairs


@pytest.fixture
def model(translator, tmp_path):
    return Path(shutil.copy(translator, tmp_path / "model.unrolled"))


@pytest.fixture
def lm(pairs, tmp_path):
    """The file of an n-gram model of the right translations."""
    right = read_pairs(pairs / "pairs.tsv").targets
    return NGramModel(3).fit(right, holdout=0).save(tmp_path / "lm.unrolled")


def test_the_weight_is_kept_in_the_file_and_used_from_then_on(call, model, pairs, lm):
    told = call("tune", model, pairs / "pairs.tsv", "--rerank", lm, "--beam", 4)
    assert told.code == 0, told.err
    tuned = unrolled.load(model)
    weight = tuned.language_weights.rerank_weight
    steps = told.err.splitlines()
    assert [one.split(": BLEU ")[0] for one in steps] == [
        "without a language model",
        f"rerank_weight {weight:g}",
    ]
    lines = told.out.splitlines()
    assert lines[0].split() == ["BLEU", "chrF"]
    assert lines[1].startswith("without a language model ")
    assert lines[2].startswith("with the weights chosen ")
    assert lines[3].endswith(" pairs, 10 tries")
    assert lines[-1] == f"saved to {model} (replaced the file that was there)"
    assert str(tuned.language_weights) in call("info", model).out
    asked = ("predict", model, "--text", "Anna sucht den Ball 2.", "--rerank", lm)
    said = call(*asked, "--n-best", 3)
    assert said.code == 0, said.err
    assert said == call(*asked, "--n-best", 3, "--rerank-weight", weight)
    assert said != call(*asked, "--n-best", 3, "--rerank-weight", weight + 1)


def test_json_holds_every_try_and_out_leaves_the_model(call, model, pairs, lm, tmp_path):
    out, before = tmp_path / "tuned.unrolled", model.read_bytes()
    files = (pairs / "train.de", pairs / "train.en")
    told = call(
        *("tune", model, *files, "--source", "de", "--rerank", lm, "--out", out, "--json"),
        *("--length-penalty", 1),
    )
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert model.read_bytes() == before
    assert found["saved"] == str(out)
    assert found["pairs"] == len((pairs / "train.de").read_text().splitlines())
    assert found["without"] == {name: found["trials"][0][name] for name in ("bleu", "chrf")}
    assert [one["weights"] for one in found["trials"][:2]] == [None, {"rerank_weight": 0.0}]
    assert found["with"] in found["trials"]
    assert found["with"]["bleu"] == max(one["bleu"] for one in found["trials"])
    weight = unrolled.load(out).language_weights.rerank_weight
    assert found["with"]["weights"] == {"rerank_weight": weight}
    measured = unrolled.load(out).evaluate(files, rerank=lm, length_penalty=1.0)
    assert found["with"]["bleu"] == measured.comparisons[0].network


def test_a_model_that_does_not_help_is_told(call, model, pairs, tmp_path):
    wrong = NGramModel(2).fit(["qqq"] * 20, holdout=0).save(tmp_path / "wrong.unrolled")
    rows = [line.split("\t")[0] for line in (pairs / "pairs.tsv").read_text().splitlines()]
    said = unrolled.load(model).predict(rows)
    table = [f"{one}\t{answer or 'nothing'}" for one, answer in zip(rows, said, strict=True)]
    (tmp_path / "own.tsv").write_text("\n".join([*table, ""]))
    told = call("tune", model, tmp_path / "own.tsv", "--rerank", wrong)
    assert told.code == 0, told.err
    assert "\nthe language model does not help: no weight makes a higher BLEU; leave" in told.out
    assert unrolled.load(model).language_weights.rerank_weight == 0.0


def test_what_can_not_be_tuned_is_one_line_and_costs_nothing(
    check, model, pairs, lm, forecaster, tmp_path
):
    table = pairs / "pairs.tsv"
    for words, parts in (
        ([model, table], ["give --rerank, a generator or n-gram model"]),
        ([model, table, "--lm", lm], ["--lm: only a transcriber", "takes it as --rerank"]),
        ([forecaster, table, "--rerank", lm], ["holds a Forecaster; tune takes", "translator"]),
        ([model, table, "--rerank", model], ["holds a Translator; rerank takes a Generator"]),
        ([model, table, "--rerank", "none.unrolled"], ["none.unrolled"]),
        ([model, tmp_path / "no.tsv", "--rerank", lm], ["no.tsv"]),
        ([model, table, "--rerank", lm, "--beam", 1], ["beam: a beam of 1 has one answer"]),
        ([model, table, "--rerank", lm, "--length-penalty", "x"], ["--length-penalty: got 'x'"]),
        ([model, table, "--rerank", lm, "--audio", "a"], ["--audio: not", "unrolled tune --help"]),
        ([model, table, "--rerank", lm, "--out", table], ["--out"]),
        ([model, table, "--rerank", lm, "--out", lm], [f"--out {lm} is an input itself"]),
    ):
        check(tmp_path, ["tune", *words], parts)
