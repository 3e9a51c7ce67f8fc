"""`PrefixScores`: what a language model and hot words add to a prefix, symbol by symbol.

The equations stand in `kernels/include/unrolled/prefix_scores.h`; `extended` and `ended` are the
same in Python, for searches that run where there are no kernels.

Sources: Hannun et al. 2014, arXiv 1408.2873 (weight and bonus); Ortmanns, Ney and Eiden 1996,
"Language-model look-ahead for large vocabulary speech recognition".
"""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from unrolled import kernels
from unrolled.decoding.hot_words import HotWords
from unrolled.decoding.known_prefixes import KnownPrefixes
from unrolled.decoding.letters import END_OF_WORD, Letters
from unrolled.decoding.ngrams.scoring import native_model
from unrolled.decoding.ngrams.sentences import SPACE
from unrolled.decoding.ngrams.vocabulary import END, MARKS, UNKNOWN
from unrolled.decoding.word_trie import NO_WORD, WordTrie
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.decoding.ngrams.model import NGramModel

_LN10 = math.log(10.0)
_OUTSIDE = -1  # letters that begin no word of the model
# Grams at each end of a model that tell it from others.
_MARKED = 4096
# Prefixes whose places are known without another look.
_KEPT = 4096
# Of the letters that a message names.
_NAMED = 5


class Place(NamedTuple):
    """Where a prefix stands: it depends on the prefix alone.

    Attributes:
        context: the model's state.
        word: the letters of the word that goes on, as a node of the words' trie; 0: none yet; -1:
            they begin no word of the model.
        hot: those of the hot words that they may become, as a state of the automaton.
    """

    context: int = 0
    word: int = 0
    hot: int = 0


