"""Words with tags: tags that can't follow, tags seen once, and sentences that are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from statistics import median

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.tag_schemes import broken_spans
from unrolled.data.tagged import TaggedSentences
from unrolled.data.text_doctor_duplicates import duplicates
from unrolled.data.text_doctor_findings import MANY, counted, found, percent, share
from unrolled.data.text_doctor_items import encoding_damage
from unrolled.data.text_doctor_labels import unseen

_SHORT = 5  # words: "Thank you ." may well stand twice
_ENDLESS = 1000
_SINGLE = 0.5


def tag_findings(
    tagged: TaggedSentences, apart: Mapping[str, TaggedSentences]
) -> Iterator[DataFinding]:
    """What is found in tagged sentences; see `examine_texts`."""
    yield from _shapes(tagged)
    yield from encoding_damage((" ".join(words) for words in tagged.words), "sentence")
    rows = [row for row, words in enumerate(tagged.words) if len(words) >= _SHORT]
    yield from duplicates(
        [" ".join(tagged.words[row]) for row in rows],
        None if tagged.tags is None else [tagged.tags[row] for row in rows],
        {
            name: [" ".join(words) for words in part.words if len(words) >= _SHORT]
            for name, part in apart.items()
        },
        what="sentence",
    )
    if tagged.tags is None:
        return
    counts = Counter(tag for one in tagged.tags for tag in one)
    if len(counts) == 1:
        only = next(iter(counts))
        yield found(
            "one label",
            f"all {tagged.word_count:,} words have the tag {only!r}",
            "nothing can be learnt: name another column",
            warning=True,
            label=only,
        )
    once = sorted(tag for tag, count in counts.items() if count == 1)
    if once and len(counts) > 1:
        told = ", ".join(map(repr, once[:8])) + (" ..." if len(once) > 8 else "")
        yield found(
            "few examples",
            f"{counted(len(once), 'tag')} of {len(counts):,} seen once: {told}",
            "look whether it is a slip; a tag seen once can't be learnt",
        )
    yield from _untagged(counts, tagged.word_count)
    if tagged.scheme is not None:
        yield from _broken(tagged.tags, tagged.scheme)
    test = apart.get("test")
    if test is not None and test.tags is not None:
        yield from unseen(tagged.classes, test.classes, "tag")


def _shapes(tagged: TaggedSentences) -> Iterator[DataFinding]:
    lengths = [len(words) for words in tagged.words]
    single = sum(1 for length in lengths if length == 1)
    if single > _SINGLE * len(lengths) and len(lengths) > 1:
        yield found(
            "tags",
            f"{share(single, len(lengths))} sentences are one word",
            "look whether blank lines stand between words: only one may, after each sentence",
            warning=True,
        )
    longest = max(lengths)
    if longest > _ENDLESS:
        yield found(
            "tags",
            f"it has {longest:,} words where the median is {median(lengths):,.0f}",
            "look whether the blank lines between sentences are missing",
            warning=True,
            place=f"sentence {lengths.index(longest)}",
        )


def _untagged(counts: Counter[str], words: int) -> Iterator[DataFinding]:
    # in the features of CoNLL-U "_" says that a word has none, and is frequent
    blank = counts["_"]
    if 0 < blank <= MANY * words:
        yield found(
            "tags",
            f"{share(blank, words)} words have the tag '_', which stands for none",
            "taken for a tag of its own: tag the words or leave the sentences out",
        )


def _broken(tags: tuple[tuple[str, ...], ...], scheme: str) -> Iterator[DataFinding]:
    count, spans = 0, 0
    first = None
    for row, sentence in enumerate(tags):
        spans += sum(1 for tag in sentence if tag[0] in "BSU")
        for place in broken_spans(sentence, scheme):
            count += 1
            if first is None:
                before = sentence[place - 1] if place else "the beginning"
                first = f"sentence {row}", f"{sentence[place]!r} after {before}"
    if first is not None:
        yield found(
            "tags",
            f"{counted(count, 'tag')} can't follow the one before in {scheme}, such as {first[1]} "
            f"({percent(count / max(spans, 1))} of {spans:,} spans)",
            "left as they are: such a span is taken to begin there",
            warning=count > MANY * max(spans, 1),
            place=first[0],
        )
