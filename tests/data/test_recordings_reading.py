"""Recordings are read from each usual layout, with what is said in them and who speaks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import soundfile

from unrolled.data import catalog, read_recordings
from unrolled.data.recordings import Recordings
from unrolled.errors import ConfigError, DataError

RATE = 8000


def sound(path: Path, count: int = 800, rate: int = RATE) -> Path:
    """A file of noise, the same for the same length."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(count).uniform(-0.5, 0.5, count)
    soundfile.write(path, samples, rate)
    return path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def told(found: Recordings) -> list[tuple[str, str | None]]:
    return [(one.text, one.speaker) for one in found.items]


def test_length_and_rate_stand_in_each_recording(tmp_path: Path) -> None:
    sound(tmp_path / "yes" / "a.wav", 800)
    sound(tmp_path / "no" / "b.flac", 4410, 44_100)
    found = read_recordings(tmp_path)
    assert [(one.text, one.seconds, one.rate) for one in found.items] == [
        ("no", 0.1, 44_100.0),
        ("yes", 0.1, 8000.0),
    ]
    assert [one.path for one in found.items] == [tmp_path / "no/b.flac", tmp_path / "yes/a.wav"]
    assert [one.place for one in found.items] == ["no/b.flac", "yes/a.wav"]
    assert (found.kind, found.labelled, found.name) == ("sound", True, tmp_path.name)


def test_folders_of_labels_may_lie_in_one_folder_and_noise_is_no_label(tmp_path: Path) -> None:
    for name in ("yes/1.wav", "no/1.wav", "_background_noise_/tap.wav", "no/.hidden.wav"):
        sound(tmp_path / "commands" / name)
    found = read_recordings(tmp_path)
    assert told(found) == [("no", None), ("yes", None)]
    assert "_background_noise_" in " ".join(found.notes)


def test_librispeech(tmp_path: Path) -> None:
    chapter = tmp_path / "dev" / "84" / "121123"
    sound(chapter / "84-121123-0000.flac")
    sound(chapter / "84-121123-0001.flac")
    sound(tmp_path / "dev" / "174" / "5" / "174-5-0000.flac")
    write(chapter / "84-121123.trans.txt", "84-121123-0000 GO  ON\n84-121123-0001 DO YOU HEAR\n")
    lines = write(tmp_path / "dev/174/5/174-5.trans.txt", "174-5-0000 YES\n")
    found = read_recordings(tmp_path)
    assert told(found) == [("YES", "174"), ("GO ON", "84"), ("DO YOU HEAR", "84")]
    assert not found.labelled
    assert told(read_recordings(lines)) == [("YES", "174")]


@pytest.mark.parametrize("words", [True, False])
def test_ljspeech(tmp_path: Path, words: bool) -> None:
    for name in ("LJ001-0001", "LJ001-0002", "LJ001-0003"):
        sound(tmp_path / "wavs" / f"{name}.wav")
    more = "|in eighteen sixty-seven" if words else ""
    write(
        tmp_path / "metadata.csv",
        f'LJ001-0001|"in 1867"{more}\nLJ001-0002|a, b{"|" * words}\n',
    )
    found = read_recordings(tmp_path)
    assert found.texts == ("in eighteen sixty-seven" if words else '"in 1867"', "a, b")
    assert [one.place for one in found.items] == ["line 1", "line 2"]
    assert any("LJ001-0003.wav" in note for note in found.notes)
    assert read_recordings(tmp_path / "metadata.csv").digest() == found.digest()


VOICES = (
    'client_id\tpath\tsentence\tup_votes\nann\ta.mp3\tShe said "yes".\t2\nbob\tb.mp3\tEr ging.\t3\n'
)


