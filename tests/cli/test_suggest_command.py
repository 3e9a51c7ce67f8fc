"""`unrolled suggest`, and keys as a terminal sends them."""

from __future__ import annotations

import json
import sys

import pytest

import unrolled
from unrolled.cli.keys import BACK, END, ENTER, NEXT, PREVIOUS, TAB, WORD_BACK, decoded


def keys(sent):
    characters = iter(sent)
    return list(decoded(lambda: next(characters, "")))


@pytest.mark.parametrize(
    ("sent", "key"),
    [
        ("\t", TAB), ("\r", ENTER), ("\n", ENTER), ("\x7f", BACK), ("\x08", BACK),
        ("\x17", WORD_BACK), ("\x03", END), ("\x04", END), ("\x1b[C", NEXT), ("\x1bOB", NEXT),
        ("\x1b[D", PREVIOUS), ("\x1b[A", PREVIOUS),
    ],
)  # fmt: skip
def test_a_key_is_known_by_what_the_terminal_sends(sent, key):
    assert keys(sent) == [(key, False)]
    assert keys(f"a{sent}b") == [("a", True), (key, False), ("b", True)]


def test_characters_of_any_script_are_typed_and_unknown_keys_passed_over():
    assert keys("\u00e9\u6f22 ") == [("\u00e9", True), ("\u6f22", True), (" ", True)]
    # F5, delete, shift with an arrow, a bell, a lone ESC and what follows it.
    assert keys("\x1b[15~a\x1b[3~b\x07c\x1bxd") == [(one, True) for one in "abcd"]
    assert keys("\x1b") == []


def test_a_word_that_is_a_keys_name_is_typed():
    assert keys("end") == [("e", True), ("n", True), ("d", True)]


def test_lines_are_answered_where_there_is_no_terminal(call, writer, typed):
    typed("The q\n\nThe quick \n")
    told = call("suggest", writer, "--n", 3)
    model = unrolled.load(writer)
    expected = [model.suggest(one, 3) for one in ("The q", "", "The quick ")]
    assert told.code == 0
    assert told.out.splitlines() == [
        "  ".join(f"{word} {share:.3f}" for word, share in one) for one in expected
    ]


def test_lines_are_answered_as_json(call, writer, typed):
    typed("The q\n")
    told = call("suggest", writer, "--n", 2, "--json")
    expected = unrolled.load(writer).suggest("The q", 2)
    assert json.loads(told.out) == [{"word": word, "probability": p} for word, p in expected]


def test_a_line_is_answered_before_the_next_one_is_typed(live, writer):
    talk = live("suggest", writer)
    for _ in range(2):
        talk.say("The q\n")
        assert "quick" in talk.until("\n")
    talk.hang_up()
    assert talk.done() == 0


@pytest.fixture
def talk(live, writer):
    """A conversation in a terminal, which is left as it was."""
    import termios

    found = live("suggest", writer, terminal=True)
    found.until("Ctrl-C ends.")
    found.until("%")
    yield found
    if found.code is None:
        found.say("\x03")
    assert found.done() == 0
    assert termios.tcgetattr(found.terminal)[3] & termios.ECHO
    assert termios.tcgetattr(found.terminal)[3] & termios.ISIG


def chosen(word):
    """How the word that Tab would take is shown."""
    return f"\x1b[7m {word} "


def test_what_is_typed_is_completed_and_tab_takes_it(talk, writer):
    talk.say("The q")
    talk.until("The q\r\n" + chosen("quick"))
    talk.say("\t")
    shown = talk.until("The quick \r\n\x1b[7m ")
    assert "The quick" in shown
    next_word = unrolled.load(writer).suggest("The quick ", 1)[0][0]
    talk.until(f"{next_word} ")


def test_arrows_choose_another_word_and_come_round(talk, writer):
    words = [word for word, _ in unrolled.load(writer).suggest("The ", 5)]
    talk.say("The ")
    talk.until("The \r\n" + chosen(words[0]))
    talk.say("\x1b[C")
    talk.until(chosen(words[1]))
    talk.say("\x1b[D\x1b[D")
    talk.until(chosen(words[-1]))
    talk.say("\t")
    talk.until(f"The {words[-1]} \r\n")


def test_keys_take_back_a_character_or_a_word(talk):
    talk.say("The qx")
    talk.until("The qx\r\n")
    talk.say("\x7f")
    talk.until("The q\r\n" + chosen("quick"))
    talk.say("\x17")
    talk.until("J" + "The \r\n")
    talk.say("\x17\x17\x7f\x7f")  # more than there is
    talk.say("dog")
    talk.until("Jdog\r\n")


def test_enter_begins_a_line_and_ctrl_c_leaves_what_was_typed(talk):
    talk.say("The lazy\r")
    talk.until("The lazy\r\n")
    talk.say("dog")
    talk.until("Jdog\r\n")
    talk.say("\x03")
    talk.until("\r\x1b[Jdog\r\n")
    assert talk.done() == 0


def test_characters_that_the_model_does_not_know_leave_the_screen_alone(talk, capsys):
    talk.say("The \u00e9\u6f22")
    talk.until("The \u00e9\u6f22\r\n")
    talk.say("\x03")
    assert talk.done() == 0
    assert capsys.readouterr().err == ""


def test_a_closed_standard_input_is_told(call, writer, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    told = call("suggest", writer)
    expected = "unrolled: standard input is closed: give a file, or pipe lines in\n"
    assert told == (2, "", expected)
