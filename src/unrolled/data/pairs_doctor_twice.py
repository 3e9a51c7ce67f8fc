"""Pairs that stand twice: within a set, with other translations, and in what is held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.pairs import SentencePairs, plain
from unrolled.data.text_doctor_duplicates import HARM
from unrolled.data.text_doctor_findings import MANY, counted, found, percent, share, shown

_MANY_TWICE = 0.05


def twice(pairs: SentencePairs) -> Iterator[DataFinding]:
    """The same pair again, and the same source with other translations."""
    sources, both = _plain(pairs)
    times = Counter(both)
    again = len(both) - len(times)
    if again:
        most, count = times.most_common(1)[0]
        first = both.index(most)
        yield found(
            "duplicate",
            f"{share(again, len(both))} pairs stand a second time or more; "
            f"{shown(pairs.sources[first])} stands {count:,} times",
            "left as they are: what is repeated weighs more, and where some are held out, a score"
            " is too good by about that share",
            warning=again > _MANY_TWICE * len(both),
            place=pairs.place(first),
        )
    targets = Counter(source for source, _ in times)
    several = sum(1 for count in targets.values() if count > 1)
    if several:
        source, count = targets.most_common(1)[0]
        first = sources.index(source)
        yield found(
            "several targets",
            f"{share(several, len(targets))} different sources have several translations; "
            f"{shown(pairs.sources[first])} has {count:,}",
            "left as they are: no answer can equal all of them, and a score is lower for it",
            place=pairs.place(first),
        )


def across(pairs: SentencePairs, apart: Mapping[str, SentencePairs]) -> Iterator[DataFinding]:
    """Pairs, sources and targets of what is held out that stand in the training too, and those of
    the test that stand in the validation.

    Args:
        pairs: of the training.
        apart: "test" and "validation", of those that there are.
    """
    plainly = {part: _plain(others) for part, others in apart.items()}
    if apart:
        plainly["training"] = _plain(pairs)
    compared = [(part, "training") for part in apart]
    if {"test", "validation"} <= set(apart):
        compared.append(("test", "validation"))
    for part, among in compared:
        others, harm = apart[part], HARM[part]
        sources, both = (set(keys) for keys in plainly[among])
        targets = {target for _, target in both}
        its_sources, its_pairs = plainly[part]
        known = {
            "pairs": [pair in both for pair in its_pairs],
            "source sentences": [source in sources for source in its_sources],
            "target sentences": [target in targets for _, target in its_pairs],
        }
        counts = {what: sum(one) for what, one in known.items()}
        what, count = max(counts.items(), key=lambda one: one[1])
        if not count:
            continue
        first = known[what].index(True)
        place = f"{others.place(first)} of the {part}"
        if counts["pairs"] == len(others):
            same = set(its_pairs) == both
            yield found(
                "across splits",
                f"the {part} is {'' if same else 'a part of '}the {among}: all "
                f"{counted(len(others), 'pair')} of it stand there too",
                f"left as it is: {harm.format('100%')}; give a {part} of other pairs",
                warning=True,
                place=place,
            )
            continue
        # a side is told where it says more than the pairs do
        also = [
            counted(other, name.removesuffix("s"))
            for name, other in counts.items()
            if name != what and (name == "pairs" or other > counts["pairs"]) and other
        ]
        told = f" (and {', '.join(also)})" if also else ""
        side = others.targets if what.startswith("target") else others.sources
        yield found(
            "across splits",
            f"{share(count, len(others))} {what} of the {part} stand in the {among} too"
            f"{told}, such as {shown(side[first])}",
            f"left as they are: {harm.format(percent(count / len(others)))}; take them out of the "
            f"{among}",
            warning=count > MANY * len(others),
            place=place,
        )


def _plain(pairs: SentencePairs) -> tuple[list[str], list[tuple[str, str]]]:
    """Each source, and each pair, so that capitals and spaces do not count."""
    sources = [plain(one) for one in pairs.sources]
    return sources, list(zip(sources, map(plain, pairs.targets), strict=True))
