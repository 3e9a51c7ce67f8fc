"""`unrolled train translate`."""

from __future__ import annotations

import unrolled

SMALL = (
    "--budget", "2 steps", "--hidden-size", "4", "--embedding-size", "4", "--layers", "1",
    "--batch-tokens", "200",
)  # fmt: skip


def test_a_table_becomes_a_model_and_the_doctor_and_the_gate_speak(call, pairs, tmp_path):
    out = tmp_path / "m.unrolled"
    told = call("train", "translate", pairs / "pairs.tsv", *SMALL, "--out", out)
    assert (told.code, told.err) == (0, "")
    model = unrolled.load(out)
    assert told.out.startswith("54 pairs of sentences: nothing to report\n")
    assert f"{model.evaluation}\ntrained 2 steps in " in told.out
    for part in (
        "\nBLEU: network ",
        "\nchrF: network ",
        "copy of the source",
        "tok:13a",
        "version:",
    ):
        assert part in told.out
    assert told.out.endswith(f"saved to {out}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["m.unrolled"]


def test_two_files_and_a_table_of_both_give_the_same_model(call, pairs, tmp_path):
    models = []
    two = (pairs / "train.de", pairs / "train.en")
    for files in ((pairs / "pairs.tsv",), two, (f"{two[0]},{two[1]}",)):
        out = tmp_path / f"{len(models)}.unrolled"
        told = call("train", "translate", *files, *SMALL, "--out", out)
        assert told.code == 0, told.err
        models.append(unrolled.load(out))
    said = [model.predict(["Der Mann sieht das Haus 1."], beam=2) for model in models]
    assert said[0] == said[1] == said[2]
    assert models[0].evaluation.comparisons == models[2].evaluation.comparisons


def test_the_direction_is_turned_by_a_column_or_by_the_order_of_the_files(call, pairs, tmp_path):
    table, two = pairs / "pairs.tsv", (pairs / "train.de", pairs / "train.en")
    out = tmp_path / "m.unrolled"
    for words in (
        (table, "--source", 1),
        (table, "--source", 1, "--target", 0),
        (table, "--target", 0),
        (*reversed(two),),
        (*two, "--source", "en"),
    ):
        told = call("train", "translate", *words, *SMALL, "--out", out)
        assert told.code == 0, told.err
        found = unrolled.load(out).rivals["dictionary"].translate(["The child seeks 1."])
        assert found == ["Das Kind sucht 1."]


def test_each_option_reaches_python_under_its_own_name(call, pairs, tmp_path):
    options = {
        "tokenizer": "words", "vocabulary_size": 50, "cell": "lstm", "hidden_size": 6, "layers": 2,
        "directions": 1, "encoder_layers": 2, "embedding_size": 5, "attention": "additive",
        "members": 2, "dropout": 0.25, "input_dropout": 0.15, "smoothing": 0.05,
        "batch_tokens": 90, "learning_rate": 0.01, "muon_rate": 0.02, "weight_decay": 0.03,
        "average": 0.9, "patience": 3, "seed": 11, "device": "cpu", "precision": "fp32",
    }  # fmt: skip
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    words += ["--input-feeding", "--separate", "--no-tie-weights", "--budget", "2 steps"]
    out = tmp_path / "m.unrolled"
    told = call("train", "translate", pairs / "pairs.tsv", *words, "--out", out)
    assert told.code == 0, told.err
    flags = {"input_feeding": True, "shared": False, "tie_weights": False}
    found = unrolled.load(out).get_params()
    assert {name: found[name] for name in (*options, *flags)} == options | flags


def parts(pairs, folder):
    """The pairs in three parts, each as a table and as two files."""
    rows = (pairs / "pairs.tsv").read_text().splitlines()
    for place, name in enumerate(("train", "val", "test")):
        some = rows[place::3]
        (folder / f"{name}.tsv").write_text("\n".join(some) + "\n")
        for side, language in enumerate(("de", "en")):
            lines = [row.split("\t")[side] for row in some]
            (folder / f"{name}.{language}").write_text("\n".join(lines) + "\n")
    return lambda *names: tuple(str(folder / name) for name in names)


def test_what_is_chosen_by_and_measured_on_is_named_as_what_is_learnt(call, pairs, tmp_path):
    at = parts(pairs, tmp_path)
    out = tmp_path / "m.unrolled"
    ways = [
        (*at("train.tsv"), "--validation", *at("val.tsv"), "--test", *at("test.tsv")),
        (
            *at("train.de", "train.en"),
            *("--validation", ",".join(at("val.de", "val.en"))),
            *("--test", ",".join(at("test.de", "test.en"))),
        ),
        (
            *at("train.de", "train.en"),
            *(f"--validation={one}" for one in at("val.de", "val.en")),
            *(f"--test={one}" for one in at("test.de", "test.en")),
        ),
    ]
    measured = []
    for words in ways:
        told = call("train", "translate", *words, *SMALL, "--out", out)
        assert told.code == 0, told.err
        assert "measured on all of test" in told.out
        assert "18 pairs" in told.out
        measured.append(unrolled.load(out).evaluation.comparisons)
    assert measured[0] == measured[1] == measured[2]
    told = call(*("train", "translate"), *ways[0], *SMALL, "--out", tmp_path / "val.tsv")
    assert told.code == 2
    told = call("train", "translate", *at("train.tsv"), *SMALL, "--validation", "0", "--out", out)
    assert told.code == 0, told.err


def test_a_run_that_was_cut_goes_on(call, pairs, tmp_path):
    words = ("train", "translate", pairs / "pairs.tsv", *SMALL, "--run-dir", tmp_path / "run")
    first = call(*words, "--out", tmp_path / "m.unrolled")
    assert first.code == 0, first.err
    again = call(*words, "--resume", "--out", tmp_path / "m.unrolled")
    assert again.code == 0, again.err
    assert first.out.split("\ntrained")[0] == again.out.split("\ntrained")[0]


def test_a_generator_reads_a_translators_tokens_and_has_a_say(call, pairs, translator, tmp_path):
    text, out = tmp_path / "t.txt", tmp_path / "lm.unrolled"
    text.write_text((pairs / "train.en").read_text() * 3)
    small = ("--budget", "2 steps", "--hidden-size", "4", "--layers", "1")
    words = ("train", "generate", text, *small, "--out", out)
    told = call(*words, "--tokens-of", translator)
    assert told.code == 0, told.err
    for way in ("fuse", "rerank"):
        told = call(
            "predict", translator, "--text", "Anna", f"--{way}", out, f"--{way}-weight", 0.7
        )
        expected = unrolled.load(translator).predict(
            ["Anna"], **{way: str(out), f"{way}_weight": 0.7}
        )
        assert told == (0, f"{expected[0]}\n", "")
    told = call("predict", translator, "--text", "Anna", "--rerank", translator)
    assert told.code == 2
    assert "holds a Translator; rerank takes a Generator or an NGramModel" in told.err
