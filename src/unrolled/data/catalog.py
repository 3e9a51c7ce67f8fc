"""Public data by name: where it is, under which licence, and how it is read.

A set is looked for in the package that carries it, then in the folders of `UNROLLED_DATA`
(separated by `:`; `;` on Windows), then in the cache (`UNROLLED_CACHE`, else the system's folder
for caches), and only then fetched from its address. Whatever is found must have the sha256 that the
table `catalog.toml` gives.
"""

from __future__ import annotations

import hashlib
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal

from unrolled.errors import ConfigError, DataError, OutputError
from unrolled.writing import replacing

Kind = Literal["series", "text", "labelled", "tagged", "pairs", "recordings", "pronunciations"]

_READERS = (
    *("series", "by-row", "json", "text", "python-docs", "labelled", "polarity", "tagged", "pairs"),
    *("recordings", "pronunciations"),
)
_SUFFIXES: dict[str, tuple[str, ...]] = {
    "series": (".csv",),
    "text": (".txt",),
    "labelled": (".csv", ".jsonl"),
    "tagged": (".conll", ".conllu"),
    "pairs": (".tsv", ".jsonl"),
    "recordings": ("",),
    "pronunciations": (".dict",),
}


@dataclass(frozen=True)
class Form:
    """A file in which a set is kept.

    Attributes:
        file: path or name.
        sha256: of its bytes; None: any.
        contents: of an archive that may be packed anew, the sum of what lies in its folder
            `within`, as `unrolled.data.archives.contents_sha256` has it.
    """

    file: str
    sha256: str | None = None
    contents: str | None = None
    within: str = ""


@dataclass(frozen=True)
class Entry:
    """A public data set.

    Attributes:
        name, title: what to ask for it by, and what it is.
        kind: "series", "text", "labelled" (texts with labels), "tagged" (words with tags),
            "pairs" (sentences with their translations), "recordings" (sounds with what is said) or
            "pronunciations" (words with how they are said).
        licence: as its origin states it.
        address: where it is published; None for a set that is inside a package or local only.
        published: the file at the address.
        local: the file as kept in a folder of `UNROLLED_DATA`.
        beside: a second file that is kept there and belongs to it.
        beside_address: where the second file is published as it is kept; None where `published`
            holds both.
        family: the sets that are parts of one published file have the same.
        package: the installed package that carries it, with `inside` as its file there.
        reader, options: how `load` reads it.
        season, horizon: customary number of steps of a season and of a forecast.
    """

    name: str
    title: str
    kind: Kind
    licence: str
    reader: str
    address: str | None = None
    published: Form | None = None
    local: Form | None = None
    beside: Form | None = None
    beside_address: str | None = None
    family: str | None = None
    package: str | None = None
    inside: Form | None = None
    options: dict[str, Any] = field(default_factory=dict)
    season: int | None = None
    horizon: int | None = None

    @property
    def folder(self) -> str:
        """Its folder in the cache; the parts of one published archive share theirs."""
        return self.family or self.name

    @property
    def embedded(self) -> bool:
        """Whether it comes inside an installed package and needs neither network nor folder."""
        return self.package is not None


def entries() -> list[Entry]:
    """Every set that is known, in the order of the table."""
    return list(_table().values())


def entry(name: str) -> Entry:
    """The set of that name; ConfigError with the known names where there is none."""
    table = _table()
    plain = name.lower().replace("_", "-")
    if plain not in table:
        from difflib import get_close_matches

        close = get_close_matches(plain, table, n=1)
        guess = f"did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"there is no data set {name!r}: {guess}known are {', '.join(table)}")
    return table[plain]


def find(name: str) -> Path | None:
    """The file of a set that is at hand, its sum checked; None where it would have to be fetched.

    Raises: ConfigError for an unknown name, DataError for a file with another sha256.
    """
    wanted = entry(name)
    for path, form in _places(wanted):
        if path.is_file():
            _check(path, form)
            if _has_beside(wanted, path):
                return path
    return None


