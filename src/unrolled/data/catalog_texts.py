"""The catalog's texts with labels and words with tags: reading each form, writing plain files."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unrolled.data.encodings import decode_text
from unrolled.data.files import read_bytes
from unrolled.data.labelled import LabelledTexts, read_labelled
from unrolled.data.labelled_folder import ARCHIVES
from unrolled.data.tagged import TaggedSentences, read_tagged, write_conll
from unrolled.errors import DataError

if TYPE_CHECKING:
    from unrolled.data.catalog import Entry


def load_texts(
    wanted: Entry, path: Path, options: dict[str, Any]
) -> LabelledTexts | TaggedSentences:
    """A set of kind "labelled" or "tagged" from the form of it that is at hand.

    Args:
        wanted: the set.
        path: its file, as kept or as published.
        options: of the reader; `within`: the folder of a published archive that is meant; `names`:
            other names for the labels.

    Raises: as the readers.
    """
    if wanted.kind == "tagged":
        return replace(read_tagged(path, **options), name=wanted.name)
    within, names = options.pop("within", ""), options.pop("names", {})
    if wanted.reader == "polarity":
        found = _polarity(path, options.pop("encoding", "utf-8"))
    elif path.name.endswith(ARCHIVES):
        found = read_labelled(path, within=within)
    else:
        found = read_labelled(path, **options)
    return replace(found.renamed(names), name=wanted.name)


def write_texts(
    loaded: LabelledTexts | TaggedSentences, origin: Path, path: Path, suffix: str
) -> None:
    """Write a loaded set: labelled texts as CSV or JSON lines, tagged words as CoNLL.

    Args:
        loaded: the set.
        origin: the file that it was read from; CoNLL-U is written as it stands there.
        path: where to.
        suffix: which form.
    """
    if isinstance(loaded, TaggedSentences):
        if suffix == ".conllu":
            path.write_bytes(read_bytes(origin))
        else:
            write_conll(loaded, path)
        return
    labels: Any = loaded.labels or [None] * len(loaded)
    if suffix == ".jsonl":
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            for text, label in zip(loaded.texts, labels, strict=True):
                file.write(json.dumps({"text": text, "label": label}, ensure_ascii=False) + "\n")
        return
    import polars as pl

    plain = ["|".join(one) if isinstance(one, tuple) else one for one in labels]
    pl.DataFrame({"text": loaded.texts, "label": plain}).write_csv(path)


def _polarity(path: Path, encoding: str) -> LabelledTexts:
    """A file of lines for each of the labels "neg" and "pos", two files or both in an archive."""
    raw = {}
    if path.name.endswith(ARCHIVES):
        with tarfile.open(path) as archive:
            for one in archive:
                content = archive.extractfile(one) if one.isfile() else None
                if content is not None and one.name.endswith((".neg", ".pos")):
                    raw[one.name[-3:]] = content.read()
    else:
        for label in ("neg", "pos"):
            raw[label] = read_bytes(path.with_name(path.name.replace(".neg", f".{label}")))
    texts: list[str] = []
    labels: list[str] = []
    for label in ("neg", "pos"):
        if label not in raw:
            raise DataError(f"holds no file of the label {label!r}: fetch it again", file=path)
        # split at line ends alone: str.splitlines() would also cut at other marks
        lines = decode_text(raw[label], path, encoding).removesuffix("\n").split("\n")
        texts += [line.strip() for line in lines]
        labels += [label] * len(lines)
    return read_labelled((texts, labels))
