"""What a trained language model answers: text, next words, scores, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast, overload

import numpy as np

from unrolled.baselines import NGram
from unrolled.data.tokens import TextStream, Tokenizer
from unrolled.decoding.stopping import StopStrings
from unrolled.decoding.text_score import TextScore
from unrolled.errors import ConfigError
from unrolled.tasks.arrays import Arrays
from unrolled.tasks.base import Task, check_rate, whole_number
from unrolled.tasks.generating.checks import check_text, tell_unknown
from unrolled.tasks.generating.interpolation import Interpolation
from unrolled.tasks.generating.keystrokes import Typing
from unrolled.tasks.generating.neural_cache import NeuralCache, cache_of
from unrolled.tasks.generating.places import place_of, place_to_arrays
from unrolled.tasks.generating.reading import Read, Reader
from unrolled.tasks.generating.scoring import score_texts
from unrolled.tasks.generating.settings import Settings
from unrolled.tasks.generating.word_pieces import WordPieces
from unrolled.tasks.generating.writing import Writing, write
from unrolled.tasks.language_models import AnyLanguageModel


class Answering(Task):
    """The half of a `Generator` that reads and writes; the other one learns.

    Attributes:
        model: the network.
        vocabulary: the tokenizer that it was trained with.
        settings: what was settled by the data and the budget.
        baseline: the n-gram model, which may have a share in the answers.
    """

    vocabulary: Tokenizer
    model: AnyLanguageModel
    settings: Settings
    baseline: NGram
    ngram_weight: float | None
    _pieces: WordPieces

    def predict(self, prompts: str | Iterable[str], **options: Any) -> str | list[str]:
        """The continuation of a prompt, or of each; options as in `generate`."""
        if isinstance(prompts, str):
            return self.generate(prompts, **options)
        return [self.generate(prompt, **options) for prompt in prompts]

    def generate(self, prompt: str = "", **options: Any) -> str:
        """Write on from a prompt: what `stream` yields, in one piece; arguments as there."""
        return "".join(self.stream(prompt, **options))

    def stream(
        self,
        prompt: str = "",
        *,
        length: int = 200,
        temperature: float = 0.8,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        repetition_window: int = 64,
        stop: str | Iterable[str] | None = None,
        seed: int | None = None,
        cache: bool | NeuralCache | None = None,
    ) -> Iterator[str]:
        """Write on from a prompt, piece by piece as it is written.

        Args:
            prompt: what to read first, at the beginning of a document; may be empty. What the
                model does not know in it is told in a warning and read as unknown.
            length: the most tokens to write (characters, words or subwords).
            temperature: below 1 the likely becomes likelier; 0 always takes the likeliest.
            top_k: draw from the `k` likeliest only.
            top_p: draw from the fewest that together have probability `p`.
            repetition_penalty: above 1, how much less likely a token is that stands among the last
                `repetition_window`: its probability is raised to this power.
            repetition_window: how many tokens count as repeated.
            stop: a text, or several, before the first of which the answer ends.
            seed: the same seed gives the same text.
            cache: a neural cache: True, or its settings.

        Yields:
            The text after the prompt, in pieces; never half a character.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: an option out of its range.
        """
        self._check_fitted()
        length = whole_number("length", length, least=0)
        how = Writing(
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            repetition_window=repetition_window,
            seed=seed,
            cache=cache_of(cache),
        )
        stops = StopStrings(stop)
        check_text("prompt", prompt)
        tell_unknown(self.vocabulary, prompt)
        return self._written(prompt, length, how, stops)

    def _written(self, prompt: str, length: int, how: Writing, stops: StopStrings) -> Iterator[str]:
        ids = self.vocabulary.encode(prompt).tolist()
        text = TextStream(self.vocabulary, before=ids)
        # Where spaces are implied, the first piece brings one that the prompt may have already.
        spaced = self.vocabulary.kind == "words" and prompt[-1:].isspace()
        for place, token in enumerate(write(self._reader(), ids, length, how)):
            written = text.push(token)
            if spaced and place == 0:
                written = written.removeprefix(" ")
            piece = stops.feed(written)
            if piece:
                yield piece
            if stops.reached:
                return
        rest = stops.feed(text.end()) + stops.rest()
        if rest:
            yield rest

    def suggest(self, prefix: str = "", n: int = 5) -> list[tuple[str, float]]:
        """The `n` likeliest next words after a text, with their probabilities.

        Where the text ends within a word they are the whole words that begin with it, the likeliest
        first, and probabilities are given what was typed. A mark of punctuation is no word, so that
        they may sum to less than 1.

        Args:
            prefix: what stands before; may be empty.
            n: how many, 1 or more; there may be fewer.

        Raises:
            NotFittedError: `fit` comes first.
        """
        return self.typing(prefix).suggest(n)

    def typing(self, text: str = "") -> Typing:
        """A text that goes on by keystrokes, with the next words at hand after each; see `Typing`.

        Raises:
            NotFittedError: `fit` comes first.
        """
        self._check_fitted()
        check_text("text", text)
        if getattr(self, "_pieces", None) is None or self._pieces.tokenizer is not self.vocabulary:
            self._pieces = WordPieces(self.vocabulary)
        # Half a word is no word that is not known.
        tell_unknown(self.vocabulary, self._pieces.split(text)[0])
        return Typing(self._reader(), self._pieces, text)

    @overload
    def score(  # type: ignore[overload-overlap]  # a text is one, though it has characters
        self, texts: str, *, per_token: bool = ..., cache: bool | NeuralCache | None = ...
    ) -> TextScore: ...
    @overload
    def score(
        self, texts: Iterable[str], *, per_token: bool = ..., cache: bool | NeuralCache | None = ...
    ) -> list[TextScore]: ...
    def score(
        self,
        texts: str | Iterable[str],
        *,
        per_token: bool = False,
        cache: bool | NeuralCache | None = None,
    ) -> TextScore | list[TextScore]:
        """How likely a text is, or each of several, at the beginning of a document.

        Args:
            texts: one or several.
            per_token: keep each token with its log-probability.
            cache: a neural cache, which begins empty for each text: True, or its settings.

        Returns:
            Log-probability in nats, perplexity by token and bits per character, of each text.

        Raises:
            NotFittedError: `fit` comes first.
        """
        self._check_fitted()
        alone = isinstance(texts, str)
        given = [cast(str, texts)] if alone else list(texts)
        for text in given:
            check_text("texts", text)
        scores = score_texts(self._reader(), given, per_token=per_token, cache=cache_of(cache))
        return scores[0] if alone else scores

    def start(self, prompt: str = "") -> Arrays:
        """The state after reading a prompt: plain arrays, to be handed to `step`."""
        self._check_fitted()
        check_text("prompt", prompt)
        tell_unknown(self.vocabulary, prompt)
        return place_to_arrays(self._reader().text(prompt).place)

    def step(self, token: str, state: Arrays | None = None) -> tuple[np.ndarray, Arrays]:
        """Read one token.

        Args:
            token: a character, a word, or a subword.
            state: what `start` or an earlier `step` gave; stays as it is. None: the beginning.

        Returns:
            The probability of each token of the vocabulary to come next, float32 `(V,)`, and the
            new state.
        """
        self._check_fitted()
        check_text("token", token)
        ids = self.vocabulary.encode(token)
        if len(ids) != 1:
            kind = self.vocabulary.kind.removesuffix("s")
            raise ConfigError(f"step: got {token!r}, expected one {kind}")
        reader = self._reader()
        if state is None:
            after = reader.read(ids)
        else:
            after = reader.step(ids.tolist(), place_of(state, reader))
        return _probabilities(after), place_to_arrays(after.place)

    def _reader(self) -> Reader:
        weight = self.settings.ngram_weight
        if self.ngram_weight is not None:  # may be set after `fit`: nothing need be learnt for it
            check_rate("ngram_weight", self.ngram_weight)
            weight = float(self.ngram_weight)
        mix = Interpolation(self.baseline, weight) if weight else None
        return Reader(self.model, self.vocabulary, mix)


def _probabilities(at: Read) -> np.ndarray:
    chances: np.ndarray = at.logits[0].softmax(-1).cpu().numpy()
    return chances
