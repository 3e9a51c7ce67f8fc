"""The catalog: embedded sets are at hand, and nothing with another sum is taken for a set."""

from __future__ import annotations

import gzip
import hashlib
import io
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pooch
import pytest

from unrolled.data import (
    SeriesSet,
    catalog,
    read_labelled,
    read_pairs,
    read_series,
    read_tagged,
)
from unrolled.data.catalog_pairs import split_fixed
from unrolled.errors import ConfigError, DataError, OutputError

EMBEDDED = [one.name for one in catalog.entries() if one.embedded]
KEPT = [one.name for one in catalog.entries() if one.local is not None]


@pytest.fixture
def nowhere(monkeypatch, tmp_path) -> Path:
    """No folder of data, an empty cache, and a network that must not be asked."""
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))

    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    return tmp_path


def test_every_entry_is_complete():
    for one in catalog.entries():
        assert one.title
        assert one.licence
        assert one.kind in get_args(catalog.Kind)
        assert one.embedded != (one.local is not None)
        if one.address is not None:
            assert one.address.startswith("https://")
            assert one.published is not None
        for form in (one.published, one.local, one.beside):
            sums = [] if form is None else [form.sha256 or form.contents]
            assert all(len(bytes.fromhex(total)) == 32 for total in sums)
        if one.kind == "series":
            assert one.season >= 1
            assert one.horizon >= 1


@pytest.mark.parametrize("name", EMBEDDED)
def test_embedded_sets_load_without_network_or_folder(nowhere, name):
    found = catalog.load(name, download=False)
    assert catalog.get(name, download=False).is_file()
    if catalog.entry(name).kind == "text":
        assert isinstance(found, str)
        assert len(found) > 300_000
    else:
        assert isinstance(found, SeriesSet)
        assert all(np.isfinite(values).all() for values in found.values)


def test_the_embedded_series_are_what_their_titles_say(nowhere):
    seattle = catalog.load("seattle-weather")
    assert seattle.ids == ("precipitation", "temp_max", "temp_min", "wind")
    assert seattle.lengths.tolist() == [1461] * 4
    assert seattle.frequency.alias == "D"
    assert catalog.load("seattle-weather", value_columns="temp_max").ids == ("temp_max",)
    stocks = catalog.load("stocks")
    assert set(stocks.ids) == {"MSFT", "AMZN", "IBM", "GOOG", "AAPL"}
    assert stocks.frequency.alias == "MS"
    crimea = catalog.load("crimea")
    assert crimea.ids == ("wounds", "other", "disease")
    assert crimea.lengths.tolist() == [24] * 3
    assert str(crimea.times[0][0].astype("datetime64[D]")) == "1854-04-01"
    assert catalog.load("us-employment").frequency.alias == "MS"


def test_embedded_sets_are_read_without_importing_their_package():
    code = (
        "import sys; from unrolled.data import catalog; catalog.load('seattle-weather'); "
        "catalog.load('crimea'); "
        "print([m for m in ('vega_datasets', 'pandas') if m in sys.modules])"
    )
    folder = str(Path(catalog.__file__).parents[2])
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": folder, "PATH": ""},
        check=True,
    )
    assert run.stdout.strip() == "[]"


def test_underscores_and_capitals_are_forgiven_and_other_names_answered_with_the_closest():
    assert catalog.entry("Tiny_Shakespeare").name == "tiny-shakespeare"
    with pytest.raises(ConfigError, match="did you mean 'illness'"):
        catalog.entry("illnes")


def place(folder: Path, name: str, content: bytes, monkeypatch) -> None:
    """A folder of data with a file of this content, whose sum the catalog is made to know."""
    known = catalog.entry(name)
    form = catalog.Form(known.local.file, hashlib.sha256(content).hexdigest())
    changed = {**catalog._table(), name: replace(known, local=form)}
    monkeypatch.setattr(catalog, "_table", lambda: changed)
    path = folder / known.local.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_folders_are_looked_through_in_their_order(nowhere, monkeypatch):
    import os

    monkeypatch.setenv(
        "UNROLLED_DATA", os.pathsep.join([str(nowhere / "none"), str(nowhere / "data")])
    )
    assert catalog.find("ett-h1") is None
    content = b"date,OT\n2016-07-01,1\n2016-07-02,2\n"
    place(nowhere / "data", "ett-h1", content, monkeypatch)
    assert catalog.find("ett-h1") == nowhere / "data" / "ett" / "ETTh1.csv.gz"
    assert catalog.get("ett-h1", download=False).read_bytes() == content


