"""The folder that the set is made into: sounds, sentences, and the texts that models may learn."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from run_folder import tell, write

from heard_right_parts.drawn import Drawn, draw
from heard_right_parts.groups import homophones
from heard_right_parts.sentences import sentences, without_context
from heard_right_parts.voices import Speaker, way
from unrolled.data.espeak import Utterance
from unrolled.errors import DataError
from unrolled.writing import replacing

# Sentences of each lesson, those that it is validated by, and those that are scored.
SPOKEN, HELD_OUT, SCORED = 30_000, 300, 400
# What the recogniser learns, in order: first how many words sound, then words as often as they are
# said. Of each the power of `without_context`.
LESSONS = {"many": 0.5, "usual": 1.0}
SEEDS = {"train": 0, "validation": 1, "test": 2}


def make(folder: Path, spoken: int = SPOKEN, scored: int = SCORED) -> None:
    """Write what is not there yet; a run that was stopped goes on.

    `text/` has the sentences of each part, a line each; `many/` and `usual/` are the lessons of the
    recogniser, recordings of words without context in `train/` and `validation/`; `choose/` and
    `test/` hold the sentences with a homophone, the word that counts and its rivals in
    `drawn.json`.

    Raises:
        DataError: Tatoeba, CMUdict or the homophones are not at hand.
    """
    whole = sentences()
    groups = homophones(whole.train)
    texts = {"train": whole.train, "validation": whole.validation, "test": whole.test}
    (folder / "text").mkdir(parents=True, exist_ok=True)
    for part, some in texts.items():
        with replacing(folder / "text" / f"{part}.txt") as aside:
            aside.write_text("".join(f"{one}\n" for one in some))
    for name, part in (("choose", "validation"), ("test", "test")):
        _scored(folder / name, texts[part], groups, scored, part)
        tell(f"{name}: spoken")
    for number, (lesson, power) in enumerate(LESSONS.items()):
        for part, count in (("validation", HELD_OUT), ("train", spoken)):
            seed = SEEDS[part] + len(SEEDS) * number
            some = without_context(texts[part], count, seed, power)
            ways = [way(one, part, seed, at) for at, one in enumerate(some)]
            _recordings(folder / lesson / part, some, ways)
            tell(f"{lesson}, {part}: spoken")


def drawn_in(folder: Path) -> list[Drawn]:
    """The sentences of `choose/` or `test/`, in the order of the files."""
    rows = json.loads((folder / "drawn.json").read_text())
    return [
        Drawn(row["text"], row["place"], tuple(row["rivals"]), Utterance(**row["utterance"]))
        for row in rows
    ]


def _scored(
    folder: Path, pool: Sequence[str], groups: list[tuple[str, ...]], count: int, part: str
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "drawn.json").exists():
        write(folder / "drawn.json", [asdict(one) for one in draw(pool, groups, count, part, 3)])
    drawn = drawn_in(folder)
    _recordings(folder, [one.text for one in drawn], [one.utterance for one in drawn])


def _recordings(folder: Path, texts: Sequence[str], ways: list[Utterance]) -> None:
    speaker, manifest = Speaker(folder), folder / "manifest.csv"
    names = [path.name for path in speaker.paths(len(ways))]
    rows = [["audio", "text", "speaker"]]
    voices = (one.variant or "" for one in ways)
    rows += [[*each] for each in zip(names, texts, voices, strict=True)]
    if manifest.exists():
        with open(manifest, newline="") as file:
            if list(csv.reader(file)) != rows:
                raise DataError("holds other sentences; remove the folder", file=manifest)
    else:
        # Before the sounds: those that are there later are then known to be of these sentences.
        with replacing(manifest) as aside, open(aside, "w", newline="") as file:
            csv.writer(file).writerows(rows)
    speaker.speak(ways)
