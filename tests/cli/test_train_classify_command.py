"""`unrolled train classify`."""

from __future__ import annotations

import json
import os
import signal

import pytest

import unrolled
from unrolled.training.progress import Progress

SMALL = ("--budget", "4 steps", "--hidden-size", "4", "--embedding-size", "4")


def test_a_table_becomes_a_model_and_the_doctor_and_the_gate_speak(call, reviews, tmp_path):
    out = tmp_path / "m.unrolled"
    told = call("train", "classify", reviews, *SMALL, "--out", out)
    assert (told.code, told.err) == (0, "")
    model = unrolled.load(out)
    assert told.out.startswith("120 texts with 2 labels\n")
    assert "texts: column 'review' (guessed; --text-column names another)" in told.out
    assert "labels: column 'verdict' (guessed; --label-column names another)" in told.out
    assert f"{model.evaluation}\ntrained 4 steps in " in told.out
    for one in ("network alone", "linear path alone", "TF-IDF"):
        assert f"\n{one} " in told.out
    assert told.out.endswith(f"saved to {out}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["m.unrolled"]


def test_each_option_reaches_python_under_its_own_name(call, reviews, tmp_path):
    options = {
        "tokenizer": "characters", "vocabulary_size": 40, "cell": "gru", "hidden_size": 5,
        "layers": 2, "directions": 2, "embedding_size": 6, "head_size": 7, "ngrams": 2,
        "dropout": 0.25, "input_dropout": 0.1, "weight_dropout": 0.2, "embedding_dropout": 0.05,
        "batch_size": 9, "chunk": 20, "learning_rate": 0.01, "weight_decay": 0.02,
        "rate_decay": 1.5, "unfreeze": 0.1, "average": 0.9, "patience": 3, "seed": 11,
        "device": "cpu", "precision": "fp32",
    }  # fmt: skip
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    out = tmp_path / "m.unrolled"
    told = call("train", "classify", reviews, "--budget", "1 steps", *words, "--out", out)
    assert told.code == 0, told.err
    found = unrolled.load(out).get_params()
    assert {name: found[name] for name in options} == options


def test_lines_of_json_and_a_folder_for_each_label_are_read_alike(call, tmp_path):
    texts = [(f"words number {n} {label}ly", label) for n in range(12) for label in ("a", "b")]
    lines = tmp_path / "t.jsonl"
    lines.write_text("".join(json.dumps({"text": x, "label": y}) + "\n" for x, y in texts))
    folder = tmp_path / "folder"
    for number, (text, label) in enumerate(texts):
        (folder / label).mkdir(parents=True, exist_ok=True)
        (folder / label / f"{number}.txt").write_text(text)
    for source in (lines, folder):
        told = call("train", "classify", source, *SMALL, "--out", tmp_path / "m.unrolled")
        assert told.code == 0, told.err
        assert told.out.startswith("24 texts with 2 labels\n")
        assert unrolled.load(tmp_path / "m.unrolled").labels.names == ("a", "b")


def test_columns_are_named_and_a_file_is_measured_on(call, reviews, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(reviews.read_text().replace("id,review,verdict", "text,review,verdict"))
    out = tmp_path / "m.unrolled"
    named = ("--text-column", "review", "--label-column", "verdict", "--test", table)
    told = call("train", "classify", table, *named, *SMALL, "--out", out)
    assert told.code == 0, told.err
    assert "measured on 120 texts of t.csv" in told.out
    assert "warning: across splits: " in told.out
    assert "guessed" not in told.out


def test_rows_without_a_label_are_told_once_and_left_out(call, reviews, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(reviews.read_text() + "x,What is this?,\ny,And that?,\n")
    told = call("train", "classify", table, *SMALL, "--out", tmp_path / "m.unrolled")
    assert told.code == 0, told.err
    assert told.out.startswith("120 texts with 2 labels\n")
    assert told.out.count("no label") == 1
    assert "unlabelled: 2 of 122 (1.6%) rows have a text and no label, such as" in told.out
    assert "(--pretrained)" in told.out


def test_several_labels_a_text_are_learnt_and_answered(call, tmp_path):
    topics = ("red", "red|blue", "blue|green", "green", "red|green")
    rows = [
        f"words {n} of {topics[n % 5].replace('|', ' and ')},{topics[n % 5]}" for n in range(60)
    ]
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["text,topics", *rows, ""]))
    out = tmp_path / "m.unrolled"
    told = call("train", "classify", table, *SMALL, "--out", out)
    assert told.code == 0, told.err
    assert "3 labels" in told.out
    assert "micro F1" in told.out
    answer = call("predict", out, "--text", "red and blue").out.splitlines()
    assert answer[0] == "text,label,p(blue),p(green),p(red)"
    model = unrolled.load(out)
    assert answer[1].split(",")[1] == "|".join(model.predict(["red and blue"])[0])


@pytest.mark.parametrize(
    ("given", "expected"),
    [(["balanced"], "balanced"), (["good=3", "bad=0.5"], {"good": 3.0, "bad": 0.5})],
)
def test_labels_are_weighted_by_name(call, reviews, tmp_path, given, expected):
    weights = [word for one in given for word in ("--class-weight", one)]
    out = tmp_path / "m.unrolled"
    assert call("train", "classify", reviews, *SMALL, *weights, "--out", out).code == 0
    assert unrolled.load(out).get_params()["class_weight"] == expected


@pytest.mark.parametrize("given", ["good", "=", "good=much"])
def test_a_weight_that_is_none_is_named(call, reviews, tmp_path, given):
    words = ("--class-weight", given, "--out", tmp_path / "m.unrolled")
    told = call("train", "classify", reviews, *words)
    assert told.code == 2
    assert f"--class-weight: got {given!r}, expected balanced, or a label and a number" in told.err


def test_what_a_generator_learnt_is_the_beginning(call, reviews, generator, tmp_path):
    out = tmp_path / "m.unrolled"
    words = ("train", "classify", reviews, "--budget", "2 steps", "--pretrained", generator)
    told = call(*words, "--out", out)
    assert told.code == 0, told.err
    assert unrolled.load(out).vocabulary == unrolled.load(generator).vocabulary


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_ctrl_c_ends_the_training_and_saves_what_was_learnt(call, reviews, tmp_path, monkeypatch):
    update = Progress.update

    def update_and_press(self, *, step, **more):
        if step == 3:
            os.kill(os.getpid(), signal.SIGINT)
        update(self, step=step, **more)

    monkeypatch.setattr(Progress, "update", update_and_press)
    out = tmp_path / "m.unrolled"
    words = ("--budget", "5000 steps", "--hidden-size", "4", "--out", out)
    told = call("train", "classify", reviews, *words)
    assert told.code == 0, told.err
    assert "stopped early; saved what was learnt\n" in told.out
    assert told.out.endswith(f"saved to {out}\n")
    assert call("predict", out, "--text", "a great film").code == 0
    assert call("evaluate", out).code == 0
