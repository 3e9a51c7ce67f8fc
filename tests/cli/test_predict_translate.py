"""`unrolled predict` with a translator: files, lines as they come, and a person who types."""

from __future__ import annotations

import gzip
import os
import sys

import pytest

import unrolled
from unrolled.cli import answers
from unrolled.errors import DataError

LINES = ["Der Mann sieht das Haus 1.", "", "Anna sucht den Ball 2.", "  ", "Das Kind"]


@pytest.fixture
def letter(tmp_path):
    path = tmp_path / "letter.de"
    path.write_text("\n".join(LINES) + "\n")
    return path


def answered(model, **options):
    return "".join(f"{one}\n" for one in unrolled.load(model).predict(LINES, **options))


def test_each_line_has_a_line_and_an_empty_one_stays_empty(call, translator, letter, typed):
    expected = answered(translator)
    assert expected.split("\n")[1] == expected.split("\n")[3] == ""
    assert call("predict", translator, letter) == (0, expected, "")
    typed(letter.read_text())
    assert call("predict", translator, "-") == (0, expected, "")
    typed("\r\n".join(LINES))  # of Windows, and without an end
    assert call("predict", translator) == (0, expected, "")
    assert call("predict", translator, "--text", "\n".join(LINES)) == (0, expected, "")


def test_a_gzipped_text_is_read(call, translator, letter, tmp_path):
    path = tmp_path / "letter.de.gz"
    path.write_bytes(gzip.compress(letter.read_bytes()))
    assert call("predict", translator, path).out == answered(translator)


def test_lines_are_numbered_on_from_part_to_part(call, translator, letter, monkeypatch):
    from unrolled.cli import predict_translate

    whole = call("predict", translator, letter, "--n-best", 2)
    monkeypatch.setattr(predict_translate, "TOGETHER", 2)
    assert call("predict", translator, letter, "--n-best", 2) == whole
    letter.write_text("Anna\n\n\nAnna\n" + "Anna sieht " * 40 + "\n")
    told = call("predict", translator, letter)
    assert told.code == 0
    assert "warning: 1 sentence has more than the " in told.err
    assert "(the first is number 5): translated all the same" in told.err
    assert "truncated" in call("predict", translator, letter, "--too-long", "truncate").err


def test_translations_that_were_cut_are_counted_once_at_the_end(
    call, translator, letter, tmp_path, monkeypatch
):
    from unrolled.cli import predict_translate

    monkeypatch.setattr(predict_translate, "TOGETHER", 1)
    letter.write_text("\nAnna\n\nAnna\n")
    told = call("predict", translator, letter, "--max-length", 1, "--min-length", 1)
    assert (told.code, told.out.count("\n")) == (0, 4)
    assert told.err == (
        "warning: 2 translations were cut at the greatest length, before an end was found (the"
        " first is that of line 2): --max-length says how long one may be\n"
    )
    out = tmp_path / "letter.en"
    letter.write_text("Anna\n")
    words = ("--max-length", 1, "--min-length", 1, "--out", out)
    assert "1 translation was cut" in call("predict", translator, letter, *words).err


def test_the_answer_goes_to_a_file_that_is_complete_or_absent(call, translator, letter, tmp_path):
    for name in ("letter.en", "letter.txt"):
        out = tmp_path / name
        assert call("predict", translator, letter, "--out", out) == (0, "", "")
        assert out.read_text() == answered(translator)
    broken = tmp_path / "broken.de"
    broken.write_bytes(b"Anna\n\xff\xff\n")
    told = call("predict", translator, broken, "--out", out)
    assert told.code == 2
    assert out.read_text() == answered(translator)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "broken.de", "letter.de", "letter.en", "letter.txt",
    ]  # fmt: skip


def test_a_tab_is_told_and_read_as_a_space(call, translator, letter, typed, monkeypatch):
    from unrolled.cli import predict_translate

    expected = answered(translator)
    tabbed = letter.read_text().replace("sucht den", "sucht\tden").replace("Das ", "Das\t")
    assert tabbed.count("\t") == 2
    letter.write_text(tabbed)
    told = call("predict", translator, letter)
    assert told[:2] == (0, expected)
    assert f"{letter}, lines 3, 5: a tab is read as a space; " in told.err
    assert told.err.count("\n") == 1
    monkeypatch.setattr(predict_translate, "TOGETHER", 2)
    typed(tabbed)
    told = call("predict", translator, "-")
    assert told[:2] == (0, expected)
    for line in (3, 5):
        assert f"standard input, line {line}: a tab is read as a space; " in told.err
    assert told.err.count("\n") == 2