def test_a_file_with_another_sum_is_refused(nowhere, monkeypatch):
    (nowhere / "data" / "ett").mkdir(parents=True)
    (nowhere / "data" / "ett" / "ETTh1.csv.gz").write_bytes(b"something else")
    monkeypatch.setenv("UNROLLED_DATA", str(nowhere / "data"))
    with pytest.raises(DataError, match="sha256") as caught:
        catalog.get("ett-h1")
    assert caught.value.file.endswith("ETTh1.csv.gz")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "told"), [("ett-h1", "unrolled data get ett-h1"), ("stocks-5yr", "UNROLLED_DATA")]
)
def test_without_download_the_way_to_the_set_is_told(nowhere, name, told):
    with pytest.raises(DataError, match=told):
        catalog.get(name, download=False)


def test_a_set_without_an_address_is_not_asked_for(nowhere):
    with pytest.raises(DataError, match="no public address"):
        catalog.get("weather-hourly")


class Served:
    """A stand-in for pooch's HTTP downloader: writes these bytes, or fails after some of them."""

    def __init__(self, content: bytes, error: Exception | None = None) -> None:
        self.content = content
        self.error = error

    def __call__(self, url, output_file, *args, **kwargs) -> None:
        Path(output_file).write_bytes(self.content)
        if self.error is not None:
            raise self.error


@pytest.fixture
def served(monkeypatch, tmp_path):
    """Answers to downloads; returns the folder in which nothing partial may stay."""
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "cache"))

    def serve(content: bytes, error: Exception | None = None) -> Path:
        monkeypatch.setattr(pooch.core, "choose_downloader", lambda *a, **k: Served(content, error))
        return tmp_path / "cache"

    return serve


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_fetched_set_is_kept_and_not_fetched_again(served, monkeypatch):
    content = b"To be, or not to be"
    known = catalog.entry("tiny-shakespeare")
    form = catalog.Form("input.txt", hashlib.sha256(content).hexdigest())
    changed = {**catalog._table(), known.name: replace(known, published=form)}
    monkeypatch.setattr(catalog, "_table", lambda: changed)
    folder = served(content)
    path = catalog.get("tiny-shakespeare")
    assert files(folder) == [path]
    served(b"", OSError("must not be asked"))
    assert catalog.load("tiny-shakespeare") == content.decode()


def test_a_fetched_file_with_another_sum_is_thrown_away(served):
    folder = served(b"moved permanently")
    with pytest.raises(DataError, match=r"https://.*another sha256.*nothing was kept") as caught:
        catalog.get("tiny-shakespeare")
    assert "\n" not in str(caught.value)
    assert files(folder) == []


def test_a_download_that_breaks_off_leaves_nothing(served):
    import requests

    folder = served(b"To be, or", requests.exceptions.ConnectionError("reset\nby peer"))
    with pytest.raises(DataError, match=r"https://raw\.githubusercontent\.com/karpathy") as caught:
        catalog.get("tiny-shakespeare")
    assert "check the network" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert files(folder) == []


def test_a_cache_that_cannot_be_made_is_told(served, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path / "file"))
    served(b"")
    with pytest.raises(OutputError, match="UNROLLED_CACHE"):
        catalog.get("tiny-shakespeare")


