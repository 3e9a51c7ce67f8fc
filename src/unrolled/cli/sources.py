"""What a person names as input: files, or `data:NAME` for a set of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.cli.options import spelt
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.data.pairs import SentencePairs
    from unrolled.data.recordings import Recordings
    from unrolled.data.series_set import SeriesSet
    from unrolled.tasks.forecaster import Forecaster

CATALOG = "data:"


def table_of(source: str, reading: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What `Forecaster.fit` takes: a file and how it is read, or series that have been read.

    Args:
        source: a file, or a set of the catalog.
        reading: options of `unrolled.read_series`, before the set's own.
    """
    if not source.startswith(CATALOG):
        return source, reading
    from unrolled.data import catalog

    found = _entry(source, "series")
    if found.reader == "series":
        return str(catalog.get(found.name)), {**found.options, **reading}
    if found.reader == "by-row" and set(reading) - {"missing"}:
        raise ConfigError(
            f"{source} has no columns to name: its rows are the series; write it as a table with"
            f" `unrolled data get {found.name} --out FILE`"
        )
    return catalog.load(found.name, **{"missing": "mask", **reading}), {}


def series_of(source: str, reading: dict[str, Any]) -> SeriesSet:
    """The series of a table or of a catalog set; options as for `unrolled.read_series`."""
    from unrolled.data.series import read_series

    data, columns = table_of(source, reading)
    return read_series(data, **columns)


def history_of(task: Forecaster, source: str, reading: dict[str, Any]) -> SeriesSet:
    """The series of a later table: read as the one of the training, but for what is given."""
    data, columns = table_of(source, reading)
    trained = {name: value for name, value in task.columns.to_dict().items() if value is not None}
    return task.columns.with_({**columns, **trained, **reading}).read(data)


