"""`unrolled train tag`."""

from __future__ import annotations

import unrolled

SMALL = (
    "--budget", "4 steps", "--hidden-size", "4", "--layers", "1", "--embedding-size", "4",
    "--character-size", "3",
)  # fmt: skip


def test_a_file_becomes_a_model_and_the_doctor_and_the_gate_speak(call, tagged, tmp_path):
    out = tmp_path / "m.unrolled"
    told = call("train", "tag", tagged, *SMALL, "--out", out)
    assert (told.code, told.err) == (0, "")
    model = unrolled.load(out)
    assert told.out.startswith("90 sentences of 450 words with 4 tags\n")
    assert f"{model.evaluation}\ntrained 4 steps in " in told.out
    assert "tags: the last of 3 columns (--column names another, counted from 0)" in told.out
    assert "span F1: network " in told.out
    for one in ("network", "most frequent tag", "window of 5 words"):
        assert f"\n{one} " in told.out
    assert told.out.endswith(f"saved to {out}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["m.unrolled"]


def test_each_option_reaches_python_under_its_own_name(call, tagged, tmp_path):
    options = {
        "cell": "gru", "hidden_size": 5, "layers": 1, "directions": 1, "embedding_size": 6,
        "character_size": 3, "members": 2, "dropout": 0.25, "word_dropout": 0.1, "batch_size": 9,
        "learning_rate": 0.01, "average": 0.9, "seed": 11, "device": "cpu", "precision": "fp32",
    }  # fmt: skip
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    out = tmp_path / "m.unrolled"
    told = call("train", "tag", tagged, "--budget", "2 steps", *words, "--no-crf", "--out", out)
    assert told.code == 0, told.err
    found = unrolled.load(out).get_params()
    assert {name: found[name] for name in (*options, "crf")} == {**options, "crf": False}


def test_the_words_that_a_generator_knows_are_known(call, tagged, writer, tmp_path):
    out = tmp_path / "m.unrolled"
    words = ("--hidden-size", "4", "--layers", "1", "--pretrained", writer, "--out", out)
    told = call("train", "tag", tagged, "--budget", "2 steps", *words)
    assert told.code == 0, told.err
    assert "1 of 11 words begin with a vector from writer.unrolled" in told.out
    model = unrolled.load(out)
    assert model.get_params()["pretrained"] == "writer.unrolled"
    assert model.forms.knows("fox")


def test_a_column_is_named_or_numbered(call, tagged, tmp_path):
    out = tmp_path / "m.unrolled"
    for column in ("pos", "1"):
        told = call("train", "tag", tagged, "--column", column, *SMALL, "--out", out)
        assert told.code == 0, told.err
        assert set(unrolled.load(out).classes) == {"NNP", "VBZ", "."}
        assert "accuracy of words: network " in told.out


def test_files_to_choose_by_and_to_measure_on_are_named(call, tagged, tmp_path):
    sentences = tagged.read_text().split("\n\n")
    paths = {name: tmp_path / f"{name}.conll" for name in ("train", "dev", "test")}
    for place, path in enumerate(paths.values()):
        path.write_text("\n\n".join(sentences[place::3]) + "\n")
    words = ("--validation", paths["dev"], "--test", paths["test"])
    out = tmp_path / "m.unrolled"
    told = call("train", "tag", paths["train"], *words, *SMALL, "--out", out)
    assert told.code == 0, told.err
    assert "measured on " in told.out
    assert "of test.conll" in told.out
    refused = call("train", "tag", paths["train"], *words, "--out", paths["dev"])
    assert refused.code == 2


def test_the_languages_of_conllu_are_read_by_their_column(call, tmp_path):
    lines = ("# text = Anna ran", "1 Anna _ PROPN NNP _ 2 _ _ _", "2 ran _ VERB VBD _ 0 _ _ _")
    sentence = "\n".join([lines[0], *(line.replace(" ", "\t") for line in lines[1:]), "", ""])
    other = sentence.replace("Anna", "Bert").replace("ran", "sat")
    file = tmp_path / "t.conllu"
    file.write_text(
        "".join(
            one.replace("2\tran", f"2\tran{n}").replace("2\tsat", f"2\tsat{n}")
            for n in range(12)
            for one in (sentence, other)
        )
    )
    out = tmp_path / "m.unrolled"
    told = call("train", "tag", file, *SMALL, "--out", out)
    assert told.code == 0, told.err
    assert set(unrolled.load(out).classes) == {"PROPN", "VERB"}
    assert call("train", "tag", file, "--column", "xpos", *SMALL, "--out", out).code == 0
    assert set(unrolled.load(out).classes) == {"NNP", "VBD"}