@pytest.mark.data
@pytest.mark.parametrize("name", KEPT)
def test_kept_sets_have_their_sums_and_load(name, monkeypatch, tmp_path):
    monkeypatch.setenv("UNROLLED_CACHE", str(tmp_path))
    path = catalog.find(name)
    if path is None:
        pytest.skip(f"{name} is not in UNROLLED_DATA")
    found = catalog.load(name, download=False)
    kind = catalog.entry(name).kind
    if kind == "text":
        assert len(found) > (5_000 if name == "homophones" else 1_000_000)
    elif kind == "series":
        assert len(found) >= 1
        assert found.frequency.dated
    elif kind == "pairs":
        assert len(found) > 400
        assert found.columns == ("de", "en")
        assert found.one_sided == ()
        assert found.name == name
    elif kind == "pronunciations":
        assert len(found) > 100_000
        assert {"right", "rite"} <= set(found.alike("write"))
        assert found.name == name
    elif kind == "recordings":
        assert len(found) >= 130
        assert all(one.text and one.speaker and one.seconds > 0.1 for one in found.items)
        assert found.name == name
    else:
        assert len(found) > 1_000
        assert len(found.classes) > 1
        assert found.name == name


@pytest.mark.data
def test_kept_files_are_the_published_ones_in_gzip():
    """The sum of the published form is that of the kept one, unpacked."""
    from unrolled.data.files import read_bytes

    for name in KEPT:
        known, path = catalog.entry(name), catalog.find(name)
        # two files are as published; archives hold more than one set
        packed = known.published is not None and known.published.file.endswith(".gz")
        if path is not None and known.published is not None and not packed:
            assert hashlib.sha256(read_bytes(path)).hexdigest() == known.published.sha256


@pytest.mark.data
def test_the_competitions_series_have_their_known_sizes():
    m4 = catalog.load("m4-hourly", download=False)
    assert len(m4) == 414
    assert set(m4.lengths.tolist()) == {700, 960}
    assert m4.frequency.season == 24
    assert catalog.load("m4-hourly-test", download=False).lengths.tolist() == [48] * 414
    covid = catalog.load("covid19-confirmed", download=False)
    assert len(covid) == 285
    assert covid.lengths.max() == 926
    stocks = catalog.load("stocks-5yr", download=False)
    assert len(stocks) == 100
    assert stocks.frequency.alias == "B"
    assert catalog.load("illness", download=False).frequency.alias == "W"
    assert catalog.load("weather-hourly", download=False).lengths.tolist() == [35064] * 12


def test_an_exported_set_is_read_as_the_set_itself(nowhere):
    for name in ("crimea", "seattle-weather"):
        read = read_series(catalog.export(name, nowhere / f"{name}.csv"))
        assert (
            read.to_frame()
            .sort("unique_id", "ds")
            .equals(catalog.load(name).to_frame().sort("unique_id", "ds"))
        )
    text = catalog.export("python-docs", nowhere / "docs.txt").read_text(encoding="utf-8")
    assert text == catalog.load("python-docs")


def packed(folder: Path, files: dict[str, bytes]) -> bytes:
    """The bytes of a .tar.gz with these files."""
    path = folder / "packed.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path.read_bytes()


def publish(name: str, content: bytes, monkeypatch) -> None:
    """Make the catalog know the sum of this content for what is published."""
    known = catalog.entry(name)
    form = catalog.Form(known.published.file, hashlib.sha256(content).hexdigest())
    changed = {**catalog._table(), name: replace(known, published=form)}
    monkeypatch.setattr(catalog, "_table", lambda: changed)


def test_both_parts_of_an_archive_are_read_from_one_download(served, monkeypatch, tmp_path):
    files = {
        f"aclImdb/{part}/{label}/0_9.txt": f"{part} {label}".encode()
        for part in ("train", "test")
        for label in ("pos", "neg")
    }
    content = packed(tmp_path, files | {"aclImdb/README": b"", "aclImdb/train/unsup/0_0.txt": b"u"})
    publish("imdb-train", content, monkeypatch)
    publish("imdb-test", content, monkeypatch)
    served(content)
    train = catalog.load("imdb-train")
    assert (train.texts, train.labels) == (("train neg", "train pos"), ("negative", "positive"))
    assert (train.unlabelled, train.name) == (("u",), "imdb-train")
    served(b"", OSError("must not be asked"))
    assert catalog.load("imdb-test").texts == ("test neg", "test pos")


