"""Bad texts through the command line: exit 2, one plain line, and nothing is lost."""

from __future__ import annotations

import pytest

LABELLED = "".join(f"word {n} good,a\nword {n} bad,b\n" for n in range(20))
TAGS = "".join(f"Anna{n} B-PER\nran O\n\n" for n in range(12))

# name: ending, content of the file (None: no file, "": a folder), what the line holds
TABLES = {
    "a label column with one value": (
        ".csv", b"text,label\n" + b"some words,a\n" * 9, ["column 'label'", "every text", "'a'"],
    ),
    "no label at all": (".jsonl", b'{"text": "a b"}\n' * 9, ["no text has a label", "--label-col"]),
    "too few texts": (".csv", b"text,label\ngood,a\nbad,b\n", ["at least two texts a label"]),
    "a row with a cell too many": (".csv", b"text,label\na,b\nc,d,e\n", ["line 3", "3 cells"]),
    "a line that is no JSON": (".jsonl", b'{"text": "a", "label": "x"}\n{"text":\n', ["line 2"]),
    "bytes that are not UTF-8": (
        ".csv", b"text,label\ncaf\xe9,a\n", ["line 2", "byte 0xe9", "iconv -f cp1252 -t UTF-8"],
    ),
    "an empty file": (".csv", b"", ["is empty"]),
    "no such file": (".csv", None, ["there is no such file"]),
    "a folder without texts": ("", "", ["no .txt file"]),
    "a file of another kind": (".docx", b"PK", ["labelled texts are"]),
}  # fmt: skip
SENTENCES = {
    "a line with too few columns": (
        ".conll", b"Anna B-PER\nran O\nUlm\n", ["line 3", "1 column where line 1 has 2"],
    ),
    "bytes that are not UTF-8": (".conll", b"Anna O\ncaf\xe9 O\n", ["line 2", "byte 0xe9"]),
    "too few sentences": (".conll", b"Anna O\nran O\n\n", ["got 1 different sentence,", "5"]),
    "an empty file": (".conll", b"", ["is empty"]),
    "no such file": (".conll", None, ["there is no such file"]),
    "a folder": ("", "", ["is a folder"]),
}  # fmt: skip


def made(folder, ending, content):
    file = folder / f"t{ending}"
    if content == "":
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    return file


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "model.unrolled"
    path.write_bytes(b"a model that took a night")
    return path


@pytest.mark.parametrize("case", TABLES)
def test_bad_labelled_texts_cost_nothing(check, case, tmp_path, out):
    ending, content, parts = TABLES[case]
    file = made(tmp_path, ending, content)
    check(tmp_path, ["train", "classify", file, "--out", out], [file.name, *parts])


@pytest.mark.parametrize("case", SENTENCES)
def test_bad_tagged_words_cost_nothing(check, case, tmp_path, out):
    ending, content, parts = SENTENCES[case]
    file = made(tmp_path, ending, content)
    check(tmp_path, ["train", "tag", file, "--out", out], [file.name, *parts])


@pytest.mark.parametrize(
    "case",
    [
        "a row with a cell too many",
        "a line that is no JSON",
        "bytes that are not UTF-8",
        "an empty file",
        "no such file",
        "a folder without texts",
        "a file of another kind",
    ],
)
def test_bad_texts_are_neither_answered_nor_measured(check, case, tmp_path, classifier):
    ending, content, parts = TABLES[case]
    file = made(tmp_path, ending, content)
    for verb in ("predict", "evaluate"):
        check(tmp_path, [verb, classifier, file], [file.name, *parts])


@pytest.mark.parametrize(
    "case", ["bytes that are not UTF-8", "an empty file", "no such file", "a folder"]
)
def test_bad_sentences_are_neither_tagged_nor_measured(check, case, tmp_path, tagger):
    ending, content, parts = SENTENCES[case]
    file = made(tmp_path, ending, content)
    for verb in ("predict", "evaluate"):
        check(tmp_path, [verb, tagger, file], [file.name, *parts])


def test_a_line_with_too_few_columns_is_not_tagged(check, tmp_path, tagger):
    file = made(tmp_path, ".conll", b"Anna B-PER\nran O\nUlm\n")
    check(tmp_path, ["predict", tagger, file], [file.name, "line 3", "1 column"])


def test_a_corpus_shorter_than_a_batch_costs_nothing(check, tmp_path, out):
    file = made(tmp_path, ".txt", b"too short to learn from")
    check(tmp_path, ["train", "generate", file, "--out", out], [str(file), "23 char", "least 500"])
    check(tmp_path, ["train", "generate", tmp_path, "--out", out], [str(tmp_path), "23 char"])


def test_a_label_that_was_not_learnt_is_named_with_its_file(check, tmp_path, classifier):
    file = made(tmp_path, ".csv", b"review,verdict\nwhat a film,middling\n")
    words = ["evaluate", classifier, file, "--label-column", "verdict"]
    check(tmp_path, words, ["t.csv: got the label 'middling'", "it knows 'bad', 'good'"])


