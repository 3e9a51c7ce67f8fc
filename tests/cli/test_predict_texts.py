"""`unrolled predict` with the models of texts: files, lines as they come, and single texts."""

from __future__ import annotations

import csv
import io
import os

import pytest

import unrolled


def rows(text):
    return list(csv.reader(io.StringIO(text)))


def test_a_table_of_texts_is_answered_in_order(call, classifier, reviews):
    told = call("predict", classifier, reviews)
    assert (told.code, told.err) == (0, "")
    model = unrolled.load(classifier)
    texts = [row[1] for row in rows(reviews.read_text())[1:]]
    found = rows(told.out)
    assert found[0] == ["text", "label", "p(bad)", "p(good)"]
    assert [row[0] for row in found[1:]] == texts
    assert [row[1] for row in found[1:]] == model.predict(texts)
    assert [row[2:] for row in found[1:]] == [
        [f"{one:.4f}" for one in its] for its in model.predict_proba(texts)
    ]


def test_the_column_of_the_texts_can_be_named(call, classifier, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("text,other\nit was dull,it was great\n")
    told = call("predict", classifier, table, "--text-column", "other")
    assert rows(told.out)[1][0] == "it was great"


def test_answers_go_to_a_file_that_is_complete_or_absent(call, classifier, reviews, tmp_path):
    out = tmp_path / "answers.csv"
    out.write_text("what was there")
    assert call("predict", classifier, tmp_path / "no.csv", "--out", out).code == 2
    assert out.read_text() == "what was there"
    told = call("predict", classifier, reviews, "--out", out)
    assert (told.code, told.out) == (0, "")
    assert out.read_text() == call("predict", classifier, reviews).out
    assert [path.name for path in tmp_path.iterdir()] == ["answers.csv"]


def test_a_text_file_holds_a_text_a_line(call, classifier, tmp_path):
    file = tmp_path / "t.txt"
    file.write_text('It was great.\n\nIt was dull, "truly".\n')
    told = call("predict", classifier, file)
    assert [row[0] for row in rows(told.out)[1:]] == ["It was great.", 'It was dull, "truly".']


def test_the_running_answer_has_a_row_for_each_word_and_ends_as_the_answer(call, classifier):
    text = "It was a great film"
    told = rows(call("predict", classifier, "--text", text, "--running").out)
    assert told[0] == ["text", "word", "p(bad)", "p(good)"]
    assert [row[1] for row in told[1:]] == text.split()
    assert {row[0] for row in told[1:]} == {"1"}
    assert told[-1][2:] == rows(call("predict", classifier, "--text", text).out)[1][2:]


def test_an_explanation_has_a_row_for_each_word(call, classifier):
    told = rows(call("predict", classifier, "--text", "It was great", "--explain").out)
    found = unrolled.load(classifier).explain("It was great")
    assert told[0] == ["text", "label", "word", "attribution"]
    assert [(row[1], row[2], row[3]) for row in told[1:]] == [
        (found.label, word, f"{share:z.4f}") for word, share in found
    ]


def test_no_word_at_all_is_answered_too(call, classifier, tagger, generator):
    assert len(rows(call("predict", classifier, "--text", "").out)) == 2
    assert call("predict", tagger, "--text", "") == (0, "", "")
    told = call("predict", generator, "--prompt", "", "--length", 5, "--seed", 1)
    assert told.out == unrolled.load(generator).generate("", length=5, seed=1) + "\n"


def test_words_are_tagged_a_line_each_with_a_blank_line_after_a_sentence(call, tagger, tagged):
    told = call("predict", tagger, tagged)
    assert (told.code, told.err) == (0, "")
    sentences = [one.split("\n") for one in told.out.strip().split("\n\n")]
    given = [one.split("\n") for one in tagged.read_text().strip().split("\n\n")]
    words = [[line.split()[0] for line in one] for one in given]
    assert [[line.split("\t")[0] for line in one] for one in sentences] == words
    model = unrolled.load(tagger)
    assert [[line.split("\t")[1] for line in one] for one in sentences] == model.predict(words)


def test_tags_go_to_a_file_and_a_text_is_cut_into_words(call, tagger, tmp_path):
    file, out = tmp_path / "letter.txt", tmp_path / "letter.conll"
    file.write_text("Anna visits\nNew Rome.\n\nBert leaves.\n")
    told = call("predict", tagger, file, "--out", out)
    assert (told.code, told.out) == (0, "")
    found = [line.split("\t")[0] for line in out.read_text().splitlines()]
    assert found == ["Anna", "visits", "New", "Rome", ".", "", "Bert", "leaves", ".", ""]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["letter.conll", "letter.txt"]


def test_a_prompt_with_characters_never_seen_is_told_and_goes_on(call, generator):
    told = call("predict", generator, "--prompt", "The \u00e9\u20ac", "--length", 5, "--seed", 1)
    assert told.code == 0
    assert len(told.out) >= 5
    assert told.err == (
        "warning: the text has 2 characters that the model does not know ('\\xe9', '\\u20ac'):"
        " read as unknown\n"
    )


def test_each_line_of_a_file_is_a_prompt(call, generator, tmp_path):
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("The \nlazy\n")
    told = call("predict", generator, prompts, "--length", 9, "--temperature", 0)
    model = unrolled.load(generator)
    written = [model.generate(one, length=9, temperature=0) for one in ("The ", "lazy")]
    assert told.out == "".join(f"{one}\n" for one in written)


def test_options_of_writing_reach_python(call, writer):
    words = ("--repetition-penalty", 1.5, "--repetition-window", 9, "--stop", "dog", "--cache")
    told = call("predict", writer, "--prompt", "The", "--length", 12, "--seed", 3, *words)
    expected = unrolled.load(writer).generate(
        "The", length=12, seed=3, repetition_penalty=1.5, repetition_window=9, stop=["dog"],
        cache=True,
    )  # fmt: skip
    assert told.out == expected + "\n"


@pytest.mark.parametrize(
    ("model", "options", "said", "answer"),
    [
        ("classifier", (), "it was great", "it was great,"),
        ("classifier", ("--running",), "it was great", ",great,"),
        ("tagger", (), "Anna likes Rome", "Rome\t"),
        ("generator", ("--length", 3), "The", "\n"),
        ("generator", ("--suggest", 1), "The qu", "\n"),
    ],
)
def test_a_line_is_answered_before_the_next_one_is_typed(
    live, request, model, options, said, answer
):
    talk = live("predict", request.getfixturevalue(model), "-", *options)
    for _ in range(3):
        talk.say(f"{said}\n")
        talk.until(answer)
    talk.hang_up()
    assert talk.done() == 0


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_real_process_answers_line_by_line_and_ends_when_nobody_reads(classifier, read_like_head):
    head, first = read_like_head("predict", classifier, "-", given="it was great", lines=2)
    assert head == "text,label,p(bad),p(good)\n"
    assert first.startswith("it was great,")