def test_common_voice_reads_the_training_part_of_a_folder_and_any_part_by_its_file(
    tmp_path: Path,
) -> None:
    for name in "abc":
        sound(tmp_path / "clips" / f"{name}.mp3", 3000, 16_000)
    write(tmp_path / "train.tsv", VOICES)
    write(tmp_path / "test.tsv", "client_id\tpath\tsentence\neve\tc.mp3\tNo.\n")
    write(tmp_path / "reported.tsv", "sentence\treason\nNo.\tno\n")
    found = read_recordings(tmp_path)
    assert told(found) == [('She said "yes".', "ann"), ("Er ging.", "bob")]
    assert [one.path for one in found.items] == [tmp_path / f"clips/{name}.mp3" for name in "ab"]
    assert any("train.tsv of test.tsv, train.tsv" in note for note in found.notes)
    assert told(read_recordings(tmp_path / "test.tsv")) == [("No.", "eve")]


def sphinx(folder: Path, part: str, names: list[str], lines: list[str]) -> None:
    write(folder / "etc" / f"an4_{part}.fileids", "".join(f"{name}\n" for name in names))
    write(folder / "etc" / f"an4_{part}.transcription", "".join(f"{one}\n" for one in lines))


@pytest.mark.parametrize("features", [True, False])
def test_an4_with_sounds_or_with_features(tmp_path: Path, features: bool) -> None:
    names = ["an4_clstk/fash/an251-fash-b", "an4_clstk/mcel/cen1-mcel-b"]
    for at, name in enumerate(names):
        if features:
            path = tmp_path / "feat" / f"{name}.mfc"
            path.parent.mkdir(parents=True)
            count = 13 * (50 + at)
            path.write_bytes(np.array([count], ">i4").tobytes() + np.ones(count, ">f4").tobytes())
        else:
            sound(tmp_path / "wav" / f"{name}.wav")
    sphinx(tmp_path, "train", names, ["M C (cen1-mcel-b)", "<s> YES </s> (an251-fash-b)"])
    sphinx(tmp_path, "test", names[:1], ["YES (an251-fash-b)"])
    found = read_recordings(tmp_path)
    assert told(found) == [("YES", "fash"), ("M C", "mcel")]
    assert found.kind == ("features" if features else "sound")
    assert [one.seconds for one in found.items] == ([0.5, 0.51] if features else [0.1, 0.1])
    assert len(read_recordings(tmp_path / "etc" / "an4_test.fileids")) == 1
    assert len(read_recordings(tmp_path / "etc" / "an4_test.transcription")) == 1
    (tmp_path / "etc" / "an4_train.fileids").rename(tmp_path / "etc" / "an4_dev.fileids")
    with pytest.raises(DataError, match=r"an4_dev\.fileids, an4_test\.fileids: name the file"):
        read_recordings(tmp_path)


def test_a_text_of_the_same_name_beside_each_sound(tmp_path: Path) -> None:
    sound(tmp_path / "ann" / "a.wav")
    write(tmp_path / "ann" / "a.txt", "\ufeffturn it\n off\n")
    write(tmp_path / "README.txt", "about")
    found = read_recordings(tmp_path, pattern="{speaker}/{take}")
    assert told(found) == [("turn it off", "ann")]
    assert told(read_recordings(tmp_path / "ann" / "a.wav")) == [("turn it off", None)]


def test_a_pattern_takes_label_and_speaker_from_names(tmp_path: Path) -> None:
    for name in ("7_jackson_0.wav", "0_theo_12.wav"):
        sound(tmp_path / name)
    found = read_recordings(tmp_path, pattern="{label}_{speaker}_{take}.wav")
    assert told(found) == [("0", "theo"), ("7", "jackson")]
    assert found.labelled
    assert told(read_recordings(tmp_path, pattern="{a}_{b}_{label}")) == [("12", None), ("0", None)]
    assert told(read_recordings(tmp_path, pattern="{label}_{rest}")) == [("0", None), ("7", None)]