def test_a_model_that_is_no_beginning_costs_nothing(
    check, tmp_path, out, reviews, classifier, generator
):
    words = ["train", "classify", reviews, "--out", out, "--pretrained"]
    check(tmp_path, [*words, classifier], [str(classifier), "holds a Classifier", "a Generator"])
    other = [*words, generator, "--tokenizer", "words"]
    check(tmp_path, other, ["--tokenizer characters", "leave tokenizer out", "--tokenizer words"])
    check(tmp_path, [*words, reviews], [str(reviews), "not a complete .unrolled file"])
    check(tmp_path, [*words, tmp_path / "no.unrolled"], ["found nothing"])
    check(tmp_path, [*words, tmp_path], ["found a folder"])


def test_a_model_that_lends_no_words_costs_nothing(
    check, tmp_path, out, tagged, tagger, writer, generator
):
    words = ["train", "tag", tagged, "--out", out, "--pretrained"]
    check(tmp_path, [*words, tagger], [str(tagger), "holds a Tagger", "expected a Generator"])
    check(tmp_path, [*words, generator], ["has --tokenizer characters", "--tokenizer words"])
    size = [*words, writer, "--embedding-size", "3"]
    check(tmp_path, size, ["writer.unrolled has embedding_size=", "given 3", "leave embedding_"])
    check(tmp_path, [*words, tmp_path / "no.unrolled"], ["found nothing"])


def test_vectors_that_are_none_cost_nothing(check, tmp_path, out, reviews):
    words = ["train", "classify", reviews, "--out", out, "--vectors"]
    check(tmp_path, [*words, reviews], ["reviews.csv, line 1"])
    check(tmp_path, [*words, tmp_path / "no.txt"], ["no.txt: there is no such file"])


def test_no_result_replaces_its_input(
    check, tmp_path, reviews, tagged, text, classifier, tagger, generator
):
    for words, out in (
        (["predict", classifier, reviews], reviews),
        (["predict", tagger, tagged], tagged),
        (["check", reviews, "--text-column", "review"], reviews),
        (["train", "classify", reviews, "--pretrained", generator], generator),
        (["train", "tag", tagged, "--pretrained", generator], generator),
    ):
        check(out.parent, [*words, "--out", out], [f"--out {out} is an input itself"])
    for words, out in (
        (["train", "classify", reviews], reviews),
        (["train", "tag", tagged], tagged),
        (["train", "generate", text], text),
    ):
        check(out.parent, [*words, "--out", out], [f"{out}: expected a name that ends in .unrol"])


WRONG = {
    "classifier": [
        ("predict", "--prompt", "x"), ("predict", "--quantile", "0.5"), ("predict", "--time", "x"),
        ("predict", "--suggest", "3"), ("evaluate", "--column", "1"), ("evaluate", "--time", "x"),
    ],
    "tagger": [
        ("predict", "--running"), ("predict", "--explain"), ("predict", "--text-column", "x"),
        ("predict", "--length", "3"), ("evaluate", "--text-column", "x"),
    ],
    "generator": [
        ("predict", "--text", "x"), ("predict", "--out", "x.txt"), ("predict", "--running"),
        ("evaluate", "--label-column", "x"), ("evaluate", "--report", "x.html"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("model", WRONG)
def test_an_option_of_another_task_is_refused_by_name(check, request, model, tmp_path):
    path = request.getfixturevalue(model)
    for verb, *options in WRONG[model]:
        words = [verb, path, tmp_path / "t.txt", *options]
        check(tmp_path, words, [options[0], f"{path}", f"holds a {model.capitalize()}"])


def test_options_that_cannot_go_together_are_named(check, tmp_path, classifier, generator):
    words = ["predict", classifier, "--text", "a", "--running", "--explain"]
    check(tmp_path, words, ["--explain: can't go together with --running"])
    for words in (["predict", classifier], ["score", generator]):
        check(tmp_path, words, ["give INPUT (a file, or - for standard input) or --text"])
        check(tmp_path, [*words, "x.txt", "--text", "x"], ["give INPUT", "or --text"])
    words = ["predict", generator, "x.txt", "--prompt", "x"]
    check(tmp_path, words, ["INPUT or --prompt, not both"])
    check(tmp_path, ["suggest", generator, "--n", "0"], ["--n", "see unrolled suggest --help"])


@pytest.mark.parametrize("verb", ["predict", "score", "suggest"])
def test_bytes_on_standard_input_that_are_not_utf8_are_told(call, typed, verb, generator):
    typed(b"The fox\ncaf\xe9\n")
    words = (verb, generator) if verb == "suggest" else (verb, generator, "-")
    told = call(*words)
    assert told.code == 2
    assert told.err.startswith("unrolled: standard input, line 2: byte 0xe9 is not UTF-8")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("verb", ["predict", "evaluate", "suggest", "score"])
def test_a_model_that_is_none_is_named(check, verb, tmp_path, text):
    more = {"score": ["--text", "x"]}.get(verb, [])
    check(tmp_path, [verb, text, *more], [f"{text}: ", "not a complete .unrolled file"])
    check(tmp_path, [verb, tmp_path, *more], ["found a folder"])
    check(tmp_path, [verb, tmp_path / "no.unrolled", *more], ["found nothing"])


def test_a_report_that_cannot_be_written_costs_nothing(check, tmp_path, classifier):
    words = ["evaluate", classifier, "--report"]
    check(tmp_path, [*words, tmp_path / "r.pdf"], ["--report", "ends in .html"])
    check(tmp_path, [*words, tmp_path / "no" / "r.html"], [str(tmp_path / "no")])
