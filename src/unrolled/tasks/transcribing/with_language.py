"""What a `Transcriber` knows of the language beside what it hears: models, hot words, why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, Self

import numpy as np

from unrolled.data.pronunciations import Pronunciations
from unrolled.data.recordings import Recordings
from unrolled.data.recordings_reading import read_recordings
from unrolled.data.recordings_rows import with_texts
from unrolled.decoding.ctc_hypothesis import CtcHypothesis
from unrolled.errors import ConfigError
from unrolled.tasks.base import Task, whole_number
from unrolled.tasks.text_models import open_ngrams, open_text_model
from unrolled.tasks.transcribing.explaining import Explainer
from unrolled.tasks.transcribing.framing import Framing
from unrolled.tasks.transcribing.heads import head_of
from unrolled.tasks.transcribing.language import (
    Language,
    Weights,
    check_same_letters,
    hot_words_of,
)
from unrolled.tasks.transcribing.lessons import heard
from unrolled.tasks.transcribing.network import TranscriptionNetwork
from unrolled.tasks.transcribing.settings import Settings
from unrolled.tasks.transcribing.some_at_a_time import some_at_a_time
from unrolled.tasks.transcribing.sounds_alike import Explanation
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.transcribing.transcripts import searched, transcript_of
from unrolled.tasks.transcribing.tuning import Tuned, tuned
from unrolled.tasks.transcribing.word_rivals import WordRivals, dictionary, frequent_words

# Prefixes that are followed: what sounds alike must be among them for a language to choose.
BEAM, BEAM_WITH_LANGUAGE = 8, 32


class WithLanguage(Task):
    """The half of a `Transcriber` that language models and hot words have a say in.

    Attributes:
        model, labelled, symbols, framing, settings: as `Answering` has them.
        language_weights: how much a language model counts, as `tune` chose it.
        language: the one that is used, and hot words; None: what is heard alone counts.
    """

    model: TranscriptionNetwork
    labelled: bool
    symbols: Symbols | None
    framing: Framing
    settings: Settings
    language_weights: Weights = Weights()
    language: Language | None = None

    def use_language(
        self,
        model: Any = None,
        *,
        weight: float | None = None,
        word_bonus: float | None = None,
        unknown: float | None = None,
        rerank: Any = None,
        rerank_weight: float | None = None,
    ) -> Self:
        """Let language models have a say in what is heard, from now on.

            score(words) = log p(words | sound) + weight log q(words) + word_bonus * count
                           + rerank_weight log r(words)

        Both passes hold for recordings and for streams that begin from now on: in a stream the
        first is heard live, the second when an utterance is over.

        Args:
            model: `q`, an `NGramModel` that is asked while the search runs, or its file; None: no.
            weight, word_bonus, unknown: of it, and nats for each word, and for each that it does
                not know; None: what `tune` chose, or the usual ones.
            rerank: `r`, a `Generator` or `NGramModel` that reads the answers of the beam, or its
                file; None: none.
            rerank_weight: of it; None: as above.

        Returns:
            The transcriber itself. Without a model and `rerank` it hears as it did.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: labels, which no model chooses; one over other words than the transcripts;
                numbers that can't work.
            DataError, ModelFileError: a file that can't be read.
        """
        weights = self.language_weights.given(
            weight=weight, word_bonus=word_bonus, unknown=unknown, rerank_weight=rerank_weight
        )
        self._listen_with(self._language(model, rerank, weights))
        return self

    def bias(self, words: Mapping[str, float] | Iterable[str] | None) -> Self:
        """Hear some words rather than others that sound alike, from now on.

        Args:
            words: hot words, or phrases of several words, each with what it adds in nats, or a list
                of them, which adds 3, so that each is 20 times as probable as it was. A number
                below 0 makes a word less probable. None takes all back.

        Returns:
            The transcriber itself.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: labels; no words; one that can't be written with the symbols.
        """
        symbols = self._symbols_for("hot words")
        language = self.language or Language(symbols, self.language_weights)
        hot = {} if words is None else hot_words_of(words)
        self._listen_with(replace(language, hot_words=hot))
        return self

    def tune(
        self,
        data: Any,
        model: Any = None,
        *,
        rerank: Any = None,
        beam: int | None = None,
        audio: str | None = None,
        text: str | None = None,
        speaker: str | None = None,
        pattern: str | None = None,
        skip: bool = False,
        tell: Callable[[str], object] | None = None,
    ) -> Tuned:
        """Choose how much language models count, by recordings that nothing was learnt from.

        What is chosen is kept in `language_weights`, and with them in the model's file; the models
        are used from now on. Where they do not help, the answer says so.

        Args:
            data, audio, text, speaker, pattern, skip: recordings with what is said, as for
                `evaluate`.
            model, rerank: as for `use_language`; one of them at least.
            beam: as for `transcribe`.
            tell: called with a line for each step.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: as `use_language`; or there is neither model.
            DataError, ModelFileError: recordings or a model's file that can't be read.
        """
        if model is None and rerank is None:
            raise ConfigError("tune: give a language model, or one that reranks, or both")
        language = self._language(model, rerank, self.language_weights)
        beam = self._beam_with(language, beam)
        read = self._read_with_texts(
            data, audio=audio, text=text, speaker=speaker, pattern=pattern, skip=skip
        )
        answers: list[np.ndarray] = []
        for part in some_at_a_time(read.items):
            answers += heard(self.model, [self.framing.frames(read.items[at]) for at in part])
        found = tuned(answers, read.texts, head_of(self.model), language, beam=beam, tell=tell)
        self.language_weights = replace(
            found.weights, told=f"{len(read):,} recordings of {read.name}"
        )
        self._listen_with(replace(language, weights=self.language_weights))
        return found

    def _read_with_texts(self, data: Any, *, skip: bool, **columns: Any) -> Recordings:
        """Recordings with what is said in each, as this model hears them; `columns` as for `fit`.

        Raises:
            DataError: they can't be read, or there are none with a text.
        """
        frame_rate = self.framing.frame_rate
        read = read_recordings(data, skip=skip, frame_rate=frame_rate, **columns)
        return with_texts(read, skip=skip)

    def _symbols_for(self, what: str) -> Symbols:
        self._check_fitted()
        if self.symbols is None:
            raise ConfigError(
                f"{what}: this model answers with labels of whole recordings, and hears no words"
            )
        return self.symbols

    def _language(self, model: Any, rerank: Any, weights: Weights) -> Language:
        """With the hot words that are there."""
        symbols = self._symbols_for("a language model")
        weights.check()
        writer = None if rerank is None else open_text_model(rerank, "rerank")
        if writer is not None:
            check_same_letters(writer, symbols)
        found = Language(
            symbols,
            weights,
            None if model is None else open_ngrams(model, "the language model"),
            {} if self.language is None else self.language.hot_words,
            writer,
        )
        _ = found.scores  # what can't work is told before there is work
        return found

    def _listen_with(self, language: Language) -> None:
        self.language = None if language.scores is None else language

    def explain(
        self,
        sounds: Any,
        *,
        pronunciations: Pronunciations | str | PathLike[str] | None = None,
        near: bool = False,
        rivals: int = 5,
        beam: int | None = None,
    ) -> list[Explanation]:
        """Why each transcript has its words and not others that sound like them.

        Each rival stands in the place of a word, all else being as it is; told is what the sound,
        the language model, hot words and the second pass say then, less what they say of the
        transcript, and beside which other words the rival would have won.

        Args:
            sounds: as for `transcribe`.
            pronunciations: a dictionary, or its file in the form of CMUdict; None: CMUdict where
                the catalog has it at hand. Words that are in none are compared by their letters.
            near: whether words that are one phone apart are rivals, too.
            rivals: how many are told of a word, at most.
            beam: as for `transcribe`.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: labels; an argument that can't work.
            DataError: a sound or a dictionary that can't be read.
        """
        explainer = self._explainer(pronunciations, near, rivals)
        beam = self._checked_beam(beam)
        if isinstance(sounds, list) and not sounds:
            return []
        given = read_recordings(sounds, texts=False, frame_rate=self.framing.frame_rate)
        found: list[Explanation] = []
        for part in some_at_a_time(given.items):
            made = [self.framing.heard(given.items[at]) for at in part]
            told = self._explained([frames for frames, _ in made], explainer, beam)
            found += [
                replace(one, transcript=replace(one.transcript, silent=silent))
                for (one, _), (_, silent) in zip(told, made, strict=True)
            ]
        return found

    def _explainer(
        self,
        pronunciations: Pronunciations | str | PathLike[str] | None = None,
        near: bool = False,
        rivals: int = 5,
    ) -> Explainer:
        symbols, language = self._symbols_for("explain"), self.language
        rivals = whole_number("rivals", rivals, least=1)
        words = frequent_words(None if language is None else language.model)
        words += () if language is None else tuple(language.hot_words)
        words += symbols.pieces[1:] if symbols.kind == "words" else ()
        alike = WordRivals(dictionary(pronunciations), words, near)
        step = self.framing.seconds * self.settings.subsampling
        return Explainer(head_of(self.model), symbols, language, alike, rivals, step)

    def _explained(
        self, frames: Sequence[np.ndarray], explainer: Explainer, beam: int
    ) -> list[tuple[Explanation, CtcHypothesis]]:
        """Of each recording, and the hypothesis that is explained."""
        answers = heard(self.model, frames)
        each = searched(answers, explainer.head, beam, explainer.language)
        found = []
        for answer, hypotheses, one in zip(answers, each, frames, strict=True):
            seconds = len(one) * self.framing.seconds
            transcript = transcript_of(hypotheses, explainer.symbols, seconds, step=explainer.step)
            found.append((explainer.of(answer, hypotheses, transcript), hypotheses[0]))
        return found

    def _checked_beam(self, beam: int | None) -> int:
        return self._beam_with(self.language, beam)

    def _beam_with(self, language: Language | None, beam: int | None) -> int:
        if beam is None:
            return BEAM if language is None else BEAM_WITH_LANGUAGE
        beam = whole_number("beam", beam, least=1)
        if beam == 1 and language is not None:
            raise ConfigError(
                "beam: the best symbol of each step (beam=1) asks no language model and no hot"
                " words; search with a beam of 2 or more, or take them back (use_language(None))"
            )
        return beam
