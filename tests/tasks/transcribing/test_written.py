"""Transcripts as records and subtitles."""

from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.tasks.transcribing.transcript import HeardWord, Transcript
from unrolled.tasks.transcribing.written import cues, record, subrip, webvtt


def said(*words: tuple[str, float, float]) -> Transcript:
    heard = tuple(HeardWord(text, start, end, 0.5) for text, start, end in words)
    return Transcript(" ".join(one.text for one in heard), -1.25, 0.5, heard, 9.0)


def test_subtitles_are_numbered_and_have_the_times_of_their_words():
    talk = said(("turn", 0.5, 0.7), ("it", 0.8, 0.9), ("off", 3661.0, 3661.25))
    assert subrip(talk) == (
        "1\n00:00:00,500 --> 00:00:01,900\nturn it\n\n2\n01:01:01,000 --> 01:01:02,250\noff\n"
    )
    assert webvtt(talk) == (
        "WEBVTT\n\n00:00:00.500 --> 00:00:01.900\nturn it\n\n01:01:01.000 --> 01:01:02.250\noff\n"
    )


def test_marks_of_webvtt_are_escaped_there_alone():
    talk = said(("<b>", 0.0, 0.1), ("&", 0.1, 0.2))
    assert "\n&lt;b&gt; &amp;\n" in webvtt(talk)
    assert "\n<b> &\n" in subrip(talk)


def test_nothing_heard_is_no_subtitle_and_a_label_is_one_over_all_of_it():
    assert subrip(Transcript("", -1.0, 1.0, (), 3.0)) == ""
    assert webvtt(Transcript("", -1.0, 1.0, (), 3.0)) == "WEBVTT\n"
    assert subrip(Transcript("yes", -1.0, 0.9, (), 1.5)) == (
        "1\n00:00:00,000 --> 00:00:01,500\nyes\n"
    )


@given(
    st.lists(
        st.tuples(st.text("ab", min_size=1, max_size=30), st.floats(0, 2), st.floats(0.01, 1)),
        max_size=30,
    )
)
def test_every_word_is_shown_once_in_order_and_no_two_lines_at_once(parts):
    words, now = [], 0.0
    for text, pause, length in parts:
        words.append((text, now + pause, now + pause + length))
        now += pause + length
    found = cues(said(*words))
    assert " ".join(one.text for one in found) == " ".join(text for text, _, _ in parts)
    for one, after in itertools.pairwise(found):
        assert one.end <= after.start
    for one in found:
        assert one.start < one.end
        assert len(one.text) <= 42
    starts = {start for _, start, _ in words}
    assert all(one.start in starts for one in found)


def test_a_record_is_plain_and_has_what_was_heard():
    talk = said(("on", 0.123456, 0.2))
    found = record(talk, "a.wav")
    assert json.loads(json.dumps(found)) == {
        "sound": "a.wav",
        "text": "on",
        "confidence": 0.5,
        "log_probability": -1.25,
        "seconds": 9.0,
        "words": [{"text": "on", "start": 0.1235, "end": 0.2, "confidence": 0.5}],
    }
    assert "sound" not in record(talk)
    both = Transcript("on", -1.0, 0.5, talk.words, 9.0, (said(("off", 0.1, 0.2)),))
    assert [one["text"] for one in record(both)["alternatives"]] == ["off"]


def test_a_rounded_time_carries_over():
    assert subrip(said(("a", 59.9996, 60.0))) == "1\n00:01:00,000 --> 00:01:01,000\na\n"


@pytest.mark.parametrize("length", [42, 43])
def test_a_word_that_is_longer_than_a_line_stands_alone(length):
    found = cues(said(("a", 0.0, 0.1), ("b" * length, 0.2, 0.3), ("c", 0.4, 0.5)))
    assert [one.text for one in found] == ["a", "b" * length, "c"]
