"""`examine_texts`: what a person should know of texts before a network learns from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from unrolled.data.doctor_checkup import Checkup, DataFinding
from unrolled.data.labelled import LabelledTexts, read_labelled
from unrolled.data.tagged import TaggedSentences
from unrolled.data.text_doctor_duplicates import duplicates
from unrolled.data.text_doctor_items import encoding_damage, left_out, lengths
from unrolled.data.text_doctor_labels import label_counts, unseen
from unrolled.data.text_doctor_leaks import leaks
from unrolled.data.text_doctor_tags import tag_findings
from unrolled.errors import ConfigError


def examine_texts(data: Any, test: Any = None, validation: Any = None) -> Checkup:
    """Looks through texts before training, changes nothing, and says what it found.

    | kind | found where |
    |---|---|
    | one label | all texts have the same label |
    | leak | a word tells the label alone: its own name, "label: good", or a rating (see `leaks`) |
    | across splits | a text of `test` or `validation` stands in `data` too |
    | contradiction | the same text has different labels or tags |
    | duplicate | the same text again (capitals and spaces do not count) |
    | encoding | characters that were read with the wrong encoding, with what they likely were |
    | imbalance | the largest label has 10 times as many texts as the smallest, or more |
    | few examples | a label has less than 10 texts; a tag is seen once |
    | unseen | a label or tag of `test` that `data` does not have |
    | empty, unlabelled | rows that were left out for it while they were read |
    | long | the longest text has 10 times as many words as the median, and over 200 |
    | tags | I- after O, and other tags that can't follow; sentences that are one word or no end |

    A warning is what spoils what is learnt or measured (more than 1% of the texts, or a leak), a
    note what is good to know. Each check is linear in the texts; of a corpus the first 20 million
    characters are looked through.

    Args:
        data: `LabelledTexts`, `TaggedSentences`, a corpus (anything with `pieces()`), or what
            `read_labelled` takes.
        test: of the same kind: what will be tested on.
        validation: likewise: what the best weights will be chosen on; not of a corpus.

    Raises: ConfigError where one of them is of another kind; the errors of `read_labelled`.
    """
    found: Iterable[DataFinding]
    given = {"test": test, "validation": validation}
    apart = {name: part for name, part in given.items() if part is not None}
    if isinstance(data, TaggedSentences):
        for name, part in apart.items():
            if not isinstance(part, TaggedSentences):
                raise ConfigError(
                    f"{name} is {type(part).__name__}, expected TaggedSentences as data is"
                )
        return Checkup.of(str(data), tag_findings(data, apart))
    if hasattr(data, "pieces"):
        from unrolled.data.text_doctor_corpus import corpus_findings

        if not (test is None or hasattr(test, "pieces")):
            raise ConfigError(f"test is {type(test).__name__}, expected a corpus as data is")
        if validation is not None:
            raise ConfigError("validation: a corpus is chosen by its own end; leave it out")
        about, found = corpus_findings(data, test)
        return Checkup.of(about, found)
    texts = read_labelled(data)
    others = {name: read_labelled(part) for name, part in apart.items()}
    return Checkup.of(str(texts), _of_labelled(texts, others))


def _of_labelled(texts: LabelledTexts, apart: Mapping[str, LabelledTexts]) -> Iterable[DataFinding]:
    yield from left_out(texts)
    yield from encoding_damage(texts.texts)
    yield from lengths(texts.texts)
    yield from duplicates(
        texts.texts,
        texts.labels,
        {name: part.texts for name, part in apart.items()},
        what="text",
    )
    if texts.labels is None:
        return
    yield from label_counts(texts)
    if "test" in apart:
        yield from unseen(texts.classes, apart["test"].classes, "label")
    yield from leaks(texts)