class PrefixScores:
    """What each symbol adds to the score of a prefix that it extends.

        a log p(v_i | v_1 ... v_i-1) + b + u [v_i is unknown]     for each word v_i that is over
        a log p(best word that begins so)                         for one that goes on

    and the weights of hot words. Words are scored, and letters come out: a word that the model does
    not know can be written all the same, as <unk> with `unknown` beside it. A model over characters
    scores each letter as it comes.

    Args:
        pieces: `(1 + V,)` the text of each symbol, the blank's first.
        between: text between two symbols: " " where each symbol is a word.
        model: over words, or characters; None: hot words and the bonus alone.
        weight: a, of the model; 0 or more.
        word_bonus: b, nats for each word.
        unknown: u, nats for each word that the model does not know, or each letter.
        hot_words: words, or phrases of several, each with what it adds, in nats: 3 makes a word 20
            times as probable as it was.

    Raises:
        ConfigError: numbers that can't work, a model or hot words that these symbols can't write.
    """

    def __init__(
        self,
        pieces: Sequence[str],
        *,
        between: str = "",
        model: NGramModel | None = None,
        weight: float = 0.5,
        word_bonus: float = 0.0,
        unknown: float = 0.0,
        hot_words: Mapping[str, float] | None = None,
    ) -> None:
        self.letters = Letters(tuple(pieces), between)
        self.model = model
        self._weigh(weight, word_bonus, unknown)
        self.hot_words = {} if hot_words is None else dict(hot_words)
        self._by_letters = model is not None and model.unit == "characters"
        self._letter_tokens: np.ndarray | None = None
        self._trie: WordTrie | None = None
        if model is not None:
            if self._by_letters:
                self._letter_tokens = self._tokens_of_letters(model)
            else:
                self._trie = self._words_of(model)
        self._hot = None if not self.hot_words else self._automaton()

    def weighed(self, *, weight: float, word_bonus: float, unknown: float) -> Self:
        """The same model and hot words with other numbers: its words are not read again."""
        other = copy.copy(self)
        for name in ("mark", "native", "_prefixes"):
            vars(other).pop(name, None)
        other._weigh(weight, word_bonus, unknown)
        return other

    def _weigh(self, weight: float, word_bonus: float, unknown: float) -> None:
        self.weight = checked_number("weight", weight, least=0.0)
        self.word_bonus = checked_number("word_bonus", word_bonus)
        self.unknown = checked_number("unknown", unknown)

    @property
    def symbols(self) -> int:
        """1 + V."""
        return len(self.letters.pieces)

    @cached_property
    def mark(self) -> int:
        """A number that tells what gives the same scores from what does not, in any process."""
        told = hashlib.sha256()
        parts: list[Any] = [self.letters, self.weight, self.word_bonus, self.unknown]
        told.update(repr([*parts, sorted(self.hot_words.items())]).encode())
        if self.model is not None:
            trie = self.model.trie
            told.update(repr((len(trie), self.model.vocabulary.tokens[-_MARKED:])).encode())
            # A large model is not read as a whole for it.
            for one in (trie.token, trie.log_prob):
                told.update(one[:_MARKED].tobytes() + one[-_MARKED:].tobytes())
        return int.from_bytes(told.digest()[:7])

    def word(self, text: str) -> int:
        """The number that a model over words has for one that is written so; 0, the unknown word's,
        where it has none."""
        if self._trie is None or not all(one in self.letters.numbers for one in text):
            return UNKNOWN
        token = self._trie.find(self.letters.spelt(text))
        return UNKNOWN if token == NO_WORD else token

    @cached_property
    def words(self) -> NDArray[np.int32]:
        """The numbers of a model's words that can be written; one of those written alike."""
        return np.zeros(0, np.int32) if self._trie is None else self._trie.words

    def start(self) -> Place:
        """Where a sentence begins."""
        return Place(0 if self.model is None else self.model.start())

    def extended(self, place: Place, symbol: int) -> tuple[float, Place]:
        """What a symbol adds to a prefix, and where that stands then; -infinity of a space that
        would write the same words again."""
        letters = self.letters.of_symbols[symbol]
        if self.letters.single_spaces and not place.word and letters[0] == END_OF_WORD:
            return -math.inf, place
        added = 0.0
        for letter in letters:
            more, place = self._letter(place, letter)
            added += more
        return added, place

    def ended(self, place: Place) -> float:
        """What the end of a sentence adds: its last word is over, and nothing follows."""
        added = 0.0
        if place.word and self._trie is not None:
            added, place = self._word_letter(place, END_OF_WORD)
        elif place.word:
            added = self.word_bonus
        if self.model is not None:
            log10, _ = self.model.trie.step(place.context, END)
            added += self.weight * _LN10 * log10
        if self._hot is not None:
            after = self._hot.next[place.hot, END_OF_WORD]
            added += float(self._hot.gain[place.hot, END_OF_WORD] - self._hot.pending[after])
        return added

    def after(self, symbols: Sequence[int]) -> Place:
        """Where the prefix of some symbols stands. Those that were asked for lately are known."""
        return self._prefixes.after(tuple(symbols))

    def rows(self, places: Sequence[Place]) -> NDArray[np.float64]:
        """`(N, 1 + V)`: what each symbol adds to prefixes that stand there; 0 of the blank."""
        symbols = range(1, self.symbols)
        if not kernels.available():
            return np.array(
                [[0.0, *(self.extended(one, symbol)[0] for symbol in symbols)] for one in places]
            )
        some = np.tile(np.array(symbols, np.int32), len(places))
        offsets = np.arange(len(some) + 1)
        added, _ = self._natively(np.repeat(_as_array(places), len(symbols), axis=0), some, offsets)
        return np.pad(added.reshape(len(places), len(symbols)), ((0, 0), (1, 0)))

    def ends(self, places: Sequence[Place]) -> NDArray[np.float64]:
        """`(N,)`: what the end of a sentence adds to prefixes that stand there."""
        if not kernels.available():
            return np.array([self.ended(one) for one in places])
        none = np.zeros(0, np.int32)
        return self._natively(_as_array(places), none, np.zeros(len(places) + 1, int))[1]

    def sums(self, sentences: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        """`(N,)`: what is added to whole sentences, their end included."""
        if not kernels.available():
            return np.array([self._sum(one) for one in sentences], np.float64)
        places = _as_array([self.start()] * len(sentences))
        offsets = np.cumsum([0, *map(len, sentences)])
        symbols = np.array([symbol for one in sentences for symbol in one], np.int32)
        added, at_end = self._natively(places, symbols, offsets)
        each = np.split(added, offsets[1:-1])
        return np.array([one.sum() for one in each]) + at_end

    def _sum(self, symbols: Sequence[int]) -> float:
        total, place = 0.0, self.start()
        for symbol in symbols:
            added, place = self.extended(place, symbol)
            total += added
        return total + self.ended(place)

    def _natively(
        self, places: NDArray[np.int32], symbols: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What each symbol adds to sentences that begin at those places, and the end of each."""
        added, at_end = np.empty(len(symbols)), np.empty(len(places))
        call = kernels.prefix_scores_call()
        call.scores, call.sentences = self.native.address, len(places)
        call.symbols, call.offsets = symbols.ctypes.data, offsets.ctypes.data
        call.places = places.ctypes.data
        call.added, call.at_end = added.ctypes.data, at_end.ctypes.data
        kernels.prefix_scores(call)
        return added, at_end

    @cached_property
    def native(self) -> Any:
        """The same for the kernels: a `PrefixScores` of `kernels/include/unrolled`, whose arrays
        live as long as this object."""
        call = kernels.prefix_scores_arguments()
        letters, begins = self.letters.flat
        call.letters, call.letters_begin = letters.ctypes.data, begins.ctypes.data
        call.alphabet = len(self.letters.numbers)
        call.single_spaces = int(self.letters.single_spaces)
        call.weight, call.word_bonus, call.unknown = self.weight, self.word_bonus, self.unknown
        call.unknown_token, call.end_token = UNKNOWN, END
        if self.model is not None:
            call.model = native_model(self.model.trie)
        if self._letter_tokens is not None:
            call.letter_tokens = self._letter_tokens.ctypes.data
        if self._trie is not None:
            for name in ("first", "letter", "word", "best"):
                setattr(call, f"trie_{name}", getattr(self._trie, name).ctypes.data)
        if self._hot is not None:
            for name in ("next", "gain", "pending"):
                setattr(call, f"hot_{name}", getattr(self._hot, name).ctypes.data)
            call.hot_most = max(0.0, float(self._hot.gain.max()))
        return call

    @cached_property
    def _prefixes(self) -> KnownPrefixes[Place]:
        def extended(place: Place, symbol: int) -> Place:
            return self.extended(place, symbol)[1]

        return KnownPrefixes(self.start(), extended, _KEPT)

    def _letter(self, place: Place, letter: int) -> tuple[float, Place]:
        if self._trie is not None:
            added, after = self._word_letter(place, letter)
        elif self._letter_tokens is not None:
            added, after = self._model_letter(place, letter)
        else:
            added = self.word_bonus if letter == END_OF_WORD and place.word else 0.0
            after = place._replace(word=0 if letter == END_OF_WORD else _OUTSIDE)
        if self._hot is not None:
            added += float(self._hot.gain[place.hot, letter])
            after = after._replace(hot=int(self._hot.next[place.hot, letter]))
        return added, after

    def _word_letter(self, place: Place, letter: int) -> tuple[float, Place]:
        assert self._trie is not None
        assert self.model is not None
        had = self._ahead(place.word)
        if letter != END_OF_WORD:
            word = _OUTSIDE if place.word < 0 else self._trie.longer(place.word, letter)
            return self._ahead(word) - had, place._replace(word=word)
        if place.word == 0:
            return 0.0, place
        token = NO_WORD if place.word < 0 else int(self._trie.word[place.word])
        known = token != NO_WORD
        log10, context = self.model.trie.step(place.context, token if known else UNKNOWN)
        added = self.weight * _LN10 * log10 + self.word_bonus + (0.0 if known else self.unknown)
        return added - had, place._replace(context=context, word=0)

    def _ahead(self, word: int) -> float:
        """What the letters of a word that goes on have added."""
        assert self._trie is not None
        assert self.model is not None
        if word == 0:
            return 0.0
        if word > 0:
            return self.weight * float(self._trie.best[word])
        return self.weight * _LN10 * float(self.model.trie.log_prob[1 + UNKNOWN]) + self.unknown

    def _model_letter(self, place: Place, letter: int) -> tuple[float, Place]:
        assert self._letter_tokens is not None
        assert self.model is not None
        token = int(self._letter_tokens[letter])
        log10, context = self.model.trie.step(place.context, token)
        added = self.weight * _LN10 * log10
        if token == UNKNOWN:
            added += self.unknown
        if letter == END_OF_WORD and place.word:
            added += self.word_bonus
        word = 0 if letter == END_OF_WORD else _OUTSIDE
        return added, place._replace(context=context, word=word)

    def _tokens_of_letters(self, model: NGramModel) -> np.ndarray:
        numbers = model.vocabulary.numbers
        forms = [(SPACE,), *((one, one.lower(), one.upper()) for one in self.letters.numbers)]
        tokens = [next((numbers[one] for one in some if one in numbers), UNKNOWN) for some in forms]
        found = np.array(tokens, np.int32)
        # A space may be in both.
        if (found[1:] == UNKNOWN).all():
            raise another_alphabet(model.unit, self.letters, model.vocabulary.tokens[len(MARKS) :])
        return found

    def _words_of(self, model: NGramModel) -> WordTrie:
        marks = len(MARKS)
        log10 = model.trie.log_prob[1:]
        found: dict[tuple[int, ...], int] = {}
        for token, word in enumerate(model.vocabulary.tokens[marks:], start=marks):
            written = self.letters.written(word)
            if written:
                # Of words that are written alike here, the most frequent.
                letters = self.letters.spelt(written)
                if letters not in found or log10[found[letters]] < log10[token]:
                    found[letters] = token
        if not found:
            raise another_alphabet(model.unit, self.letters, model.vocabulary.tokens[marks:])
        tokens = list(found.values())
        return WordTrie.of(list(found), tokens, _LN10 * log10[tokens].astype(np.float64))

    def _automaton(self) -> HotWords:
        phrases: dict[tuple[int, ...], float] = {}
        for phrase, weight in self.hot_words.items():
            words = " ".join(phrase.split())
            if not words:
                raise ConfigError("hot_words: got one without letters; leave it out")
            written = self.letters.written(words)
            if written is None:
                strange = sorted(set("".join(words.split())) - self.letters.numbers.keys())
                raise ConfigError(
                    f"hot_words: {phrase!r} has {' '.join(map(repr, strange[:_NAMED]))}, which the"
                    f" recogniser can't write; it writes {_shown(list(self.letters.numbers))}"
                )
            phrases[self.letters.spelt(written)] = checked_number(f"hot_words[{phrase!r}]", weight)
        return HotWords.of(phrases, len(self.letters.numbers))


def _as_array(places: Sequence[Place]) -> NDArray[np.int32]:
    return np.array(places, np.int32).reshape(-1, len(Place._fields))


def checked_number(name: str, value: Any, least: float = -math.inf) -> float:
    """A number; ConfigError where it is none, not finite, or less than it may be."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not (number and math.isfinite(value) and value >= least):
        expected = "a number" if least == -math.inf else f"a number from {least:g} on"
        raise ConfigError(f"{name}: got {value!r}, expected {expected}")
    return float(value)


def another_alphabet(unit: str, letters: Letters, tokens: Sequence[str]) -> ConfigError:
    """The error of a language model with these tokens, of which a recogniser with those letters can
    write none."""
    theirs = sorted({one for token in tokens if token != SPACE for one in token if one.strip()})
    strange = [one for one in theirs if letters.written(one) is None]
    return ConfigError(
        f"the language model is over other {unit} than the recogniser writes: it has the letters"
        f" {_shown(strange or theirs)}, the recogniser {_shown([*letters.numbers])}; train one"
        " on text that is written as the transcripts are"
    )


def _shown(some: Sequence[str]) -> str:
    more = ", ..." if len(some) > 2 * _NAMED else ""
    return ", ".join(map(repr, some[: 2 * _NAMED])) + more
