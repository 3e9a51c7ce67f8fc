"""`unrolled train generate`."""

from __future__ import annotations

import warnings

import pytest

import unrolled
from unrolled.errors import VanishingGradient

SMALL = ("--budget", "4 steps", "--hidden-size", "4", "--layers", "1")


def test_a_text_becomes_a_model_and_the_gate_speaks(call, text, tmp_path):
    out = tmp_path / "m.unrolled"
    told = call("train", "generate", text, *SMALL, "--out", out)
    assert told.code == 0
    assert told.err == ""
    model = unrolled.load(out)
    assert told.out.startswith(f"{model.evaluation}\ntrained 4 steps in ")
    assert "the network LOSES" in told.out
    assert f"\nsaved to {out}\n" in told.out
    sample = model.generate(length=240, seed=0).rstrip()
    words = f"unrolled predict {out} --length 240 --seed 0"
    assert told.out.endswith(f"\na sample, written by `{words}`:\n{sample}\n")
    assert call(*words.split()[1:]).out.rstrip() == sample
    assert [path.name for path in tmp_path.iterdir()] == ["m.unrolled"]


def test_each_option_reaches_python_under_its_own_name(call, text, tmp_path):
    options = {
        "cell": "gru",
        "hidden_size": 5,
        "layers": 2,
        "members": 2,
        "ngram_weight": 0.25,
        "embedding_size": 6,
        "dropout": 0.25,
        "learning_rate": 0.5,
        "rows": 3,
        "steps": 9,
        "seed": 11,
        "device": "cpu",
        "precision": "fp32",
    }
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    out = tmp_path / "m.unrolled"
    told = call("train", "generate", text, "--budget", "1 steps", *words, "--out", out)
    assert told.code == 0, told.err
    found = unrolled.load(out).get_params()
    assert {name: found[name] for name in options} == options


@pytest.mark.filterwarnings("always")
def test_a_finding_is_told_as_one_line_and_can_be_switched_off(call, text, tmp_path, monkeypatch):
    fit, asked = unrolled.Generator.fit, []

    def fit_and_find(self, *data, diagnose=True, **more):
        asked.append(diagnose)
        if diagnose:
            warnings.warn(VanishingGradient("lstm, layer 0", "it fades", "use this"), stacklevel=1)
        return fit(self, *data, diagnose=diagnose, **more)

    monkeypatch.setattr(unrolled.Generator, "fit", fit_and_find)
    words = ("train", "generate", text, *SMALL, "--out", tmp_path / "m.unrolled")
    told = call(*words)
    finding = VanishingGradient("lstm, layer 0", "it fades", "use this")
    assert told.err == f"warning: {finding}\n"
    assert told.code == 0
    assert call(*words, "--no-diagnose").err == ""
    assert asked == [True, False]


def test_several_files_and_folders_are_read_in_order(call, text, tmp_path):
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "one.txt").write_text("zebra " * 200)
    out = tmp_path / "m.unrolled"
    assert call("train", "generate", text, folder, *SMALL, "--out", out).code == 0
    vocabulary = unrolled.load(out).vocabulary
    assert "q" in vocabulary  # stands in the file only; the folder is the part that is held out
    words = ("train", "generate", folder, text, "--holdout", "0.5", *SMALL, "--out", out)
    assert call(*words).code == 0
    assert set(unrolled.load(out).vocabulary.pieces[1:]) <= set("zebra Thquickrownfxjmpsvlydg.\n")


def test_a_set_of_the_catalog_is_named_with_data(call, text, tmp_path):
    told = call("train", "generate", text, "data:stocks", *SMALL, "--out", tmp_path / "m.unrolled")
    assert told.code == 2
    assert "data:stocks holds series, and text is needed here" in told.err


@pytest.mark.parametrize("words", [(), ("--steps", "many", "x.txt"), ("x.txt", "--horizon", "3")])
def test_wrong_usage_is_one_line_that_names_the_help(call, words):
    told = call("train", "generate", *words)
    assert told.code == 2
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert told.err.endswith("see unrolled train generate --help\n")


def test_a_missing_file_is_not_taken_for_a_text(call, tmp_path):
    told = call("train", "generate", tmp_path / "no.txt", "--out", tmp_path / "m.unrolled")
    assert told.code == 2
    assert told.err.startswith(f"unrolled: {tmp_path / 'no.txt'}: there is no such file")
    assert list(tmp_path.iterdir()) == []


def test_the_column_of_a_table_that_was_guessed_is_told(call, reviews, text, tmp_path):
    out = tmp_path / "m.unrolled"
    told = call("train", "generate", reviews, *SMALL, "--out", out)
    assert told.code == 0, told.err
    assert "the texts are column 'review': --text-column names another\n" in told.out
    told = call("train", "generate", reviews, "--text-column", "verdict", *SMALL, "--out", out)
    assert (told.code, "names another" in told.out) == (0, False), told.err
    told = call("train", "generate", text, "--text-column", "verdict", *SMALL, "--out", out)
    assert told.code == 2
    assert told.err == f"unrolled: --text-column: of tables only, and {text} is none\n"