def test_a_pattern_may_span_folders_and_hold_a_transcript(tmp_path: Path) -> None:
    sound(tmp_path / "ann" / "turn_it_off-1.wav")
    found = read_recordings(tmp_path, pattern="{speaker}/{text}-{take}.wav")
    assert told(found) == [("turn it off", "ann")]
    assert not found.labelled


@pytest.mark.parametrize(
    ("pattern", "about"),
    [
        ("{take}.wav", "has no {label}, {text} or {speaker}"),
        ("{label}_{label}", "has {label} twice"),
        ("{label}_{text}", "has {label} and {text}"),
        ("{label}_{a b}", "{a b}"),
    ],
)
def test_a_pattern_that_cannot_be_understood_is_refused(
    tmp_path: Path, pattern: str, about: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_recordings(tmp_path, pattern=pattern)
    assert about in str(caught.value)


ROWS = [
    {"audio_filepath": "a.wav", "text": "one", "speaker_id": 1, "duration": 0.1},
    {"audio_filepath": "more/b.wav", "text": "two", "speaker_id": 2, "duration": 0.1},
]


def table(path: Path, rows: list[dict]) -> Path:
    frame = pl.DataFrame(rows)
    if path.suffix == ".jsonl":
        return write(path, "".join(f"{json.dumps(row)}\n" for row in rows))
    if path.suffix == ".json":
        return write(path, json.dumps(rows))
    if path.suffix == ".parquet":
        frame.write_parquet(path)
    else:
        frame.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json", ".parquet"])
def test_manifests_of_every_form(tmp_path: Path, suffix: str) -> None:
    sound(tmp_path / "a.wav")
    sound(tmp_path / "more" / "b.wav")
    path = table(tmp_path / f"manifest{suffix}", ROWS)
    found = read_recordings(path)
    assert told(found) == [("one", "1"), ("two", "2")]
    assert not found.labelled
    assert (
        "column 'audio_filepath', text: column 'text', speaker: column 'speaker_id'"
        in (found.notes[0])
    )
    assert told(read_recordings(tmp_path)) == told(found)


def test_columns_of_other_names_are_named_or_found_by_the_endings_of_files(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav")
    rows = [{"x": "a.wav", "who": "ann", "command": "stop", "y": "go on"}]
    file = table(tmp_path / "list.csv", rows)
    found = read_recordings(file)
    assert (told(found), found.labelled) == ([("stop", None)], True)
    found = read_recordings(file, text="y", speaker="who")
    assert (told(found), found.labelled) == ([("go on", "ann")], False)
    assert found.notes == ("audio: column 'x' (guessed; audio= names others)",)
    assert read_recordings(tmp_path, audio="x", text="y", speaker="who").notes == ()
    with pytest.raises(DataError, match="there is no column 'whom': did you mean 'who'"):
        read_recordings(file, speaker="whom")
    rows[0]["x"] = str(path)
    for frame in (pd.DataFrame(rows), pl.DataFrame(rows), pa.Table.from_pylist(rows)):
        assert told(read_recordings(frame, speaker="who")) == [("stop", "ann")]


SAMPLES = np.linspace(-0.5, 0.5, 800, dtype=np.float32)
FEATURES = np.ones((50, 40), np.float32)


def test_lists_of_files_samples_and_features(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav")
    found = read_recordings([(path, "one"), ((SAMPLES, 16_000), "two", "ann")])
    assert told(found) == [("one", None), ("two", "ann")]
    assert [one.seconds for one in found.items] == [0.1, 0.05]
    assert found.items[1].values is not None
    assert np.array_equal(found.items[1].values, SAMPLES)
    found = read_recordings([(FEATURES, "one"), ((FEATURES, 50), "two")])
    assert (found.kind, [one.seconds for one in found.items]) == ("features", [0.5, 1.0])
    assert read_recordings(([FEATURES], ["one"]), frame_rate=200).seconds == 0.25
    assert read_recordings(found) is found


@pytest.mark.parametrize(
    ("kind", "scale"), [(np.int16, 32_768), (np.int32, 2**31), (np.float64, 1), (np.uint8, 128)]
)
def test_samples_of_whole_numbers_are_scaled_by_their_bits(kind: type, scale: int) -> None:
    middle = 128 if kind is np.uint8 else 0
    whole = (np.array([-0.5, 0.0, 0.25]) * scale + middle).astype(kind)
    for samples in (whole, np.stack([whole] * 2, 1)):
        found = read_recordings([((samples, RATE), "one")]).items[0].values
        assert found is not None
        assert found.dtype == np.float32
        assert found.tolist() == [-0.5, 0.0, 0.25]


def test_sounds_alone_need_no_texts(tmp_path: Path) -> None:
    path = sound(tmp_path / "b" / "a.wav")
    sound(tmp_path / "c.wav")
    write(tmp_path / "list.csv", "audio,length\nb/a.wav,1\n")
    write(tmp_path / "told.csv", "b/a|one\n")
    wanted: list[tuple[object, int]] = [
        (tmp_path / "told.csv", 1),
        (path, 1),
        (tmp_path, 2),
        (tmp_path / "list.csv", 1),
        ([path, (SAMPLES, RATE)], 2),
        ((SAMPLES, RATE), 1),
        ([FEATURES], 1),
        (FEATURES, 1),
    ]
    for data, count in wanted:
        assert told(read_recordings(data, texts=False)) == [("", None)] * count


def test_the_order_is_that_of_the_list_however_many_there_are(tmp_path: Path) -> None:
    path = sound(tmp_path / "a.wav")
    found = read_recordings([(path, str(number)) for number in range(300)])
    assert found.texts == tuple(map(str, range(300)))


def test_samples_are_not_read_before_they_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("samples were read")

    monkeypatch.setattr(soundfile.SoundFile, "read", refuse)
    sound(tmp_path / "yes" / "a.wav")
    sound(tmp_path / "no" / "a.wav")
    assert len(read_recordings(tmp_path)) == 2


@pytest.fixture
def _cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))


@pytest.mark.data
@pytest.mark.usefixtures("_cache")
def test_the_digits_have_their_official_split() -> None:
    train = catalog.load("fsdd-train", download=False)
    test = catalog.load("fsdd-test", download=False)
    assert (str(train), str(test)) == (
        "2,700 recordings, 20 min, 6 speakers",
        "300 recordings, 2 min, 6 speakers",
    )
    takes = [
        {int(one.path.stem.split("_")[2]) for one in part.items if one.path}
        for part in (train, test)
    ]
    assert takes == [set(range(5, 50)), set(range(5))]
    for part in (train, test):
        assert part.labelled
        assert set(part.texts) == set("0123456789")
        assert {one.rate for one in part.items} == {8000.0}


@pytest.mark.data
@pytest.mark.usefixtures("_cache")
def test_an4_has_its_known_sizes_and_no_speaker_on_both_sides() -> None:
    train = catalog.load("an4-train", download=False)
    test = catalog.load("an4-test", download=False)
    assert (len(train), len(test), train.kind, train.labelled) == (948, 130, "features", False)
    frames = sum(round(one.seconds * 100) for part in (train, test) for one in part.items)
    assert frames == 289_252
    assert test.items[0].text == "RUBOUT G M E F THREE NINE"
    assert not {one.speaker for one in train.items} & {one.speaker for one in test.items}
    assert not any(set("<>()") & set(text) for text in train.texts + test.texts)


@pytest.mark.data
@pytest.mark.usefixtures("_cache")
def test_an_exported_set_of_recordings_is_read_as_the_set_itself(tmp_path: Path) -> None:
    for name in ("fsdd-test", "an4-test"):
        whole = catalog.load(name, download=False)
        found = read_recordings(catalog.export(name, tmp_path / name, download=False))
        assert sorted(map(str, told(found))) == sorted(map(str, told(whole)))
        assert (found.kind, found.labelled) == (whole.kind, whole.labelled)