def get(name: str, *, download: bool = True) -> Path:
    """The file of a set, fetched from its address where it is not at hand.

    Raises: ConfigError for an unknown name; DataError where the file can't be had, or has another
    sha256 than the catalog's (a fetched one is then thrown away); OutputError where the cache can't
    be written.
    """
    found = find(name)
    if found is not None:
        return found
    wanted = entry(name)
    if wanted.package is not None:
        remedy = "install the whole standard library of Python"
        if wanted.package != "pydoc_data":
            remedy = f"pip install {wanted.package}"
        raise DataError(
            f"data set {wanted.name!r} comes with the package {wanted.package}, which is not here: "
            f"{remedy}"
        )
    assert wanted.local is not None
    if wanted.address is None or wanted.published is None:
        raise DataError(
            f"data set {wanted.name!r} has no public address: put its file at {wanted.local.file} "
            "in a folder and name the folder in UNROLLED_DATA"
        )
    if not download:
        raise DataError(
            f"data set {wanted.name!r} is not at hand: run `unrolled data get {wanted.name}`, or "
            f"name a folder that holds {wanted.local.file} in UNROLLED_DATA"
        )
    if wanted.beside is not None and wanted.beside_address is not None:
        second = replace(wanted.beside, file=Path(wanted.beside.file).name)
        _fetch(wanted, wanted.beside_address, second)
    return _fetch(wanted, wanted.address, wanted.published)


def load(name: str, *, download: bool = True, **options: Any) -> Any:
    """A set as its reader gives it.

    A `SeriesSet`, the text, `LabelledTexts`, `TaggedSentences`, `SentencePairs`, `Recordings` or
    `Pronunciations`.

    Args:
        name: of the set.
        download: whether it may be fetched.
        options: of the reader (`value_columns`, `past_columns`, `missing`, ...; `column` of the
            tags, `source` and `target` of pairs), before the table's own.

    Raises: as `get`, and those of the reader.
    """
    wanted = entry(name)
    path = get(name, download=download)
    options = {**wanted.options, **options}
    if wanted.reader == "python-docs":
        from pydoc_data.topics import topics

        return "\n\n".join(topics.values())
    if wanted.reader == "text":
        from unrolled.data.text import read_text

        return read_text(path, **options)
    if wanted.kind in ("labelled", "tagged"):
        from unrolled.data.catalog_texts import load_texts

        return load_texts(wanted, path, options)
    if wanted.kind == "pairs":
        from unrolled.data.catalog_pairs import load_pairs

        return load_pairs(wanted, path, options)
    if wanted.kind == "recordings":
        from unrolled.data.catalog_recordings import load_recordings

        return load_recordings(wanted, path, options)
    if wanted.kind == "pronunciations":
        from unrolled.data.pronunciations import read_pronunciations

        return replace(read_pronunciations(path), name=wanted.name)
    if wanted.reader == "by-row":
        from unrolled.data.by_row import read_series_by_row

        return read_series_by_row(path, **options)
    from unrolled.data.series import read_series

    if wanted.reader == "json":
        import polars as pl

        return read_series(pl.read_json(path), **options)
    return read_series(path, **options)


def export(name: str, path: str | PathLike[str], *, download: bool = True) -> Path:
    """Write a set as a plain file, or recordings as a folder, that the tasks read as it is.

    Args:
        name: of the set.
        path: of the file: text as UTF-8 (.txt), series as a long CSV (`unique_id, ds, y`), labelled
            texts as .csv or .jsonl (`text, label`), tagged words as .conll (word, tag) or .conllu,
            pairs as .tsv or .jsonl, pronunciations as .dict, in the form of CMUdict. Recordings
            become a new folder, a name without an ending: the files, and `manifest.csv`.
            Where a value is missing in the set it is missing there: read it with `missing="mask"`.
        download: fetch the set where it is not at hand.

    Raises: as `load`; ConfigError for another suffix; OutputError where it can't be written.
    """
    known = entry(name)
    wanted = _SUFFIXES[known.kind]
    if Path(path).suffix not in wanted:
        named = " or ".join(wanted) or "a folder"
        raise ConfigError(f"{fspath(path)}: {name} is written as {named}; name it so")
    loaded = load(name, download=download)
    if known.kind == "recordings":
        from unrolled.data.catalog_recordings import write_recordings

        write_recordings(loaded, path)
        return Path(path)
    with replacing(path) as aside:
        if isinstance(loaded, str):
            aside.write_text(loaded, encoding="utf-8")
        elif known.kind == "series":
            loaded.to_frame().write_csv(aside)
        elif known.kind == "pairs":
            from unrolled.data.pairs import write_pairs

            write_pairs(loaded, aside, Path(path).suffix)
        elif known.kind == "pronunciations":
            loaded.write(aside)
        else:
            from unrolled.data.catalog_texts import write_texts

            write_texts(loaded, get(name, download=download), aside, Path(path).suffix)
    return Path(path)


