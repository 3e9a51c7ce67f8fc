"""The table: the same sounds heard without a language, and with more and more of it."""

from __future__ import annotations

from pathlib import Path

from run_folder import tell

import unrolled
from heard_right_parts.drawn import Drawn
from heard_right_parts.making import drawn_in
from heard_right_parts.models import model_of
from heard_right_parts.scores import Heard, heard, most_frequent, read_right
from unrolled.data import read_recordings
from unrolled.data.recordings import Recordings

# Prefixes that are followed. A sentence that can be spelt in several ways in several places needs
# more than the usual 32.
BEAM = 128
HEAD = "| | word right | of those that sound alike | WER |\n|---|---:|---:|---:|"


def score(folder: Path, part: str) -> str:
    """As Markdown; the weights are chosen on `choose/`."""
    task = unrolled.load(model_of(folder, "recogniser"))
    ngrams, generator = model_of(folder, "ngrams"), model_of(folder, "generator")
    sounds, chosen_by = (read_recordings(folder / name) for name in (part, "choose"))
    drawn = drawn_in(folder / part)
    learnt = (folder / "text" / "train.txt").read_text().splitlines()
    frequent = most_frequent(drawn, learnt)
    rows = [f"| each word as most often written | {frequent:.1f}% | {frequent:.1f}% | |"]
    rows.append(_row("no language model", task, sounds, drawn))
    for name, rerank in (("n-gram", None), ("n-gram, generator", generator)):
        tuned = task.tune(chosen_by, ngrams, rerank=rerank, beam=BEAM, tell=tell)
        tell(f"{name}: {tuned.weights}")
        rows.append(_row(name, task, sounds, drawn))
    for name, path, end in (("n-gram", ngrams, ""), ("generator", generator, "\n")):
        right = read_right(unrolled.load(path), drawn, end)
        rows.append(f"| {name}, all other words given | {right:.1f}% | {right:.1f}% | |")
    return "\n".join([f"{len(drawn)} sentences of {folder / part}\n", HEAD, *rows])


def _row(name: str, task: unrolled.Transcriber, sounds: Recordings, drawn: list[Drawn]) -> str:
    found: Heard = heard(task.predict(sounds, beam=BEAM), drawn)
    tell(f"{name}: {found}")
    return f"| {name} | {found.right:.1f}% | {found.of_alike:.1f}% | {found.wer:.1f}% |"
