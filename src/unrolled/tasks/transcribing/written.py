"""Transcripts as files have them: records for JSON, and subtitles (SubRip, WebVTT)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from unrolled.tasks.transcribing.transcript import HeardWord, Transcript

# A line of a subtitle, in characters, and what a silence between two has to last, in seconds.
_LONGEST, _PAUSE = 42, 0.8
# For so long it stays after its last word, unless the next one comes.
_STAYS = 1.0


@dataclass(frozen=True)
class Cue:
    """A line of subtitles.

    Attributes:
        start, end: when it is shown, in seconds.
        text: what is shown.
    """

    start: float
    end: float
    text: str


def record(transcript: Transcript, sound: str | None = None) -> dict[str, Any]:
    """Plain values: `sound` where it has a name, `text`, `confidence`, `log_probability`,
    `seconds`, `words` (`text`, `start`, `end`, `confidence`), `silent` where it is, and
    `alternatives` where there are some."""
    found: dict[str, Any] = {} if sound is None else {"sound": sound}
    found |= {
        "text": transcript.text,
        "confidence": round(transcript.confidence, 4),
        "log_probability": round(transcript.log_probability, 4),
        "seconds": round(transcript.seconds, 3),
        "words": [_rounded(asdict(word)) for word in transcript.words],
    }
    if transcript.silent:
        found["silent"] = True
    if transcript.alternatives:
        found["alternatives"] = [record(one) for one in transcript.alternatives]
    return found


def cues(transcript: Transcript) -> list[Cue]:
    """Its words in lines of at most 42 characters, cut where a silence lasts 0.8 s; a label, which
    has no words, over all of the sound. No two are shown at once."""
    if not transcript.words:
        return [Cue(0.0, transcript.seconds, transcript.text)] if transcript.text else []
    lines = list(_lines(transcript.words))
    # A word may be where the one before it is, to the frame; a line is not shown before another.
    starts = [max(0.0, line[0].start) for line in lines]
    nexts = [*starts[1:], float("inf")]
    return [
        Cue(start, min(line[-1].end + _STAYS, after), " ".join(word.text for word in line))
        for line, start, after in zip(lines, starts, nexts, strict=True)
    ]


def subrip(transcript: Transcript) -> str:
    """The file `.srt` of its cues."""
    return "\n".join(
        f"{number}\n{_time(one.start, ',')} --> {_time(one.end, ',')}\n{one.text}\n"
        for number, one in enumerate(cues(transcript), start=1)
    )


def webvtt(transcript: Transcript) -> str:
    """The file `.vtt` of its cues (W3C WebVTT), in whose texts &, < and > are escaped."""
    parts = ["WEBVTT\n"]
    for one in cues(transcript):
        text = one.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        parts.append(f"{_time(one.start, '.')} --> {_time(one.end, '.')}\n{text}\n")
    return "\n".join(parts)


def _lines(words: Sequence[HeardWord]) -> Iterator[list[HeardWord]]:
    line: list[HeardWord] = []
    for word in words:
        size = sum(len(one.text) + 1 for one in line) + len(word.text)
        if line and (size > _LONGEST or word.start - line[-1].end >= _PAUSE):
            yield line
            line = []
        line.append(word)
    yield line


def _time(seconds: float, point: str) -> str:
    """ "00:01:02,345"."""
    count = round(1000 * seconds)
    minutes, rest = divmod(count, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}{point}{rest % 1000:03}"


def _rounded(word: dict[str, Any]) -> dict[str, Any]:
    return {
        name: round(value, 4) if isinstance(value, float) else value for name, value in word.items()
    }