def test_two_files_of_lines_are_read_from_their_archive(served, monkeypatch, tmp_path):
    files = {
        "rt-polaritydata/rt-polarity.neg": b"so so .\nbad \x85 or\x1cworse",
        "rt-polaritydata/rt-polarity.pos": b"good .\r\n",
    }
    content = packed(tmp_path, files)
    publish("mr", content, monkeypatch)
    served(content)
    found = catalog.load("mr")
    # byte 0x85 is an ellipsis, and neither it nor 0x1c is the end of a line
    assert found.texts == ("so so .", "bad \u2026 or\x1cworse", "good .")
    assert found.labels == ("negative", "negative", "positive")


def test_the_second_file_of_a_set_must_be_there_and_be_right(nowhere, monkeypatch):
    place(nowhere / "data", "mr", gzip.compress(b"bad\n"), monkeypatch)
    monkeypatch.setenv("UNROLLED_DATA", str(nowhere / "data"))
    with pytest.raises(DataError, match=r"rt-polarity\.pos\.gz: is missing"):
        catalog.find("mr")
    (nowhere / "data" / "mr" / "rt-polarity.pos.gz").write_bytes(b"other")
    with pytest.raises(DataError, match=r"rt-polarity\.pos\.gz: has sha256"):
        catalog.find("mr")


def test_labelled_and_tagged_sets_are_written_as_the_tasks_read_them(nowhere, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(nowhere / "data"))
    lines = "1\tHi\t_\tINTJ\tUH\t_\t0\troot\t_\t_\n\n"
    place(nowhere / "data", "ud-ewt-dev", gzip.compress(lines.encode()), monkeypatch)
    loaded = catalog.load("ud-ewt-dev")
    assert (loaded.words, loaded.tags, loaded.column) == ((("Hi",),), (("INTJ",),), "upos")
    for suffix in (".conll", ".conllu"):
        written = read_tagged(catalog.export("ud-ewt-dev", nowhere / f"a{suffix}"))
        assert (written.words, written.tags) == (loaded.words, loaded.tags)
    rows = 'id,label,stars,text\n0,0,2,"so, so"\n1,1,9,"he said ""yes""\nand no"\n'
    place(nowhere / "data", "imdb-test", gzip.compress(rows.encode()), monkeypatch)
    loaded = catalog.load("imdb-test")
    assert loaded.texts == ("so, so", 'he said "yes"\nand no')
    assert loaded.labels == ("negative", "positive")
    for suffix in (".csv", ".jsonl"):
        written = read_labelled(catalog.export("imdb-test", nowhere / f"a{suffix}"))
        assert (written.texts, written.labels) == (loaded.texts, loaded.labels)
    with pytest.raises(ConfigError, match=r"written as \.csv or \.jsonl"):
        catalog.export("imdb-test", nowhere / "a.txt")


@pytest.mark.data
def test_labelled_and_tagged_sets_have_their_known_sizes():
    mr = catalog.load("mr", download=False)
    assert mr.counts() == {"negative": 5331, "positive": 5331}
    names = catalog.load("names", download=False)
    assert (len(names), len(names.classes)) == (20050, 18)
    imdb = catalog.load("imdb-test", download=False)
    assert imdb.counts() == {"negative": 12500, "positive": 12500}
    for part, sentences, words in (("dev", 2001, 25147), ("test", 2077, 25094)):
        found = catalog.load(f"ud-ewt-{part}", download=False)
        assert (len(found), found.word_count, len(found.classes)) == (sentences, words, 17)


def two_files(name: str, monkeypatch) -> tuple[bytes, bytes]:
    """Make the catalog know the sums of two short files for a set that is kept as two."""
    first, second = gzip.compress(b"Hallo.\nJa.\n"), gzip.compress(b"Hello.\nYes.\n")
    known = catalog.entry(name)
    sums = [hashlib.sha256(content).hexdigest() for content in (first, second)]
    forms = {
        "published": replace(known.published, sha256=sums[0]),
        "local": replace(known.local, sha256=sums[0]),
        "beside": replace(known.beside, sha256=sums[1]),
    }
    changed = {**catalog._table(), name: replace(known, **forms)}
    monkeypatch.setattr(catalog, "_table", lambda: changed)
    return first, second


