"""`unrolled listen`: a file at its pace, a stand-in for a microphone, and how it all ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import unrolled
from tests.cli.conftest import SAID
from tests.data.test_microphone import sounddevice, use
from unrolled.tasks.transcribing import live as hearing

CODE = "from unrolled.cli import main; raise SystemExit(main())"
LINES = "".join(f"{one}\n" for one in SAID)


def test_each_utterance_is_a_line_and_what_may_change_is_not_shown(call, transcriber, sounds):
    told = call("listen", transcriber, "--file", sounds / "talk.wav", "--fast")
    assert told == (0, LINES, "")


def test_the_endpoint_and_the_beam_are_those_of_python(call, transcriber, sounds):
    talk = sounds / "talk.wav"
    words = ("listen", transcriber, "--file", talk, "--fast")
    whole = unrolled.load(transcriber).predict([talk], beam=1)
    assert call(*words, "--endpoint", 0, "--beam", 1) == (0, f"{whole[0]}\n", "")
    assert call(*words, "--endpoint", 0.2).out.count("\n") >= 3


def test_json_has_the_words_with_seconds_from_the_beginning(call, transcriber, sounds):
    told = call("listen", transcriber, "--file", sounds / "talk.wav", "--fast", "--json")
    found = [json.loads(line) for line in told.out.splitlines()]
    assert [one["text"] for one in found] == list(SAID)
    starts = [word["start"] for one in found for word in one["words"]]
    assert starts == sorted(starts)
    assert starts[-1] > 3


def test_labels_are_told_one_by_one(call, labeller, sounds, tmp_path):
    parts = []
    for label in ("low", "high"):
        sound, rate = soundfile.read(next((sounds / "labels" / label).iterdir()))
        parts += [sound, 0.003 * np.random.default_rng(0).standard_normal(rate)]
    soundfile.write(tmp_path / "two.wav", np.concatenate(parts), rate)
    told = call("listen", labeller, "--file", tmp_path / "two.wav", "--fast")
    assert told == (0, "low\nhigh\n", "")


def test_at_a_terminal_settled_words_are_bright_and_others_dim(transcriber, sounds, live):
    talk = live(
        "listen", transcriber, "--file", sounds / "talk.wav", "--fast", "--beam", 2, terminal=True
    )
    shown = talk.until("high\r\n")
    assert talk.done() == 0
    assert "Listening to " in shown
    assert re.search(r"\x1b\[2m(low|mid|high)\x1b\[0m", shown), shown
    assert re.search(r"\r\x1b\[Jlow high\r", shown), shown
    # What is over stands alone on its line, and what was shown before is gone.
    left = [line.split("\r\x1b[J")[-1] for line in shown.split("\r\n")]
    assert left[1:] == [*SAID, ""]


def test_a_line_wider_than_the_terminal_shows_its_end(transcriber, sounds, live, monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    talk = live("listen", transcriber, "--file", sounds / "talk.wav", "--fast", terminal=True)
    shown = talk.until("high\r\n")
    assert talk.done() == 0
    partial = [
        re.sub(r"\x1b\[\d?m", "", one)
        for line in shown.split("\r\n")[1:]
        for one in line.split("\r\x1b[J")[:-1]
    ]
    assert partial
    assert all(len(one) < 10 for one in partial)
    assert any(one.endswith("mid") and not one.startswith("low") for one in partial)


def test_the_microphone_is_heard(call, transcriber, sounds, monkeypatch):
    # The stand-in gives all of its sound at once, which is more than can be heard in its time.
    monkeypatch.setattr(hearing, "_LATE", float("inf"))
    sound, rate = soundfile.read(sounds / "talk.wav", dtype="float32")
    size = rate // 10
    blocks = [one[:, None] for one in np.split(sound, range(size, len(sound), size))]
    module = use(monkeypatch, sounddevice(blocks))
    module.query_devices()[1].update(default_samplerate=float(rate), max_input_channels=1)
    told = call("listen", transcriber, "--device", "USB")
    # The stand-in stops in the end, as one that is unplugged.
    assert (told.code, told.out) == (2, LINES)
    assert told.err == (
        "unrolled: the microphone 'USB' gives no more sound: see whether it is still plugged in\n"
    )
    assert module.streams[0].closed
    assert call("listen", transcriber, "--device", 1).out == LINES


@pytest.mark.parametrize(
    ("module", "words", "part"),
    [
        (None, (), "unrolled[listen]"),
        (sounddevice([]), ("--device", "Blue"), "there are 1 'USB', 2 'Built-in'"),
        (sounddevice([], devices=0), (), "there is no microphone here"),
    ],
)
def test_a_microphone_that_is_not_there_is_told(
    call, transcriber, monkeypatch, module, words, part
):
    use(monkeypatch, module)
    told = call("listen", transcriber, *words)
    assert told.code == (1 if module is None else 2)
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert part in told.err


def test_what_can_not_work_is_told_in_one_line(call, transcriber, classifier, sounds):
    talk = sounds / "talk.wav"
    for words, part in (
        ((classifier,), "holds a Classifier; give the model of a transcriber"),
        ((transcriber, "--file", sounds / "no.wav"), "no.wav: there is no such file"),
        ((transcriber, "--file", transcriber), "is not sound that can be read"),
        ((transcriber, "--file", talk, "--device", "USB"), "device: got 'USB'"),
        ((transcriber, "--fast"), "(--file)"),
        ((transcriber, "--file", talk, "--endpoint", "-1"), "--endpoint: got -1"),
        ((transcriber, "--file", talk, "--beam", "0"), "beam: got 0"),
    ):
        told = call("listen", *words)
        assert (told.code, told.out) == (2, "")
        assert told.err.count("\n") == 1
        assert part in told.err


def test_a_machine_that_is_too_slow_is_told_once(call, transcriber, sounds, monkeypatch):
    from unrolled.data.sound_chunks import FileChunks

    monkeypatch.setattr(FileChunks, "waiting", 3.2)
    told = call("listen", transcriber, "--file", sounds / "talk.wav", "--fast")
    assert (told.code, told.out) == (0, LINES)
    assert told.err.startswith("unrolled: the machine is too slow by 3.2 s: nothing is dropped")
    assert told.err.count("\n") == 1


def start(*words: object, **options: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(unrolled.__file__).parents[1])}
    return subprocess.Popen(
        [sys.executable, "-c", CODE, *map(str, words)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.fixture
def long_talk(sounds, tmp_path):
    """A minute at its pace: three words, a pause in which they end, and words on and on."""
    talk, rate = soundfile.read(sounds / "talk.wav")
    first = talk[: round(2.1 * rate)]
    rest = np.tile(talk[: round(0.9 * rate)], 60)
    soundfile.write(tmp_path / "long.wav", np.concatenate([first, rest]), rate)
    return tmp_path / "long.wav"


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_with_what_was_said_last_and_is_no_failure(transcriber, long_talk, number):
    process = start("listen", transcriber, "--file", long_talk, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "low high mid\n"
    process.send_signal(number)
    rest, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert rest.count("\n") <= 1  # of a minute of words at most one line


@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_pipe_that_is_closed_ends_it_quietly(transcriber, sounds):
    reader, writer = os.pipe()
    os.close(reader)
    words = ("listen", transcriber, "--file", sounds / "talk.wav", "--fast")
    process = start(*words, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="terminals as POSIX has them")
@pytest.mark.parametrize("told", [True, False])
def test_a_terminal_that_is_closed_ends_it_quietly(transcriber, long_talk, told):
    import pty

    ours, theirs = pty.openpty()
    process = start("listen", transcriber, "--file", long_talk, stdout=theirs)
    os.close(theirs)
    shown = b""
    while b"mid" not in shown:
        shown += os.read(ours, 65536)
    os.close(ours)
    if told:
        process.send_signal(signal.SIGHUP)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
