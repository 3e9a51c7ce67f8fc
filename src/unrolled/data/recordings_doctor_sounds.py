"""The sounds themselves: silent, clipped, with long silence around, of several forms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.recordings_doctor_heard import Listened
from unrolled.data.recordings_doctor_part import TRAINING, Part
from unrolled.data.sound_level import SILENT
from unrolled.data.text_doctor_findings import MANY, counted, found, percent

# Shares of samples, of the recording told of and of recordings that spoil what is learnt.
_CLIPPED = 0.005
_THROUGHOUT = 0.05
_MANY_CLIPPED = 0.1
# An offset of full scale, and of the deviation around it.
_OFFSET = 0.01
_OFFSET_BESIDE = 0.25
_AROUND_SECONDS = 2.0


def sounds(listened: Listened) -> Iterator[DataFinding]:
    """What is wrong with the samples of a part."""
    yield from _unreadable(listened)
    yield from _cut_short(listened)
    yield from _silent(listened)
    yield from _clipped(listened)
    yield from _offset(listened)
    yield from _around(listened)


def forms(parts: Sequence[Part], listened: Sequence[Listened]) -> Iterator[DataFinding]:
    """Several rates, and several numbers of channels, in all parts together."""
    sound = parts[0].recordings.kind == "sound"
    unit = "Hz" if sound else "frames a second"
    rates = {
        part.name: Counter(f"{one.rate:,.10g} {unit}" for one in part.recordings.items)
        for part in parts
    }
    if sound:
        done = (
            "brought to one rate when they are read, but what was recorded at a low one has no high"
            " tones: where it goes with a label or a speaker, it is learnt in their place"
        )
    else:
        done = "left as they are: make all of them with one rate, or they go by at another speed"
    yield from _mixed("mixed rates", "rates", rates, done, warning=not sound)
    channels = {
        one.part.name: Counter(counted(heard.channels, "channel") for heard in one.good.values())
        for one in listened
    }
    done = "their mean is learnt; look whether each channel holds the same speaker"
    yield from _mixed("mixed channels", "numbers of channels", channels, done, warning=False)


def _mixed(
    kind: str, what: str, counts: dict[str, Counter[str]], done: str, *, warning: bool
) -> Iterator[DataFinding]:
    together = sum(counts.values(), Counter())
    if len(together) < 2:
        return
    told = ", ".join(
        f"{name} ({count:,}, {percent(count / together.total())})"
        for name, count in together.most_common(5)
    )
    # what a test has and the training lacks is no matter of chance
    apart = [
        f"{part} only: {', '.join(sorted(set(its) - set(counts[TRAINING])))}"
        for part, its in counts.items()
        if set(its) - set(counts[TRAINING])
    ]
    more = f"; in the {' and the '.join(apart)}" if apart else ""
    yield found(
        kind,
        f"the recordings are of {len(together):,} {what}: {told}{more}",
        done,
        warning=warning or bool(apart),
    )


def _unreadable(listened: Listened) -> Iterator[DataFinding]:
    bad = [at for at in listened.heard if at not in listened.good]
    if bad:
        part = listened.part
        yield found(
            "unreadable",
            f"{listened.among(len(bad))} can't be read: {part.told(bad)}; the first: "
            f"{listened.heard[bad[0]]}",
            "leave them out, or fetch or record them again: training stops there",
            warning=True,
            place=part.place(bad[0]),
        )


def _cut_short(listened: Listened) -> Iterator[DataFinding]:
    part = listened.part
    short = {at: one.missing for at, one in listened.good.items() if one.missing != 0}
    if short:
        # NaN, of which it is not known, is no larger than any
        worst = max(short, key=lambda at: (short[at] == short[at], short[at]))
        lack = short[worst]
        told = f"{part.told([worst])} lacks {percent(lack)} of the sound that its header promises"
        if lack != lack:
            told = "how much of it is missing an Ogg file does not say"
        yield found(
            "cut short",
            f"{listened.among(len(short))} end before the sound that they promise does:"
            f" {part.told(list(short))}; {told}",
            "read as far as they go, with the whole text: fetch or record them again",
            warning=True,
            place=part.place(worst),
        )


def _silent(listened: Listened) -> Iterator[DataFinding]:
    part = listened.part
    silent = [at for at, one in listened.good.items() if one.loudest < SILENT]
    said = [at for at in silent if part.recordings.items[at].text]
    if said:
        told = part.recordings.items[said[0]].text
        yield found(
            "silence",
            f"{listened.among(len(said))} have a text and are silent (below {SILENT:.0f} dB of"
            f" full scale throughout): {part.told(said)}, such as the one of {told!r:.60}",
            "left as they are: record them again or leave them out, since it is learnt that silence"
            " is that text",
            warning=len(said) > MANY * len(listened.heard),
            place=part.place(said[0]),
        )


def _clipped(listened: Listened) -> Iterator[DataFinding]:
    """Peaks that are cut off are a note, and a sound that is cut off throughout a warning."""
    shares = {at: one.clipped for at, one in listened.good.items() if one.clipped >= _CLIPPED}
    through = {at: one for at, one in shares.items() if one >= _THROUGHOUT}
    peaks = {at: one for at, one in shares.items() if one < _THROUGHOUT}
    done = "left as they are: it can't be undone; where you can, record them again more quietly"
    for some, least, how, warning in (
        (through, _THROUGHOUT, "clipped through and through", True),
        (peaks, _CLIPPED, "clipped", len(shares) > _MANY_CLIPPED * len(listened.heard)),
    ):
        if some:
            part, worst = listened.part, max(some, key=some.__getitem__)
            yield found(
                "clipping",
                f"{listened.among(len(some))} are {how}: {percent(least)} or more of their samples"
                f" stand at full scale in runs, {percent(some[worst])} at most:"
                f" {part.told(list(some))}",
                done,
                warning=warning,
                place=part.place(worst),
            )


def _offset(listened: Listened) -> Iterator[DataFinding]:
    off = {
        at: abs(one.offset)
        for at, one in listened.good.items()
        if abs(one.offset) > max(_OFFSET, _OFFSET_BESIDE * one.spread)
    }
    if off:
        part, worst = listened.part, max(off, key=off.__getitem__)
        yield found(
            "offset",
            f"{listened.among(len(off))} have a mean away from 0 (DC offset), up to"
            f" {percent(off[worst])} of full scale: {part.told(list(off))}",
            "taken out of each frame of log-mel features; the microphone or its card adds it",
            place=part.place(worst),
        )


def _around(listened: Listened) -> Iterator[DataFinding]:
    long = {
        at: max(one.before, one.after)
        for at, one in listened.good.items()
        if max(one.before, one.after) >= _AROUND_SECONDS and one.loudest >= SILENT
    }
    if long:
        part, worst = listened.part, max(long, key=long.__getitem__)
        yield found(
            "silence around",
            f"{listened.among(len(long))} begin or end with {_AROUND_SECONDS:.0f} s of silence or"
            f" more: {part.told(list(long))}; the longest is {long[worst]:.1f} s",
            "left as they are: cut most of it off, since it takes time and memory",
            place=part.place(worst),
        )