def test_the_best_are_a_table(call, translator, letter, tmp_path):
    out = tmp_path / "best.tsv"
    assert call("predict", translator, letter, "--n-best", 3, "--out", out).code == 0
    head, *rows = [line.split("\t") for line in out.read_text().splitlines()]
    assert head == ["line", "rank", "score", "text"]
    expected = [
        [str(number), str(rank), f"{one.score:z.4f}", one.text]
        for number, found in enumerate(unrolled.load(translator).translate(LINES, n_best=3), 1)
        for rank, one in enumerate((found, *found.alternatives), 1)
    ]
    assert rows == expected
    assert [row[:2] for row in rows[:4]] == [["1", "1"], ["1", "2"], ["1", "3"], ["2", "1"]]


def test_options_of_the_search_reach_python(call, translator):
    options = {
        "beam": 3, "length_penalty": "mean", "coverage_penalty": 0.3, "no_repeat": 2,
        "min_length": 4, "prefix": "The", "too_long": "split", "prune": 3.5,
    }  # fmt: skip
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    task = unrolled.load(translator)
    for told, longest in (("6", 6), ("1.5,2", (1.5, 2.0))):
        found = call("predict", translator, "--text", LINES[0], *words, "--max-length", told)
        (expected,) = task.predict(LINES[:1], max_length=longest, **options)
        assert found == (0, f"{expected}\n", "")
        assert expected.startswith("The")
    assert call("predict", translator, "--text", "Anna", "--length-penalty", "0.5").out == (
        "".join(f"{one}\n" for one in task.predict(["Anna"], length_penalty=0.5))
    )


def test_where_each_word_looked_stands_under_the_translation(call, translator):
    told = call("predict", translator, "--text", f"{LINES[0]}\n", "--alignment", "--min-length", 5)
    task = unrolled.load(translator)
    (found,) = task.translate(LINES[:1], min_length=5)
    links = task.word_links(found)
    lines = told.out.splitlines()
    assert lines[0] == found.text
    assert [line.split() for line in lines[1:-1]] == [str(link).split() for link in links]
    assert len({line.index(" <- ") for line in lines[1:-1]}) == 1
    assert lines[-1] == ""  # the second line of the text


@pytest.mark.data
def test_a_set_of_the_catalog_is_translated_from_its_sources(call, translator):
    from unrolled.data import catalog

    some = catalog.load("multi30k-val").sources
    told = call("predict", translator, "data:multi30k-val", "--beam", 1, "--max-length", 2)
    assert told.code == 0
    assert told.out.count("\n") == len(some)


def test_a_line_is_answered_before_the_next_one_comes(live, translator):
    talk = live("predict", translator, "-")
    for _ in range(3):
        talk.say("Anna sucht\n")
        talk.until("\n")
    talk.hang_up()
    assert talk.done() == 0


def test_at_a_terminal_a_person_is_asked_and_answered(live, translator):
    talk = live("predict", translator, terminal=True)
    talk.until("Ctrl-D ends.")
    expected = unrolled.load(translator).predict(["Anna sucht"])[0]
    for _ in range(2):
        talk.until("> ")
        talk.say("Anna sucht\n")
        talk.until(f"\n{expected}\r\n" if expected else "\n\r\n")
    talk.until("> ")
    talk.say("\x04")
    assert talk.done() == 0


@pytest.mark.parametrize("place", ["tasks.loading.load", "cli.predict_translate._asked"])
def test_ctrl_c_ends_a_conversation_also_while_the_model_opens(
    live, translator, monkeypatch, place
):
    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"unrolled.{place}", interrupted)
    talk = live("predict", translator, terminal=True)
    talk.until(f"opening {translator} ...\r\x1b[K")
    assert talk.done() == 0


def test_ctrl_c_is_a_failure_where_nobody_talks(call, translator, letter, monkeypatch):
    def interrupted(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr("unrolled.tasks.loading.load", interrupted)
    assert call("predict", translator, letter) == (1, "", "unrolled: interrupted\n")


def test_many_lines_that_are_there_are_read_at_once(typed, monkeypatch):
    typed("a\nb\nc")
    assert list(answers.arriving_lines()) == [["a", "b"], ["c"]]
    monkeypatch.setattr(answers, "_CHUNK", 3)
    typed("\ufeffab\nc\u00e9\n\nlong line\n")
    assert [line for lines in answers.arriving_lines() for line in lines] == [
        "ab", "c\u00e9", "", "long line",
    ]  # fmt: skip
    monkeypatch.setattr(answers, "_CHUNK", 100)
    typed(b"good\n\xe9\nnever\n")
    found = []
    with pytest.raises(DataError, match="standard input, line 2: byte 0xe9"):
        found.extend(answers.typed_lines())
    assert found == ["good"]


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_real_process_answers_line_by_line_and_ends_when_nobody_reads(translator, read_like_head):
    head, first = read_like_head("predict", translator, "--n-best", "1", given="Anna", lines=2)
    assert head == "line\trank\tscore\ttext\n"
    assert first.startswith("1\t1\t")


def test_a_closed_standard_input_is_told(call, translator, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    told = call("predict", translator)
    expected = "unrolled: standard input is closed: give a file, or pipe lines in\n"
    assert told == (2, "", expected)
