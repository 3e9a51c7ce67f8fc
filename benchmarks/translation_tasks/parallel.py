"""The data of the tasks: pairs of sentences to learn, to choose by, and to test on."""

from __future__ import annotations

from run_parts import Parts

from unrolled.data import catalog
from unrolled.data.pairs import SentencePairs

Parallel = Parts[SentencePairs]


def multi30k(source: str, target: str) -> Parallel:
    """Captions of pictures: 29,000 to learn, 1,014 to choose by, test_2016_flickr's 1,000.

    Args:
        source, target: "de" and "en", or the other way.
    """
    names = {"de": "German", "en": "English"}
    return _parallel(
        f"Multi30k, {names[source]} to {names[target]}",
        ("multi30k-train", "multi30k-val", "multi30k-test-2016-flickr"),
        source,
        target,
    )


def tatoeba() -> Parallel:
    """Everyday sentences, German to English; no sentence of either side stands in two parts."""
    names = ("tatoeba-de-en-train", "tatoeba-de-en-val", "tatoeba-de-en-test")
    return _parallel("Tatoeba, German to English", names, "de", "en")


def _parallel(name: str, sets: tuple[str, str, str], source: str, target: str) -> Parallel:
    def load(one: str) -> SentencePairs:
        pairs: SentencePairs = catalog.load(one, source=source, target=target)
        return pairs

    train, validation, test = sets
    return Parallel(name, load(train), load(validation), lambda: load(test), test)