def corpus_of(sources: Sequence[str], reading: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """What a `Generator` reads, and how: paths, or the documents of catalog sets.

    Args:
        sources: files, folders and catalog sets; of text, or of labelled texts.
        reading: the options that were given, for tables.
    """
    if not any(one.startswith(CATALOG) for one in sources):
        from unrolled.cli.models import refuse
        from unrolled.data.corpus_tables import is_table

        if not any(is_table(Path(one)) for one in sources):
            refuse(reading, f"of tables only, and {sources[0]} is none")
        return (sources[0] if len(sources) == 1 else list(sources)), reading
    from unrolled.data import catalog
    from unrolled.data.corpus import Corpus

    if len(sources) == 1:
        return catalog.load(_entry(sources[0], "text", "labelled").name), {}
    documents: list[str] = []
    for one in sources:
        known = one.startswith(CATALOG)
        found = catalog.load(_entry(one, "text").name) if known else Corpus.of(Path(one), **reading)
        documents.append(found if isinstance(found, str) else "".join(found.pieces()))
    return documents, {}


def loaded(source: str, kind: str, **reading: Any) -> Any:
    """What `fit` takes of texts, tagged words or pairs: a file's path, or a set that is read.

    Args:
        source: a file, or a set of the catalog.
        kind: "labelled", "tagged", "pairs" or "recordings".
        reading: how the set is read, where it is one; `fit` reads files itself.
    """
    if not source.startswith(CATALOG):
        return source
    from unrolled.data import catalog

    return catalog.load(_entry(source, kind).name, **reading)


def share_or_file(told: str | None, kind: str, reading: dict[str, Any]) -> Any:
    """A share as a number, or what `loaded` makes of a file."""
    try:
        return None if told is None else float(told)
    except ValueError:
        return loaded(str(told), kind, **reading)


# What a file holds, by the end of its name; other tables hold series unless it is said otherwise.
_KINDS = {
    "tagged": (".conll", ".conllu", ".conll.gz", ".conllu.gz", ".iob", ".bio"),
    "labelled": (".jsonl", ".jsonl.gz", ".tsv", ".tsv.gz", ".tar.gz", ".tgz"),
    "text": (".txt", ".txt.gz", ".md"),
}


def kind_of(source: str) -> str:
    """What a file, a folder or a catalog set holds.

    "series", "text", "labelled", "tagged", "pairs" or "recordings".
    """
    if source.startswith(CATALOG):
        from unrolled.data import catalog

        return str(catalog.entry(source.removeprefix(CATALOG)).kind)
    from unrolled.data.recordings_kind import holds_recordings

    if holds_recordings(source):
        return "recordings"
    if Path(source).is_dir():
        return "labelled"
    if isinstance(paired(source), tuple):
        return "pairs"
    from unrolled.data.pairs_kind import holds_pairs

    kind = next((kind for kind, ends in _KINDS.items() if source.lower().endswith(ends)), "series")
    return "pairs" if kind != "tagged" and holds_pairs(source) else kind


def paired(source: str) -> str | tuple[str, str]:
    """ "train.de,train.en" as two files; what is a file itself stays."""
    first, comma, second = source.partition(",")
    if comma and first and second and "," not in second and not Path(source).exists():
        return first, second
    return source


def files_of_pairs(named: Sequence[str], option: str = "FILE") -> tuple[str, ...]:
    """One file or set that holds both sides, or two files that go line by line.

    Args:
        named: one, two, or two with a comma between; none gives none.
        option: where they were named, for the error.

    Raises:
        ConfigError: more than two, or a set of the catalog beside another file.
    """
    if len(named) == 1:
        files = paired(named[0])
        return (files,) if isinstance(files, str) else files
    if not named:
        return ()
    whole = [one for one in named if one.startswith(CATALOG) or isinstance(paired(one), tuple)]
    if len(named) > 2 or whole:
        raise ConfigError(
            f"{option}: got {', '.join(named)}; expected one that holds both sides of the pairs, or"
            " two files whose lines belong together"
        )
    return tuple(named)


def pairs_of(
    named: str | Sequence[str], reading: dict[str, Any], option: str = "FILE"
) -> SentencePairs:
    """Pairs of sentences: of a file, of two, or of a catalog set.

    Args:
        named: as for `files_of_pairs`, or one of them.
        reading: the columns.
        option: where they were named, for the error.
    """
    from unrolled.data.pairs import read_pairs

    return read_pairs(unread_pairs(named, option), **reading)


def unread_pairs(named: str | Sequence[str], option: str = "FILE") -> Any:
    """The same for a task, which reads by itself and remembers how: paths, or a catalog set."""
    files = files_of_pairs([named] if isinstance(named, str) else named, option)
    return files if len(files) == 2 else loaded(files[0], "pairs")


def share_or_pairs(named: Sequence[str] | None, option: str) -> Any:
    """A share as a number, or what `unread_pairs` makes of files."""
    if not named:
        return None
    try:
        (told,) = named
        return float(told)
    except ValueError:
        return unread_pairs(named, option)


def recordings_of(source: str, reading: dict[str, Any]) -> Recordings:
    """Recordings for the data doctor: what can't be used is left out and told in their notes.

    Args:
        source: a folder, a list or table, or a set of the catalog.
        reading: options of `unrolled.data.read_recordings`.
    """
    from unrolled.data.recordings_reading import read_recordings

    if source.startswith(CATALOG) and reading:
        raise ConfigError(f"{source} is read as it is: leave out {', '.join(map(spelt, reading))}")
    return read_recordings(loaded(source, "recordings"), **{"skip": True, **reading})


def texts_of(source: str, kind: str, reading: dict[str, Any]) -> Any:
    """Texts, labelled or tagged, for the data doctor."""
    if kind == "text":
        from unrolled.data.corpus import Corpus

        return Corpus.of(corpus_of([source], {})[0])
    found = loaded(source, kind, **reading)
    if kind == "labelled":
        from unrolled.data.labelled import read_labelled

        return read_labelled(found, **(reading if found is source else {}))
    from unrolled.data.tagged import read_tagged

    return read_tagged(found, **(reading if found is source else {}))


def _entry(source: str, *kinds: str) -> Any:
    from unrolled.data import catalog

    found = catalog.entry(source.removeprefix(CATALOG))
    if found.kind not in kinds:
        raise ConfigError(
            f"{source} holds {found.kind}, and {' or '.join(kinds)} is needed here; `unrolled data"
            " list` shows the kind of each set"
        )
    return found
