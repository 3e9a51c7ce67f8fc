"""Characters of transcripts: rare, foreign or invisible ones, and what nobody says aloud."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from unrolled.data.doctor_checkup import DataFinding
from unrolled.data.pairs_doctor_characters import INVISIBLE, named
from unrolled.data.pairs_doctor_sides import script_of
from unrolled.data.recordings_doctor_part import TRAINING, Part
from unrolled.data.text_doctor_findings import MANY, found, share, shown
from unrolled.data.text_doctor_labels import unseen

# A character in so few of at least so many transcripts is rare; scripts with more characters than
# an alphabet has (Chinese) have many of them by right.
_RARE = 2
_ENOUGH = 100
_ALPHABET = 300
_SHOWN = 8
# What is beside letters in a word by right; the others of a kind look like one of it.
_WITHIN = "'\u2019-"
_APOSTROPHES = "'\u2019\u2018\u02bc\u00b4`\u2032"
_DASHES = "-\u2010\u2011\u2212\u2013"
# Up to this share of the transcripts those with digits are the odd ones.
_FEW = 0.2
# Below this share of the letters the usual script says nothing.
_USUAL = 0.6
# Fewer letters in capitals may be an abbreviation.
_WORD = 4

_ANNOTATION = re.compile(r"<[^<>]{1,30}>|\[[^][]{1,30}\]|\([^()]{1,30}\)|\{[^{}]{1,30}\}|&[a-z]+;")
# Marks beside letters or digits only: "don't", "well-known" and "3.5" have theirs inside.
_UNSPOKEN = re.compile(r"[.,;:!?\"“”„«»…¿¡()\[\]{}\u2013\u2014*_/|](?!\w)|(?<!\w)[\"“”„«»¿¡(\[{*_]")
_DIGITS = re.compile(r"\d+")
# In several languages, without those that are other words in one of these ("once", "due", "sei").
_NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve twenty thirty hundred"
    " eins zwei drei vier fünf sechs sieben acht neun zehn zwölf zwanzig hundert"
    " zéro deux trois quatre cinq sept huit neuf dix onze douze vingt trente"
    " uno dos tres cuatro cinco seis siete ocho nueve diez doce veinte treinta"
    " tre quattro cinque sette otto dieci venti dois três quatro sete oito dez vinte trinta"
)
_NUMBER_WORDS = frozenset(_NUMBERS.split())


def characters(part: Part) -> Iterator[DataFinding]:
    """What is odd in the characters of the transcripts of a part, a finding for each kind."""
    texts = part.recordings.texts
    told = {"\ufffd"}  # a character that was lost is a matter of the encoding
    for pattern, what, done in (
        (INVISIBLE, "invisible characters", "left as they are, and learnt as letters: take out"),
        (_ANNOTATION, "marks of an annotation", "left as they are, and learnt as letters: take"
         " them out, unless they are to be written"),
    ):  # fmt: skip
        seen = {at: pattern.findall(text) for at, text in enumerate(texts) if pattern.search(text)}
        if seen:
            counts = Counter(mark for marks in seen.values() for mark in marks)
            marks = ", ".join(named(mark) for mark, _ in counts.most_common(3))
            told.update("".join(counts))
            yield _odd(part, list(seen), f"hold {what} ({marks})", done)
    yield from _lookalikes(part, told)
    yield from _foreign(part, told)
    yield from _numbers(part)
    yield from _capitals(part)
    yield from _unspoken(part, told)
    yield from _rare(part, told)


def unseen_characters(parts: Mapping[str, Part]) -> Iterator[DataFinding]:
    """Characters that a held-out part has and the training lacks."""
    of_each = {name: set().union(*part.recordings.texts) for name, part in parts.items()}
    for name, its in of_each.items():
        if name != TRAINING:
            yield from unseen(of_each[TRAINING], its, "character", name)


def _odd(
    part: Part, places: Sequence[int], what: str, done: str, *, warning: bool | None = None
) -> DataFinding:
    first = part.recordings.items[places[0]].text
    return found(
        "characters",
        f"{share(len(places), len(part))} transcripts {what}: {part.told(places)}, such as "
        f"{shown(first)}",
        done,
        warning=len(places) > MANY * len(part) if warning is None else warning,
        place=part.place(places[0]),
    )


def _foreign(part: Part, told: set[str]) -> Iterator[DataFinding]:
    """Letters of another script than most, which often look like letters of that one."""
    letters = Counter(char for text in part.recordings.texts for char in text if char.isalpha())
    scripts: Counter[str] = Counter()
    for char, count in letters.items():
        scripts[str(script_of(char))] += count
    if len(scripts) < 2:
        return
    usual, count = scripts.most_common(1)[0]
    if count < _USUAL * scripts.total():
        return
    others = {char for char in letters if script_of(char) != usual} - told
    places = [at for at, text in enumerate(part.recordings.texts) if not others.isdisjoint(text)]
    if not others:
        return
    most = sorted(others, key=lambda char: -letters[char])
    listed = ", ".join(f"{char!r} {named(char)}" for char in most[:3])
    done = "left as they are: look whether they only look like the right ones"
    told |= others
    yield _odd(part, places, f"hold letters that are not {usual} ({listed})", done)


def _lookalikes(part: Part, told: set[str]) -> Iterator[DataFinding]:
    """What looks like a usual character and is another symbol: a ligature, a letter of full width,
    a letter with its accent as a character of its own, one apostrophe or dash beside another."""
    texts = part.recordings.texts
    counts = Counter(char for text in texts for char in set(text))
    odd: dict[str, str] = {}
    for char in counts:
        plain = unicodedata.normalize("NFKC", char)
        if plain != char and plain.isalnum():
            odd[char] = plain
    for text in texts:
        if not unicodedata.is_normalized("NFC", text):
            both = ((one + mark, mark) for one, mark in pairwise(text))
            odd |= {
                mark: one
                for one, mark in ((unicodedata.normalize("NFC", one), mark) for one, mark in both)
                if len(one) == 1
            }
    for alike in (_APOSTROPHES, _DASHES):
        usual, *others = sorted(
            (one for one in alike if one in counts), key=lambda one: -counts[one]
        ) or [""]
        odd |= dict.fromkeys(others, usual)
    odd = {char: like for char, like in odd.items() if char not in told}
    places = [at for at, text in enumerate(texts) if not odd.keys().isdisjoint(text)]
    if places:
        told.update(odd)
        listed = ", ".join(f"{named(char)} as in {like!r}" for char, like in [*odd.items()][:3])
        done = (
            "left as they are, and learnt as other symbols than those that they look like: write"
            " them one way, accents, widths and ligatures by unicodedata.normalize('NFKC', text),"
            " apostrophes and dashes by replacing them"
        )
        yield _odd(part, places, f"hold look-alikes of other characters ({listed})", done)


def _numbers(part: Part) -> Iterator[DataFinding]:
    """Numbers as digits, where others are written as they are spoken, or of several digits."""
    texts = part.recordings.texts
    digits = [at for at, text in enumerate(texts) if any(map(str.isdigit, text))]
    if not digits:
        return
    words: Counter[str] = Counter()
    for text in texts:
        words.update(_NUMBER_WORDS.intersection(text.casefold().split()))
    long = [at for at in digits if any(len(one) > 1 for one in _DIGITS.findall(texts[at]))]
    if len(words) > 1:
        told = ", ".join(repr(word) for word, _ in words.most_common(2))
        what = f"hold digits where others hold numbers as words ({told})"
        yield _odd(part, digits, what, "left as they are: write all of them one way, as spoken")
    elif long:
        done = "left as they are: '12' may be said in several ways, so write numbers as spoken"
        yield _odd(part, long, "hold numbers of several digits", done, warning=False)
    elif len(digits) <= _FEW * len(texts):
        done = "left as they are: look whether they are said so, and write numbers as spoken"
        yield _odd(part, digits, "hold digits where the others hold letters alone", done)


def _capitals(part: Part) -> Iterator[DataFinding]:
    """Transcripts all in capitals beside others, and capitals inside them."""
    texts = part.recordings.texts
    written = {at: text for at, text in enumerate(texts) if sum(map(str.isalpha, text)) >= _WORD}
    loud = [at for at, text in written.items() if text.isupper()]
    plain = [at for at, text in written.items() if text.islower()]
    both = [at for at, text in written.items() if not text.isupper() and text != text.lower()]
    done = "left as they are: 'A' and 'a' are two symbols for one sound, so write all in lower case"
    rest = sorted([*plain, *both])
    if loud and rest:
        few, told = loud, "are all in capitals where others are not"
        if len(rest) < len(loud):
            few, told = rest, "are not in capitals where others are all in capitals"
        yield _odd(part, few, told, done)
    elif both:
        yield _odd(part, both, "have capitals beside small letters", done, warning=False)


def _unspoken(part: Part, told: set[str]) -> Iterator[DataFinding]:
    places, counts = [], Counter[str]()
    for at, text in enumerate(part.recordings.texts):
        marks = set(_UNSPOKEN.findall(text)) - told
        if marks:
            places.append(at)
            counts.update(marks)
    if places:
        most = " ".join(mark for mark, _ in counts.most_common(_SHOWN))
        done = "left as they are: nobody hears them, so take them out unless they are to be written"
        told.update(counts)
        yield _odd(part, places, f"hold marks that are not spoken ({most})", done, warning=False)


def _rare(part: Part, told: set[str]) -> Iterator[DataFinding]:
    texts = part.recordings.texts
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    for at, text in enumerate(texts):
        for char in sorted(set(text)):
            counts[char] += 1
            first.setdefault(char, at)
    rare = [char for char, count in counts.items() if count <= _RARE and char not in told]
    if len(texts) < _ENOUGH:
        # of so few that a letter is in two of them is no matter, but that a sign is
        rare = [char for char in rare if not (char.isalnum() or char in _WITHIN or char == " ")]
    if not rare or len(counts) > _ALPHABET:
        return
    listed = ", ".join(
        f"{char!r} ({part.place(first[char])})" if counts[char] == 1
        else f"{char!r} (twice, {part.place(first[char])})"
        for char in rare[:_SHOWN]
    )  # fmt: skip
    more = f" and {len(rare) - _SHOWN:,} more" if len(rare) > _SHOWN else ""
    yield found(
        "characters",
        f"{len(rare):,} of {len(counts):,} characters stand in one or two transcripts only: "
        f"{listed}{more}",
        "left as they are: so few examples teach nothing; spell them with others, or record more",
        place=part.place(first[rare[0]]),
    )
