"""`Words`: words, numbers and marks are tokens, and the spaces between them are implied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from unrolled.data.tokens.checks import UNKNOWN, check_ids, check_number, first_of
from unrolled.data.tokens.word_pattern import (
    CLOSER,
    JOINER,
    OPENER,
    TAIL,
    WORD,
    spacing,
    split_token,
)
from unrolled.data.tokens.word_scan import WordScan
from unrolled.errors import ConfigError

SAMPLE = 200_000_000
# Beyond so many different words those counted least are dropped while counting.
_MOST_COUNTED = 1_000_000
# How a plain keyboard writes typographic marks.
_PLAIN = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
    }
)


class Words:
    """The most frequent words of a text, each with its number; all others are the unknown token.

    A word, a number ("3.14", "1,000"), a mark of punctuation and a line break are tokens each.
    Contractions are split (do|n't, it|'s), hyphens stand alone (well|-|known), Chinese and Japanese
    characters and emoji are tokens each, and the `<br />` of web pages is a line break. Spaces are
    implied: `decode` sets them by the rules of typing, and a mark that stands otherwise ("and/or",
    an opening quote) is a token of its own (see `word_pattern`). Runs of spaces become one.

    Args:
        keys: different tokens as `word_pattern` writes them, U+FFFD first, `"\\n"` among them.
        lower: upper case is read as lower case.

    `decode(encode(text)) == text` for usually typed text of known words.
    """

    kind = "words"

    def __init__(self, keys: Iterable[str], *, lower: bool = False) -> None:
        self.keys: tuple[str, ...] = tuple(keys)
        self.lower = bool(lower)
        good = all(isinstance(one, str) and one.strip(JOINER) for one in self.keys)
        if not good or self.keys[:1] != (UNKNOWN,) or "\n" not in self.keys:
            raise ConfigError(
                "a vocabulary of words is a list of them that begins with U+FFFD and has a line "
                "break: make one with Words.learn"
            )
        self._numbers = {key: number for number, key in enumerate(self.keys)}
        if len(self._numbers) != len(self.keys):
            raise ConfigError("a word stands twice in the vocabulary: make one with Words.learn")
        spaces = [spacing(key) for key in self.keys]
        self.pieces: tuple[str, ...] = tuple(text for text, _, _ in spaces)
        self._touches_left = np.array([left for _, left, _ in spaces])
        self._touches_right = np.array([right for _, _, right in spaces])
        self._scan = WordScan(self._find)

    @classmethod
    def learn(
        cls,
        pieces: Iterable[str],
        *,
        vocabulary_size: int | None = None,
        lower: bool = False,
        min_count: int = 2,
    ) -> Words:
        """The most frequent words of texts, of equally frequent ones the first by the alphabet.

        Args:
            pieces: texts; the first 200 million characters are read.
            vocabulary_size: the most tokens, the unknown one and the line break among them; None:
                30,000.
            lower: upper case is read as lower case.
            min_count: leave out what occurs more rarely.

        While counting, the rarest are dropped where there are more than a million different words.
        """
        size = 30_000 if vocabulary_size is None else vocabulary_size
        room = check_number("vocabulary_size", size, 2) - 2
        least = check_number("min_count", min_count, 1)
        if isinstance(pieces, str):
            pieces = (pieces,)
        counts: Counter[str] = Counter()
        scan, dropped = WordScan(None), 0
        for piece in first_of(pieces, SAMPLE):
            scan.count(piece.lower() if lower else piece, counts)
            while len(counts) > _MOST_COUNTED:
                dropped += 1
                counts = Counter({key: n for key, n in counts.items() if n > dropped})
        del counts["\n"], counts[UNKNOWN]
        known = sorted((-n, key) for key, n in counts.items() if n >= least)[:room]
        return cls((UNKNOWN, "\n", *(key for _, key in known)), lower=lower)

    @classmethod
    def from_assets(cls, assets: Mapping[str, Any]) -> Words:
        """What `to_assets` gave."""
        keys = assets.get("keys")
        if not isinstance(keys, list):
            raise ConfigError("this is no tokenizer of words: it has no list of keys")
        return cls(keys, lower=bool(assets.get("lower", False)))

    def to_assets(self) -> dict[str, Any]:
        """Kind, keys and option, for a model's card."""
        return {"kind": self.kind, "keys": list(self.keys), "lower": self.lower}

    def __len__(self) -> int:
        return len(self.keys)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Words) and (self.keys, self.lower) == (other.keys, other.lower)

    def __hash__(self) -> int:
        return hash((self.keys, self.lower))

    @cached_property
    def word_beginnings(self) -> np.ndarray:
        """Of each token whether it is no tail of a contraction, bool `(V,)`."""
        return np.array([split_token(piece)[1] != TAIL for piece in self.pieces])

    def begins_word(self, id: int) -> bool:
        """Whether the token is one of its own: all but the tails of contractions ("n't")."""
        return bool(self.word_beginnings[id])

    def encode(self, text: str) -> np.ndarray:
        """The number of each token, int64 `(n,)`; 0 for an unknown one."""
        return self._scan.ids(text.lower() if self.lower else text)

    def count_unknown(self, text: str) -> int:
        """How many tokens of the text are not known."""
        return int(np.count_nonzero(self.encode(text) == 0))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the numbers with spaces where they are usual.

        Raises: ConfigError for a number that is not known.
        """
        numbers = check_ids(ids, len(self))
        if not numbers.size:
            return ""
        touches = np.ones(len(numbers), dtype=bool)
        touches[1:] = self._touches_right[numbers[:-1]] | self._touches_left[numbers[1:]]
        pieces = self.pieces
        return "".join(
            pieces[number] if touch else " " + pieces[number]
            for number, touch in zip(numbers.tolist(), touches.tolist(), strict=True)
        )

    def _find(self, key: str) -> int:
        """The number of a token; where it is unknown, that of the same mark written otherwise.

        A mark that stands between other spaces, a typographic quotation mark or dash for a plain
        one, three dots for more, a plain emoji for one with a skin colour.
        """
        number = self._numbers.get(key)
        if number is not None:
            return number
        text = key.strip(JOINER)
        plain = text.translate(_PLAIN)
        writings = [text, plain, text.replace("'", "\u2019")]
        kind = split_token(text)[1]
        if kind not in (WORD, TAIL):
            writings += [text[:3], text[:1]]
        before = JOINER if kind == CLOSER else ""
        behind = JOINER if kind == OPENER else ""
        for writing in writings:
            for other in (
                key.replace(text, before + writing + behind),
                writing,
                writing + JOINER,
                JOINER + writing,
                JOINER + writing + JOINER,
            ):
                if other in self._numbers:
                    return self._numbers[other]
        return 0
