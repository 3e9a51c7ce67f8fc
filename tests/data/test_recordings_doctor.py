"""The doctor of recordings: it finds what was planted, with its place, and is quiet where nothing
was."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from unrolled.data import catalog, examine_recordings, read_recordings
from unrolled.data import recordings_doctor_heard as hearing
from unrolled.data.doctor_checkup import Checkup, DataFinding
from unrolled.data.recordings import Recording, Recordings
from unrolled.errors import ConfigError, DataError

RATE = 8000
WORDS = ("turn", "on", "the", "lamp", "open", "every", "door", "close", "garden", "gate", "please")


def voice(seconds: float = 1.0, seed: int = 0, rate: int = RATE, level: float = 0.1) -> np.ndarray:
    """Noise that swells a few times a second, as syllables do."""
    draw = np.random.default_rng(seed)
    noise = draw.normal(size=round(seconds * rate))
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * np.arange(len(noise)) / rate)
    return (level * swell * noise).clip(-0.95, 0.95).astype(np.float32)


def spoken(count: int = 60, seed: int = 0) -> list[Recording]:
    """Recordings in which ten characters take a second, each of a sound and length of its own."""
    return list(_spoken(count, seed))


@cache
def _spoken(count: int, seed: int) -> tuple[Recording, ...]:
    draw = np.random.default_rng(seed)
    found = []
    for at in range(count):
        text = " ".join(draw.choice(WORDS, size=draw.integers(5, 10)))
        seconds = len(text) / 10 * draw.uniform(0.9, 1.1)
        values = voice(seconds, 1000 * seed + at)
        found.append(Recording(text, len(values) / RATE, RATE, values=values, speaker=f"s{seed}"))
    return tuple(found)


def all_of(items: list[Recording], **about) -> Recordings:
    return Recordings(tuple(items), **about)


def examined(items: list[Recording], **parts) -> Checkup:
    return examine_recordings(all_of(items), **{name: all_of(one) for name, one in parts.items()})


def only(checkup: Checkup, kind: str) -> DataFinding:
    """The one finding, which must be of this kind."""
    assert [one.kind for one in checkup] == [kind], str(checkup)
    return checkup.findings[0]


def with_sound(one: Recording, values: np.ndarray, rate: int = RATE) -> Recording:
    return replace(one, values=values.astype(np.float32), seconds=len(values) / rate, rate=rate)


def test_sound_recordings_get_one_plain_line():
    checkup = examined(spoken(), test=spoken(20, seed=1), validation=spoken(20, seed=2))
    told = str(checkup)
    assert told.startswith("60 recordings, ")
    assert told.endswith(", 1 speaker: nothing to report")


def test_a_transcript_may_have_as_many_symbols_and_repeats_as_there_are_steps():
    items = spoken()
    text = "aaccd turn"  # 10 symbols, and a blank within aa and cc
    items[7] = with_sound(replace(items[7], text=text), voice(0.36, 5))
    assert not list(examined(items))
    items[7] = with_sound(items[7], voice(0.35, 5))
    found = only(examined(items), "too long to say")
    assert "1 of 60 (1.7%) transcripts" in found.text
    assert "'aaccd turn', which needs 12 and has 11 (0.35 s)" in found.text
    assert (found.time, found.severity) == ("recording 7", "warning")
    assert not list(examine_recordings(all_of(items), frame_seconds=0.02))
    tested = spoken(20, seed=1)
    tested[3] = replace(items[7], speaker="eve")
    found = only(examined(spoken(), test=tested), "too long to say")
    assert found.time == "recording 3 of the test"
    assert "transcripts of the test" in found.text


def test_what_is_too_long_to_say_is_judged_by_the_symbols_that_are_learnt():
    items = spoken()
    items[7] = with_sound(replace(items[7], text="lamp lamp lamp door"), voice(0.18, 5))
    found = only(examined(items), "too long to say")
    assert "more characters than their recordings have steps" in found.text
    # four words, and two blanks between those that are the same, in six steps
    assert not list(examine_recordings(all_of(items), symbols=str.split))
    items[7] = with_sound(items[7], voice(0.17, 5))
    found = only(examine_recordings(all_of(items), symbols=str.split), "too long to say")
    assert "more symbols than their recordings have steps" in found.text
    assert "which needs 6 and has 5" in found.text


def test_silence_with_a_text_is_told_whatever_its_offset():
    items = spoken(310)
    quiet = voice(2.0, 5, level=2e-4)
    items[3] = with_sound(items[3], quiet)
    items[5] = with_sound(items[5], np.zeros(RATE * 2))
    items[8] = with_sound(items[8], np.zeros(RATE * 2))
    found = [one for one in examined(items) if one.kind == "silence"]
    assert [one.time for one in found] == ["recording 3"]
    assert "3 of 310 (0.97%) recordings" in found[0].text
    assert "recording 3, recording 5, recording 8" in found[0].text
    assert found[0].severity == "note"
    # equal silence is no duplicate, and no contradiction
    assert not {"duplicate", "contradiction"} & {one.kind for one in examined(items)}
    items[3] = with_sound(items[3], quiet + 0.3)
    assert "3 of 310" in next(one for one in examined(items) if one.kind == "silence").text
    items[3] = with_sound(items[3], quiet * 100)
    assert "2 of 310" in next(one for one in examined(items) if one.kind == "silence").text


def test_what_is_cut_off_at_full_scale_is_clipped_and_what_only_reaches_it_is_not():
    items = spoken()
    loud = np.sin(2 * np.pi * 150 * np.arange(2 * RATE) / RATE) * 32767 / 32768
    items[4] = with_sound(items[4], np.round(loud * 32768) / 32768)
    assert not list(examined(items))
    cut = (1.2 * loud).clip(-1, 32767 / 32768)
    few = np.where(np.arange(len(loud)) < len(loud) // 20, cut, loud / 2)
    items[4] = with_sound(items[4], few)
    found = only(examined(items), "clipping")
    assert (found.time, found.severity) == ("recording 4", "note")
    assert "1 of 60 (1.7%) recordings are clipped: 0.5% or more of their samples" in found.text
    assert "1.8% at most: recording 4" in found.text
    # many of them, each a little
    others = list(items)
    for at in range(10, 17):
        others[at] = with_sound(items[at], np.roll(few, at))
    assert only(examined(others), "clipping").severity == "warning"
    # one of them throughout
    items[5] = with_sound(items[5], cut)
    found, note = (one for one in examined(items) if one.kind == "clipping")
    assert (found.time, found.severity) == ("recording 5", "warning")
    assert "clipped through and through: 5% or more of their samples stand at full" in found.text
    assert (note.time, note.severity) == ("recording 4", "note")


def test_a_lossy_file_that_was_clipped_is_told(tmp_path):
    import soundfile

    rate = 16000
    tone = np.sin(2 * np.pi * 120 * np.arange(2 * rate) / rate)
    for name, gain in (("plain", 0.9), ("cut", 4.0)):
        soundfile.write(tmp_path / f"{name}.ogg", (gain * tone).clip(-1, 1), rate)
    pairs = [(tmp_path / "plain.ogg", "a long tone"), (tmp_path / "cut.ogg", "another long tone")]
    found = [one for one in examine_recordings(pairs) if one.kind == "clipping"]
    assert [one.text.split(" recordings")[0] for one in found] == ["1 of 2 (50%)"]
    assert "cut.ogg" in found[0].text
    assert found[0].severity == "warning"


def test_a_file_that_holds_less_than_it_promises_is_told(tmp_path):
    import soundfile

    pairs = []
    for at in range(4):
        soundfile.write(tmp_path / f"{at}.wav", voice(2.0, at), RATE)
        pairs.append((tmp_path / f"{at}.wav", f"lamp number {'abcd'[at]}"))
    assert "cut short" not in {one.kind for one in examine_recordings(pairs)}
    for at, left in ((1, 0.9), (2, 0.4)):
        raw = (tmp_path / f"{at}.wav").read_bytes()
        (tmp_path / f"{at}.wav").write_bytes(raw[: 44 + round(left * (len(raw) - 44))])
    (found,) = (one for one in examine_recordings(pairs) if one.kind == "cut short")
    assert (found.time, found.severity) == (str(tmp_path / "2.wav"), "warning")
    assert "2 of 4 (50%) recordings end before the sound that they promise" in found.text
    assert "2.wav lacks 60% of the sound that its header promises" in found.text


def test_an_ogg_without_its_last_page_is_told(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.ogg", voice(2.0, 1), RATE)
    soundfile.write(tmp_path / "b.ogg", voice(20.0, 2), RATE)
    raw = (tmp_path / "b.ogg").read_bytes()
    (tmp_path / "b.ogg").write_bytes(raw[: raw.rindex(b"OggS")])
    pairs = [(tmp_path / "a.ogg", "a lamp"), (tmp_path / "b.ogg", "a door")]
    (found,) = (one for one in examine_recordings(pairs) if one.kind == "cut short")
    assert found.time == str(tmp_path / "b.ogg")
    assert "how much of it is missing an Ogg file does not say" in found.text


def test_an_offset_is_told_where_it_is_large_beside_the_sound():
    items = spoken()
    items[6] = with_sound(items[6], items[6].values + 0.05)
    found = only(examined(items), "offset")
    assert "up to 4.9% of full scale: recording 6" in found.text
    assert (found.time, found.severity) == ("recording 6", "note")
    items[6] = with_sound(items[6], items[6].values - 0.038)
    assert not list(examined(items))


@pytest.mark.parametrize("side", ["before", "after"])
def test_long_silence_around_a_voice_is_told(side):
    items = spoken()
    said, hiss = items[2].values, voice(2.1, 9, level=1e-4)
    items[2] = with_sound(
        items[2], np.concatenate([hiss, said] if side == "before" else [said, hiss])
    )
    found = only(examined(items), "silence around")
    assert found.time == "recording 2"
    assert "the longest is 2.1 s" in found.text
    # noise is no silence
    noisy = voice(2.1, 9, level=0.01)
    items[2] = with_sound(items[2], np.concatenate([noisy, said]))
    assert not list(examined(items))


def test_several_rates_are_told_and_one_that_only_the_test_has_is_a_warning():
    items = spoken()
    items[4] = with_sound(items[4], np.repeat(items[4].values, 2), 2 * RATE)
    found = only(examined(items), "mixed rates")
    assert "2 rates: 8,000 Hz (59, 98.3%), 16,000 Hz (1, 1.7%)" in found.text
    assert found.severity == "note"
    found = only(
        examined(spoken(), test=[replace(items[4], speaker="eve", text="hello")]), "mixed rates"
    )
    assert found.text.endswith("; in the test only: 16,000 Hz")
    assert found.severity == "warning"


def test_mono_beside_stereo_is_told(tmp_path):
    import soundfile

    pairs = []
    for at in range(4):
        mono = voice(1.0, at)
        path = tmp_path / f"{at}.wav"
        soundfile.write(path, np.stack([mono, mono], 1) if at == 2 else mono, RATE)
        pairs.append((path, f"words {at}{at}"))
    found = next(one for one in examine_recordings(pairs) if one.kind == "mixed channels")
    assert "2 numbers of channels: 1 channel (3, 75%), 2 channels (1, 25%)" in found.text


def test_very_short_and_very_long_recordings_are_told():
    items = spoken()
    items[1] = with_sound(replace(items[1], text="o"), voice(0.09, 1))
    items[2] = with_sound(replace(items[2], text="on"), voice(61, 2))
    short, long = examined(items)
    assert (short.kind, short.time) == ("too short", "recording 1")
    assert "the shortest has 0.09 s" in short.text
    assert (long.kind, long.time) == ("long", "recording 2")
    assert "the longest has 61 s" in long.text
    items[1] = with_sound(items[1], voice(0.11, 1))
    items[2] = with_sound(items[2], voice(19, 2))
    assert not list(examined(items))


def test_a_file_that_is_gone_or_no_number_is_told_and_the_rest_is_examined(tmp_path):
    import soundfile

    for at in range(3):
        soundfile.write(tmp_path / f"{at}.wav", voice(1.0, at), RATE)
    read = read_recordings([(tmp_path / f"{at}.wav", "turn on") for at in range(3)])
    (tmp_path / "1.wav").unlink()
    found = only(examine_recordings(read), "unreadable")
    assert (found.time, found.severity) == (str(tmp_path / "1.wav"), "warning")
    assert "there is no such file" in found.text
    items = spoken()
    items[9] = with_sound(items[9], np.full(RATE * 2, np.nan))
    assert "no number" in only(examined(items), "unreadable").text


def test_recordings_without_a_text_are_told():
    items = spoken()
    items[3], items[8] = replace(items[3], text=""), replace(items[8], text=" ")
    found = only(examined(items), "empty")
    assert "2 of 60 (3.3%) recordings have no text: recording 3, recording 8" in found.text


def test_the_same_sound_again_is_a_duplicate_or_a_contradiction_in_whatever_file(tmp_path):
    import soundfile

    sounds = [voice(1.0 + at / 100, at) for at in range(30)]
    pairs = [(tmp_path / f"{at}.wav", f"{WORDS[at % 9]} it") for at in range(30)]
    for (path, _), values in zip(pairs, sounds, strict=True):
        soundfile.write(path, values, RATE, "PCM_16")
    again = tmp_path / "again.flac"
    soundfile.write(again, soundfile.read(pairs[4][0])[0], RATE, "PCM_16")
    found = only(examine_recordings([*pairs, (again, pairs[4][1])]), "duplicate")
    assert found.text.startswith("1 of 31 (3.2%) recordings hold a sound a second time")
    assert f"{pairs[4][0]}, {again}" in found.text
    found = only(examine_recordings([*pairs, (again, "close gate")]), "contradiction")
    assert f"{pairs[4][0]}, {again} with 'open it' and 'close gate'" in found.text
    assert found.severity == "warning"


@pytest.mark.parametrize("part", ["test", "validation"])
def test_what_a_part_shares_with_the_training_is_told(part):
    train, held_out = spoken(), spoken(50, seed=1)
    held_out[3] = replace(train[5], speaker="eve", text="gate gate lamp the the lamp")
    found = only(examined(train, **{part: held_out}), "across splits")
    assert (
        f"1 of 50 (2%) recordings of the {part} hold the same sound as one of the training"
        in found.text
    )
    assert "such as recording 3 and recording 5" in found.text
    assert (found.severity, found.time) == ("warning", f"recording 3 of the {part}")

    held_out = spoken(50, seed=1)
    said = "turn on the lamp in every garden please"
    train[6], held_out[7] = replace(train[6], text="gate"), replace(held_out[7], text="GATE")
    found = [one for one in examined(train, **{part: held_out}) if one.kind == "across splits"]
    assert [one.severity for one in found] == ["note"]
    assert (
        f"1 of 50 (2%) transcripts of the {part} are said in the training too, such as 'GATE'; 0 of"
        in found[0].text
    )
    train[8], held_out[9] = replace(train[8], text=said), replace(held_out[9], text=said)
    found = [one for one in examined(train, **{part: held_out}) if one.kind == "across splits"]
    assert [one.severity for one in found] == ["warning"]
    assert f"such as {said!r}; 1 of them" in found[0].text


def test_a_sound_of_the_test_that_is_in_the_validation_is_told():
    test, validation = spoken(30, seed=1), spoken(30, seed=2)
    test[3] = replace(validation[7], speaker="eve", text="gate gate lamp the the lamp")
    found = only(examined(spoken(), test=test, validation=validation), "across splits")
    assert "of the test hold the same sound as one of the validation" in found.text


def test_speakers_that_are_shared_are_noted_and_some_of_them_are_a_slip():
    train, test = spoken(), spoken(50, seed=1)
    test = [replace(one, speaker="s0") for one in test]
    found = only(examined(train, test=test), "across splits")
    assert (
        "1 of 1 speaker of the test speaks in the training too (s0), in 50 of 50 (100%)"
        in found.text
    )
    assert found.severity == "note"
    test[7:] = [replace(one, speaker="eve") for one in test[7:]]
    found = only(examined(train, test=test), "across splits")
    assert "1 of 2 speakers of the test" in found.text
    assert "7 of 50 (14%)" in found.text
    assert found.severity == "warning"
    unknown = [replace(one, speaker=None) for one in train]
    assert not list(examined(unknown, test=[replace(one, speaker=None) for one in test]))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("turn it \u200b on", "invisible characters (U+200B zero width space)"),
        ("turn <noise> on", "marks of an annotation (<noise>)"),
        ("turn [laughter] on", "marks of an annotation ([laughter])"),
        ("turn the l\u0430mp on", "letters that are not Latin ('\u0430' U+0430 cyrillic"),
        ("turn 12 lamps on", "numbers of several digits"),
        ("TURN THE LAMP ON", "are all in capitals where others are not"),
        ("Turn the lamp on", "have capitals beside small letters"),
        ("turn the lamp on, please!", "marks that are not spoken"),
        ("turn the qamp on", "stand in one or two transcripts only: 'q' (recording 17)"),
        ("turn the café on", "'é' (recording 17)"),
    ],
)  # fmt: skip
def test_an_odd_character_is_told_with_its_place(text, told):
    items = spoken(120)
    items[17] = replace(items[17], text=text)
    found = [one for one in examined(items) if told in one.text]
    assert [(one.kind, one.time) for one in found] == [("characters", "recording 17")], str(
        examined(items)
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("turn the \x01 lamp on", "invisible characters (U+0001)"),
        ("turn the l\ufffdmp on", "\ufffd"),
        ("turn the l\u0430mp on", "letters that are not Latin ('\u0430' U+0430 cyrillic"),
        ("turn the l\uff41mp on", "look-alikes of other characters (U+FF41 fullwidth latin"),
        ("the cafe\u0301 door", "U+0301 combining acute accent as in '\u00e9'"),
        ("turn the lamp \ufb01rst", "U+FB01 latin small ligature fi as in 'fi'"),
        ("turn it\u2019s lamp", "U+2019 right single quotation mark as in \"'\""),
        ("turn lamp 2 on", "digits where the others hold letters alone"),
        ("turn lamp % on", "in one or two transcripts only: '%' (recording 4)"),
    ],
)  # fmt: skip
def test_an_odd_character_is_told_of_few_transcripts_too(text, told):
    items = [replace(one, text=f"it's {one.text}") for one in spoken(10)]
    for plain in (items, [replace(items[0], text="a queer fox"), *items[1:]]):
        assert not [one for one in examined(plain) if one.kind in ("characters", "encoding")]
    items[4] = replace(items[4], text=text)
    found = [one for one in examined(items) if told in f"{one}"]
    assert [one.time for one in found] == ["recording 4"], str(examined(items))
    assert found[0].kind in ("characters", "encoding")


def test_marks_of_scripts_that_need_them_are_no_look_alikes():
    for text in (
        "\u0915\u093c\u0932\u092e \u0939\u0948",
        "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",
    ):
        items = [replace(one, text=text) for one in spoken(10)]
        assert "look-alikes" not in str(examined(items))


def test_a_character_in_two_transcripts_is_rare_and_in_three_is_not():
    items = spoken(120)
    for at in (17, 30):
        items[at] = replace(items[at], text="turn the qamp on")
    found = only(examined(items), "characters")
    assert "1 of " in found.text
    assert "'q' (twice, recording 17)" in found.text
    items[40] = replace(items[40], text="turn the qamp on")
    assert not list(examined(items))


def test_characters_that_belong_into_words_are_not_told():
    items = [
        replace(one, text=one.text.replace("please", "don't well-known it's"))
        for one in spoken(200)
    ]
    assert not [one for one in examined(items) if one.kind == "characters"], str(examined(items))
    # single digits are said one by one
    digits = [replace(one, text=" ".join("0123456789"[at % 5 :])) for at, one in enumerate(items)]
    assert not [one for one in examined(digits) if one.kind == "characters"]


def test_digits_beside_numbers_as_words_are_told():
    items = spoken(120)
    for at in range(20, 40):
        items[at] = replace(items[at], text=("two lamps on", "three gates on")[at % 2])
    assert not list(examined(items)), str(examined(items))
    items[50] = replace(items[50], text="turn 2 lamps on")
    found = [one for one in examined(items) if "digits" in one.text]
    assert [one.time for one in found] == ["recording 50"]
    assert "where others hold numbers as words ('two', 'three')" in found[0].text


def test_few_small_letters_among_capitals_are_told_as_the_odd_ones():
    items = [replace(one, text=one.text.upper()) for one in spoken(120)]
    assert not list(examined(items))
    items[9] = replace(items[9], text=items[9].text.lower())
    found = next(one for one in examined(items) if one.kind == "characters")
    assert "1 of 120 (0.83%) transcripts are not in capitals" in found.text
    assert found.time == "recording 9"


def test_characters_that_only_the_test_has_are_told():
    test = spoken(20, seed=1)
    test[4] = replace(test[4], text=test[4].text + " x")
    found = only(examined(spoken(), test=test), "unseen")
    assert "1 character of the test never occurs in the training: 'x'" in found.text


def test_damage_by_encodings_is_told_with_its_place():
    items = spoken()
    items[11] = replace(items[11], text=items[11].text + " cafÃ©")
    found = next(one for one in examined(items) if one.kind == "encoding")
    assert found.time == "recording 11"


def test_texts_that_are_shifted_against_their_sounds_are_told():
    items = spoken(120)
    shifted = [replace(one, text=two.text) for one, two in pairwise(items)]
    kinds = {one.kind: one for one in examined(shifted)}
    assert kinds["misaligned"].severity == "warning"


def test_a_text_of_which_the_sound_holds_a_part_only_is_told():
    items = spoken(120)
    long = max(range(120), key=lambda at: len(items[at].text))
    items[long] = with_sound(items[long], items[long].values[: round(1.8 * RATE)])
    found = only(examined(items), "pace")
    assert found.time == f"recording {long}"
    assert "(10 characters a second are)" in found.text


def labelled(counts: dict[str, int], seed: int = 0) -> Recordings:
    draw = np.random.default_rng(seed)
    items = [
        Recording(label, 1.0, RATE, values=voice(draw.uniform(0.5, 1.0), 100 * seed + at))
        for at, label in enumerate(label for label, count in counts.items() for _ in range(count))
    ]
    return all_of(items, labelled=True)


def test_labels_are_counted_and_not_read_as_transcripts():
    few = labelled(
        {"yes": 12, "no": 12, "Stop it, <now> please! at once, it takes far too long": 12}
    )
    assert not list(examine_recordings(few, test=labelled({"yes": 4, "no": 3}, 1)))
    found = only(examine_recordings(labelled({"yes": 9})), "one label")
    assert "all 9 recordings have the label 'yes'" in found.text
    checkup = examine_recordings(labelled({"yes": 90, "no": 9}), test=labelled({"up": 3}, 1))
    assert [one.kind for one in checkup] == ["few examples", "unseen", "imbalance"]
    assert "'yes' has 90 recordings (90.9%), 'no' 9: 10 times as many" in checkup.findings[2].text
    assert "less than 10 recordings: 'no' (9)" in checkup.findings[0].text
    assert "1 label of the test never occurs in the training: 'up'" in checkup.findings[1].text


def test_of_many_recordings_some_are_listened_to_and_the_finding_says_so(monkeypatch):
    monkeypatch.setattr(hearing, "MOST", 30)
    items = [with_sound(one, np.zeros(len(one.values))) for one in spoken(90)]
    found = next(one for one in examined(items) if one.kind == "silence")
    assert "30 of 30 (100%) recordings that were listened to (of 90) have a text" in found.text
    monkeypatch.setattr(hearing, "MOST_SECONDS", 10.0)
    found = next(one for one in examined(items) if one.kind == "silence")
    assert int(found.text.split()[0]) < 10


def test_of_two_equal_sounds_both_are_listened_to_or_neither(monkeypatch):
    monkeypatch.setattr(hearing, "MOST", 40)
    train = spoken(100)
    test = [replace(one, speaker="eve") for one in train[::-1]]
    found = next(
        one for one in examined(train, test=test) if "the same sound as one of" in one.text
    )
    assert found.text.startswith("20 of 20 (100%) recordings of the test that were listened to")


def test_what_is_heard_does_not_depend_on_the_blocks(monkeypatch, tmp_path):
    import soundfile

    path = tmp_path / "a.wav"
    soundfile.write(path, np.stack([voice(2.3, 1), voice(2.3, 2)], 1), RATE)
    (one,) = read_recordings([(path, "x")]).items
    whole = hearing._hear(one)
    monkeypatch.setattr(hearing, "_WINDOWS", 7)
    parts = hearing._hear(one)
    assert (whole.digest, whole.before, whole.after) == (parts.digest, parts.before, parts.after)
    assert whole.loudest == pytest.approx(parts.loudest)
    assert whole.offset == pytest.approx(parts.offset, abs=1e-9)
    assert whole.spread == pytest.approx(parts.spread, rel=1e-6)


def test_features_are_compared_and_not_listened_to():
    draw = np.random.default_rng(0)
    made = [(draw.normal(size=(300 + at, 13)), f"{WORDS[at % 10]} it") for at in range(20)]
    assert not list(examine_recordings(made))
    assert only(examine_recordings([*made, made[3]]), "duplicate")
    mixed = [*made, ((draw.normal(size=(300, 13)), 50.0), "turn")]
    assert only(examine_recordings(mixed), "mixed rates").severity == "warning"
    with pytest.raises(DataError, match="test: got sound, expected features as in the training"):
        examine_recordings(made, test=all_of(spoken(3)))


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_seconds_of_a_step_that_are_none_are_refused(seconds):
    with pytest.raises(ConfigError, match="frame_seconds"):
        examine_recordings(all_of(spoken(3)), frame_seconds=seconds)


def test_no_recording_at_all_is_nothing_to_report():
    assert not list(examine_recordings(all_of([]), test=all_of([])))


def test_a_checkup_of_recordings_is_the_same_after_json():
    items = spoken()
    items[3] = with_sound(items[3], np.zeros(RATE * 2))
    items[8] = replace(items[8], text="")
    checkup = examined(items, test=items[10:20])
    assert len(checkup) >= 4
    assert Checkup.from_dict(json.loads(json.dumps(checkup.to_dict()))) == checkup


@pytest.mark.data
def test_spoken_digits_have_no_warning_and_their_test_has_their_speakers():
    train = catalog.load("fsdd-train", download=False)
    checkup = examine_recordings(train, test=catalog.load("fsdd-test", download=False))
    found = only(checkup, "across splits")
    assert found.severity == "note"
    assert "6 of 6 speakers of the test speak in the training too" in found.text


@pytest.mark.data
def test_an4_has_no_warning_and_its_test_has_commands_of_the_training():
    train = catalog.load("an4-train", download=False)
    checkup = examine_recordings(train, test=catalog.load("an4-test", download=False))
    found = only(checkup, "across splits")
    assert found.severity == "note"
    assert found.text.startswith("26 of 130 (20%) transcripts of the test are said in the training")
    assert "0 of them have 5 words or more" in found.text