def cache_folder() -> Path:
    """Where fetched files are kept: `UNROLLED_CACHE`, else the system's folder for caches."""
    told = os.environ.get("UNROLLED_CACHE")
    if told:
        return Path(told)
    import pooch

    return Path(pooch.os_cache("unrolled"))


@cache
def _table() -> dict[str, Entry]:
    with open(Path(__file__).with_name("catalog.toml"), "rb") as file:
        rows = tomllib.load(file)
    return {name: _entry(name, dict(row)) for name, row in rows.items()}


def _entry(name: str, row: dict[str, Any]) -> Entry:
    for form in ("published", "local", "beside"):
        if form in row:
            row[form] = Form(**row[form])
    if "package" in row:
        row["inside"] = Form(row.pop("file"), row.pop("sha256", None))
    assert row["reader"] in _READERS, name
    return Entry(name=name, **row)


def _places(wanted: Entry) -> Iterator[tuple[Path, Form]]:
    if wanted.package is not None and wanted.inside is not None:
        # the package's own folder: importing vega_datasets would import pandas
        spec = find_spec(wanted.package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            yield Path(folder) / wanted.inside.file, wanted.inside
    for folder in os.environ.get("UNROLLED_DATA", "").split(os.pathsep):
        if folder and wanted.local is not None:
            path = Path(folder) / wanted.local.file
            yield path, wanted.local
            if wanted.published is not None:
                yield path.with_name(wanted.published.file), wanted.published
    if wanted.address is not None and wanted.published is not None:
        yield cache_folder() / wanted.folder / wanted.published.file, wanted.published


def _check(path: Path, form: Form) -> None:
    if form.sha256 is not None:
        known, found = form.sha256, hashlib.sha256(path.read_bytes()).hexdigest()
    elif form.contents is not None:
        from unrolled.data.archives import contents_sha256

        known, found = form.contents, contents_sha256(path, form.within)
    else:
        return
    if found != known:
        raise DataError(
            f"has sha256 {found[:12]}... where the catalog has {known[:12]}...: it was changed or "
            "cut short; remove it and fetch it again",
            file=path,
        )


def _has_beside(wanted: Entry, path: Path) -> bool:
    """Whether the second file of a set that is kept as two is there, or none is needed.

    Raises: DataError where it is missing and can't be fetched, or has another sum.
    """
    if wanted.beside is None or wanted.local is None or path.name != Path(wanted.local.file).name:
        return True
    second = path.with_name(Path(wanted.beside.file).name)
    if second.is_file():
        _check(second, wanted.beside)
        return True
    if wanted.beside_address is None:
        raise DataError(f"is missing: put it beside {path.name}, to which it belongs", file=second)
    return False


def _fetch(wanted: Entry, address: str, form: Form) -> Path:
    import pooch

    folder = cache_folder() / wanted.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder} can't be made ({error.strerror}): name another folder in UNROLLED_CACHE"
        ) from None
    pooch.get_logger().setLevel("WARNING")
    try:
        # pooch writes aside and renames once the sum is right
        known = None if form.sha256 is None else f"sha256:{form.sha256}"
        fetched = pooch.retrieve(address, known_hash=known, fname=form.file, path=folder)
    except ValueError as error:
        if "hash" not in str(error).lower():
            raise _unreachable(wanted, address, error) from None
        raise _changed(address) from None
    except PermissionError as error:
        raise OutputError(
            f"{folder} can't be written ({error.strerror}): name another folder in UNROLLED_CACHE"
        ) from None
    except OSError as error:  # requests' errors are OSErrors
        raise _unreachable(wanted, address, error) from None
    if form.contents is not None:
        try:
            _check(Path(fetched), form)
        except DataError:
            Path(fetched).unlink()
            raise _changed(address) from None
    return Path(fetched)


def _changed(address: str) -> DataError:
    return DataError(
        f"what {address} gives is not the file that the catalog knows (another sha256): it was "
        "changed there; nothing was kept"
    )


def _unreachable(wanted: Entry, address: str, error: Exception) -> DataError:
    where = ""
    if wanted.local is not None:
        second = f" and {wanted.beside.file}" if wanted.beside is not None else ""
        where = f" or put {wanted.local.file}{second} in a folder named in UNROLLED_DATA"
    return DataError(
        f"{address} can't be reached ({type(error).__name__}): check the network{where}"
    )
