"""The same sound, text or speaker twice: within a part, and in what is held out too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.pairs import plain
from unrolled.data.recordings_doctor_heard import Listened
from unrolled.data.recordings_doctor_part import TRAINING, Part
from unrolled.data.recordings_rows import the_first
from unrolled.data.text_doctor_duplicates import HARM
from unrolled.data.text_doctor_findings import MANY, counted, found, percent, share, shown

_MANY_TWICE = 0.05
# From here on two people seldom say the same by chance.
_WORDS = 5
_CHARACTERS = 30


def twice(listened: Listened) -> Iterator[DataFinding]:
    """The same sound again, with the same text or with another."""
    part, items = listened.part, listened.part.recordings.items
    alike: dict[bytes, list[int]] = {}
    for at, one in _telling(listened).items():
        alike.setdefault(one, []).append(at)
    again = [places for places in alike.values() if len(places) > 1]
    differ = [places for places in again if len({plain(items[at].text) for at in places}) > 1]
    if differ:
        count = sum(map(len, differ))
        first = differ[0]
        texts = [shown(one) for one in dict.fromkeys(items[at].text for at in first)]
        yield found(
            "contradiction",
            f"{listened.among(count)} hold the same sound as another with a different text:"
            f" {part.told(first)} with {' and '.join(texts[:2])}",
            "left as they are: correct the texts, since no answer can equal both",
            warning=count > MANY * len(listened.heard),
            place=part.place(first[0]),
        )
    more = sum(len(places) - 1 for places in again if places not in differ)
    if more:
        first = next(places for places in again if places not in differ)
        yield found(
            "duplicate",
            f"{listened.among(more)} hold a sound a second time or more: {part.told(first)}",
            "left as they are: what is repeated weighs more, and where some are held out, a score"
            " is too good by about that share",
            warning=more > _MANY_TWICE * len(listened.heard),
            place=part.place(first[0]),
        )


def across_sounds(listened: Sequence[Listened]) -> Iterator[DataFinding]:
    """Sounds of a held-out part that are in another one too."""
    heard = {one.part.name: one for one in listened}
    for name, among in _compared(heard):
        known = {digest: at for at, digest in _telling(heard[among]).items()}
        part, other = heard[name].part, heard[among].part
        both = [(at, known[one]) for at, one in _telling(heard[name]).items() if one in known]
        if both:
            at, there = both[0]
            yield found(
                "across splits",
                f"{heard[name].among(len(both))} hold the same sound as one of the {among}, such as"
                f" {part.told([at])} and {other.told([there])}",
                f"left as they are: {_harm(name, len(both), len(heard[name].heard))}; take them out"
                f" of the {among}",
                warning=len(both) > MANY * len(heard[name].heard),
                place=part.place(at),
            )


def across_texts(parts: Mapping[str, Part]) -> Iterator[DataFinding]:
    """Transcripts of a held-out part that are said in the training too."""
    known = {plain(one) for one in parts[TRAINING].recordings.texts}
    for name, part in parts.items():
        texts = part.recordings.texts
        if name == TRAINING:
            continue
        both = [at for at, one in enumerate(texts) if one and plain(one) in known]
        if not both:
            continue
        long = [at for at in both if _is_sentence(texts[at])]
        first = (long or both)[0]
        yield found(
            "across splits",
            f"{share(len(both), len(part))} transcripts of the {name} are said in the training too,"
            f" such as {shown(texts[first])}; {len(long):,} of them have {_WORDS} words or more",
            "left as they are: right where people will say just these; else take them out of the "
            f"{name}, since {_harm(name, len(both), len(part))}",
            warning=len(long) > MANY * len(part),
            place=part.place(first),
        )


def across_speakers(parts: Mapping[str, Part]) -> Iterator[DataFinding]:
    """Speakers of a held-out part that speak in the training too.

    Where all of them do, the split is plainly not one by speakers, and that is noted; where only
    some do it looks like a slip, and is a warning.
    """
    known = {one.speaker for one in parts[TRAINING].recordings.items}
    for name, part in parts.items():
        spoken = Counter(one.speaker for one in part.recordings.items if one.speaker is not None)
        both = [speaker for speaker in spoken if speaker in known]
        if name == TRAINING or not both:
            continue
        count = sum(spoken[speaker] for speaker in both)
        slip = len(both) < len(spoken)
        told = the_first(both)
        done = (
            "right where the same people will speak; it tells nothing of how new voices are heard"
        )
        if slip:
            done = f"left as they are: {_harm(name, count, len(part))}; put each in one part only"
        yield found(
            "across splits",
            f"{len(both):,} of {counted(len(spoken), 'speaker')} of the {name} "
            f"speak{'s' * (len(both) == 1)} in the training too ({told}), in"
            f" {share(count, len(part))} recordings",
            done,
            warning=slip and count > MANY * len(part),
        )


def _telling(listened: Listened) -> dict[int, bytes]:
    """The digests of those that are not silent: digital silence is the same everywhere."""
    return {at: one.digest for at, one in listened.good.items() if not one.loudest < -100}


def _compared(names: Mapping[str, object]) -> list[tuple[str, str]]:
    compared = [(name, TRAINING) for name in names if name != TRAINING]
    if {"test", "validation"} <= set(names):
        compared.append(("test", "validation"))
    return compared


def _harm(name: str, count: int, whole: int) -> str:
    return HARM[name].format(percent(count / whole))


def _is_sentence(text: str) -> bool:
    return len(text.split()) >= _WORDS and len(text) >= _CHARACTERS