def test_pairs_in_two_files_are_both_fetched_and_read_in_either_direction(
    served, monkeypatch, tmp_path
):
    first, second = two_files("multi30k-val", monkeypatch)
    asked = []

    def serve(url, *args, **kwargs):
        asked.append(url)
        return Served(second if url.endswith(".en.gz") else first)

    monkeypatch.setattr(pooch.core, "choose_downloader", serve)
    found = catalog.load("multi30k-val")
    assert (found.sources, found.targets) == (("Hallo.", "Ja."), ("Hello.", "Yes."))
    assert (found.name, found.columns) == ("multi30k-val", ("de", "en"))
    assert catalog.load("multi30k-val", source="en") == found.turned()
    assert len(asked) == 2
    # a download that broke off between the two is taken up again
    catalog.find("multi30k-val").with_name("val.en.gz").unlink()
    assert catalog.find("multi30k-val") is None
    assert catalog.load("multi30k-val", target="en") == found
    assert len(asked) == 3
    for suffix in (".tsv", ".jsonl"):
        written = read_pairs(catalog.export("multi30k-val", tmp_path / f"a{suffix}"))
        assert (written.sources, written.targets) == (found.sources, found.targets)


def test_a_changed_second_file_of_pairs_is_refused(nowhere, monkeypatch):
    first, _ = two_files("multi30k-val", monkeypatch)
    folder = nowhere / "data" / "multi30k"
    folder.mkdir(parents=True)
    (folder / "val.de.gz").write_bytes(first)
    monkeypatch.setenv("UNROLLED_DATA", str(nowhere / "data"))
    assert catalog.find("multi30k-val") is None
    (folder / "val.en.gz").write_bytes(b"other")
    with pytest.raises(DataError, match=r"val\.en\.gz: has sha256"):
        catalog.find("multi30k-val")


def test_the_parts_of_tatoeba_share_no_sentence_and_hold_all_pairs(nowhere, monkeypatch):
    rows = [(f"Sentence {n % 97}", f"Satz {n % 149}") for n in range(400)]
    rows += [(f"Alone {n}", f"Allein {n}") for n in range(60)]
    text = "".join(f"{en}\t{de}\n" for en, de in dict.fromkeys(rows))
    whole = read_pairs([tuple(line.split("\t")) for line in text.splitlines()])
    parts = split_fixed(whole, held_out=20)
    assert [len(parts[name]) for name in ("test", "validation")] == [20, 20]
    assert sum(map(len, parts.values())) == len(whole)
    for side in ("sources", "targets"):
        seen = [set(getattr(part, side)) for part in parts.values()]
        assert sum(map(len, seen)) == len(set.union(*seen))
    # a pair more moves no other pair
    more = read_pairs([("New", "Neu"), *zip(whole.sources, whole.targets, strict=True)])
    kept = set(split_fixed(more, held_out=20)["test"].sources) & set(parts["test"].sources)
    assert len(kept) >= 19
    monkeypatch.setenv("UNROLLED_DATA", str(nowhere / "data"))
    place(nowhere / "data", "tatoeba-de-en", gzip.compress(text.encode()), monkeypatch)
    found = catalog.load("tatoeba-de-en")
    assert (found.sources, found.targets) == (whole.targets, whole.sources)
    assert catalog.load("tatoeba-de-en", source="en").sources == whole.sources


@pytest.mark.data
def test_the_parts_of_tatoeba_have_their_known_sizes():
    parts = [catalog.load(f"tatoeba-de-en-{name}", download=False) for name in ("val", "test")]
    assert [len(one) for one in parts] == [2_000, 2_000]
    assert not set(parts[0].targets) & set(parts[1].targets)
    assert parts[1].digest().hex()[:16] == "c34a0a5b5fb1a9f2"
