"""`unrolled predict` with a transcriber: sounds as text, a table, JSON or subtitles."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

from unrolled.cli.answers import (
    STREAM,
    arriving_lines,
    first_bytes,
    is_conversation,
    standard_input,
)
from unrolled.data.sound_level import SILENT
from unrolled.errors import ConfigError, DataError

if TYPE_CHECKING:
    from unrolled.data.pronunciations import Pronunciations
    from unrolled.data.recordings import Recordings
    from unrolled.tasks.transcriber import Transcriber
    from unrolled.tasks.transcribing.sounds_alike import Explanation
    from unrolled.tasks.transcribing.transcript import Transcript

TEXT, JSONL, SRT, VTT = "text", "jsonl", "srt", "vtt"
FORMATS = (TEXT, JSONL, SRT, VTT)
_BY_SUFFIX = {".txt": TEXT, ".tsv": TEXT, ".jsonl": JSONL, ".srt": SRT, ".vtt": VTT}
_SUBTITLES = (SRT, VTT)
_STANDARD_INPUT = "standard input"
RANKED = ("sound", "rank", "score", "text")
# Of `explain`.
EXPLAINING = ("pronunciations", "near", "rivals")
# What is told of sounds, and what is written of one, from its name and that.
_Hear = Callable[[list[Any]], list[Any]]
_Shown = Callable[[str, Any], str]


def transcribe(
    task: Transcriber,
    sources: Sequence[str],
    *,
    format: str | None = None,
    out: Path | None = None,
    reads: Sequence[str] = (),
    explain: bool = False,
    **search: Any,
) -> None:
    """Write what is said in sounds; one that can't be read is told, and the others go on.

    Args:
        task: the transcriber.
        sources: files, folders, tables of sounds, sets of the catalog; "-": on standard input their
            names a line, as they come, or one sound, of which the file is piped in.
        format: "text": of one file its transcript, of several a name, a tab and the transcript
            each, and with `n_best` a table; "jsonl": a record each; "srt" or "vtt": of one file
            alone. None: by the name of `out`, else text.
        out: a file for it, complete or not there.
        reads: files that were or will be read beside the sounds, such as the task's own: `out` may
            replace none of them, and none of the sounds.
        explain: write beside each transcript which words sound like its own, and why they lost; a
            record has that as `sounds_alike`.
        search: `beam` and `n_best`, as for `Transcriber.transcribe`; with `explain` what that is
            told.

    Raises:
        ConfigError: options that do not go together, or that the search refuses.
        typer.Exit: with 1 in the end, where a sound could not be read.
    """
    told = [search["pronunciations"]] if "pronunciations" in search else []
    chosen = _format(format, out, [*sources, *reads, *told])
    if STREAM in sources and len(sources) > 1:
        raise ConfigError(f"INPUT: {STREAM} is standard input, and goes with no other name")
    _check_explaining(chosen, explain, search)
    if "pronunciations" in search:
        search["pronunciations"] = _dictionary(search["pronunciations"])
    hear: _Hear = partial(task.explain if explain else task.transcribe, **search)
    hear([])  # options that can't work are told before anything is read
    piped = _Piped() if STREAM in sources else None
    alone = len(sources) == 1 and (_is_sound(sources[0]) if piped is None else piped.is_sound)
    if chosen in _SUBTITLES and not alone:
        raise ConfigError(f"--format {chosen}: of one sound alone, and more may come here")
    if chosen in _SUBTITLES and "n_best" in search:
        raise ConfigError(f"--n-best: not for subtitles (--format {chosen})")
    ranked = chosen == TEXT and "n_best" in search
    shown = _explained(chosen, alone) if explain else _shown(chosen, ranked, alone)
    head = "\t".join(RANKED) + "\n" if ranked else ""
    if out is None:
        heard, failed = _write(sys.stdout, head, task, _parts(sources, piped), shown, hear)
    else:
        from unrolled.writing import replacing

        with replacing(out) as aside, aside.open("w", encoding="utf-8", newline="\n") as file:
            heard, failed = _write(file, head, task, _parts(sources, piped), shown, hear)
            if failed and not heard:  # what was there is worth more than nothing
                raise typer.Exit(1)
    if failed:
        raise typer.Exit(1)


def _check_explaining(chosen: str, explain: bool, told: dict[str, Any]) -> None:
    from unrolled.cli.language import needs

    needs("--explain", explain, [name for name in EXPLAINING if name in told])
    if explain and (chosen in _SUBTITLES or "n_best" in told):
        other = f"--format {chosen}" if chosen in _SUBTITLES else "--n-best"
        raise ConfigError(f"--explain: can't go together with {other}")


def _dictionary(named: str) -> Pronunciations:
    from unrolled.cli.sources import loaded
    from unrolled.tasks.transcribing.word_rivals import dictionary

    return dictionary(loaded(named, "pronunciations"))


def sounds_named(sources: Sequence[str] | None) -> Sequence[str]:
    """The sounds that are named; without any those of standard input, where no person types.

    Raises:
        ConfigError: there are none.
    """
    if sources:
        return sources
    if is_conversation():
        raise ConfigError(f"predict: give sounds, or {STREAM} for their names on standard input")
    return [STREAM]


def _format(told: str | None, out: Path | None, inputs: Sequence[str]) -> str:
    if out is not None:
        from unrolled.cli.outputs import check_out

        check_out(out, tuple(_BY_SUFFIX), inputs=inputs)
    if told is None:
        return TEXT if out is None else _BY_SUFFIX[out.suffix.lower()]
    if told not in FORMATS:
        raise ConfigError(f"--format: got {told!r}, expected {', '.join(FORMATS)}")
    return told


def _is_sound(source: str) -> bool:
    from unrolled.data.feature_file import FEATURES
    from unrolled.data.sound_file import SOUNDS

    return Path(source).suffix.lower() in SOUNDS | FEATURES and not Path(source).is_dir()


def _write(
    file: TextIO,
    head: str,
    task: Transcriber,
    parts: Iterable[Sequence[str | Recordings]],
    shown: _Shown,
    hear: _Hear,
) -> tuple[int, int]:
    """Writes all of it; how many sounds were heard, and how many could not be read."""
    from unrolled.tasks.transcribing.each import hear_each

    heard = failed = 0
    file.write(head)
    for sounds in parts:
        for name, found in hear_each(task, sounds, hear):
            if isinstance(found, DataError):
                failed += 1
                _tell(name, found)
            else:
                heard += 1
                transcript = getattr(found, "transcript", found)
                if transcript.silent and transcript.text:
                    _warn(name)
                file.write(shown(name, found))
                file.flush()
    return heard, failed


class _Piped:
    """Standard input: a sound, or names of sounds.

    Attributes:
        is_sound: told by its first bytes.
    """

    def __init__(self) -> None:
        from unrolled.data.sound_file import looks_like_sound

        self._first = first_bytes()
        self.is_sound = looks_like_sound(self._first)

    def sound(self) -> Recordings:
        """The sound, read to its end."""
        from unrolled.data.recordings import Recording, Recordings
        from unrolled.data.sound_file import decode_bytes

        raw = self._first + standard_input().buffer.read()
        samples, rate = decode_bytes(raw, _STANDARD_INPUT)
        seconds = len(samples) / rate
        return Recordings((Recording("", seconds, rate, None, samples, None, _STANDARD_INPUT),))

    def names(self) -> Iterator[Sequence[str]]:
        """The lines that are there, as they come."""
        for lines in arriving_lines(self._first):
            yield [line.strip() for line in lines if line.strip()]


def _parts(sources: Sequence[str], piped: _Piped | None) -> Iterator[Sequence[str | Recordings]]:
    """What is heard together: all that is named, or what stands on standard input."""
    from unrolled.cli.sources import loaded

    if piped is None:
        yield [loaded(one, "recordings") for one in sources]
    elif piped.is_sound:
        yield [piped.sound()]
    else:
        yield from piped.names()


def _warn(name: str) -> None:
    print(
        f"unrolled: {name}: silence, nothing in it is louder than {SILENT:.0f} dB of full scale:"
        " what is said of it means nothing",
        file=sys.stderr,
        flush=True,
    )


def _tell(name: str, error: DataError) -> None:
    message = " ".join(str(error).split())
    place = "" if name in message else f"{name}: "
    print(f"unrolled: {place}{message}", file=sys.stderr, flush=True)


def _shown(chosen: str, ranked: bool, alone: bool) -> _Shown:
    from unrolled.tasks.transcribing.written import record, subrip, webvtt

    if chosen == JSONL:
        return lambda name, heard: json.dumps(record(heard, name), ensure_ascii=False) + "\n"
    if chosen in _SUBTITLES:
        return lambda name, heard: (subrip if chosen == SRT else webvtt)(heard)
    if ranked:
        return _ranked
    if alone:
        return lambda name, heard: f"{heard.text}\n"
    return lambda name, heard: f"{_plain(name)}\t{heard.text}\n"


def _explained(chosen: str, alone: bool) -> _Shown:
    from unrolled.cli.explained import explained
    from unrolled.tasks.transcribing.written import record

    def line(name: str, found: Explanation) -> str:
        whole = record(found.transcript, name) | {"sounds_alike": found.to_dict()["words"]}
        return json.dumps(whole, ensure_ascii=False) + "\n"

    if chosen == JSONL:
        return line
    return lambda name, found: explained(found) if alone else f"{name}: {explained(found)}\n"


def _ranked(name: str, found: Transcript) -> str:
    return "".join(
        f"{_plain(name)}\t{rank}\t{one.log_probability:z.4f}\t{one.text}\n"
        for rank, one in enumerate((found, *found.alternatives), start=1)
    )


def _plain(name: str) -> str:
    """A name that fits in a column."""
    return " ".join(name.split())
