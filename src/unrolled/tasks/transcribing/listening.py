"""A `Transcriber` that listens: sound in as it comes, what was heard so far out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from unrolled.data.batching.padded import padded
from unrolled.decoding.ctc_endpoint import Endpoint
from unrolled.decoding.ctc_stream import CtcResult
from unrolled.decoding.ctc_words import stable_words, words_heard
from unrolled.errors import ConfigError
from unrolled.tasks.arrays import Arrays, check_shapes, check_state
from unrolled.tasks.transcribing.answering import Answering
from unrolled.tasks.transcribing.heads import head_of, of_stream
from unrolled.tasks.transcribing.streaming import begun, heard_shapes, read_sounds
from unrolled.tasks.transcribing.transcript import Partial, Transcript
from unrolled.tasks.transcribing.transcripts import heard_words, of_label, transcript_of


class Listening(Answering):
    """The streaming half of a `Transcriber`."""

    def start(self, *, beam: int | None = None) -> Arrays:
        """The state before the first sample: plain arrays, for `step`.

        Args:
            beam: prefixes that are followed; 1: the best symbol of each step. None: 8, or 32 with
                a language model or hot words. A stream keeps to those that it began with.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: the model reads the sound both ways, and hears whole recordings only; or a
                beam that can't be.
        """
        self._check_fitted()
        if self.directions != 1:
            raise ConfigError(
                f"directions: this model has {self.directions}, and hears whole recordings only;"
                " train one with directions=1 to listen"
            )
        state = begun(self.model, self.framing)
        if self.labelled:
            return state | {
                "label": np.full(len(self.labels), -np.log(len(self.labels)), np.float32)
            }
        beam = self._checked_beam(beam)
        return state | of_stream(self._decoder(beam).start()) | self._searching(beam)

    def step(
        self,
        sound: np.ndarray,
        state: Arrays,
        *,
        endpoint: float | None = 0.8,
    ) -> tuple[Partial, Arrays]:
        """Hear some more.

        However the sound is cut into chunks, the words are the same; without an endpoint they are
        those of `transcribe`.

        Args:
            sound: samples `(N,)` float32 in [-1, 1] at `framing.rate` samples a second, or frames
                `(t, F)` of ready-made features; may be empty.
            state: what `start` or an earlier `step` gave; stays as it is.
            endpoint: seconds of silence after which an utterance is over; None: when the stream is.

        Returns:
            What was heard so far, and the new state.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: that is no state of this model, or an argument that can't work.
            DataError: that are no samples.
        """
        (partial,), (after,) = self.step_all([sound], [state], endpoint=endpoint)
        return partial, after

    def step_all(
        self,
        sounds: Sequence[np.ndarray],
        states: Sequence[Arrays],
        *,
        endpoint: float | None = 0.8,
    ) -> tuple[list[Partial], list[Arrays]]:
        """Hear some more of many streams at once, each as `step` hears it.

        Streams whose chunks are alike, of one length and begun a whole number of chunks apart, are
        calculated together, and the weights are read once for all of them.

        Args:
            sounds: of each stream, as for `step`; of any lengths.
            states: of each, as for `step`; they stay as they are.
            endpoint: as for `step`.

        Returns:
            Of each stream what was heard so far, and the new states.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: as `step`; or not as many states as sounds.
            DataError: of one stream that are no samples; all stay as they were.
        """
        self._check_fitted()
        if len(sounds) != len(states):
            raise ConfigError(
                f"states: got {len(states)}, expected one for each of {len(sounds)} sounds"
            )
        for at, state in enumerate(states):
            self._check_state(state, f"states[{at}]" if len(states) > 1 else "state")
        ends = None if endpoint is None else Endpoint(endpoint)
        read = read_sounds(self.model, self.framing, sounds, states)
        if self.labelled:
            heard = [self._label(*one, state) for one, state in zip(read, states, strict=True)]
        else:
            heard = self._said(read, states, ends)
        return [partial for partial, _ in heard], [after for _, after in heard]

    def finish(self, state: Arrays, *, n_best: int = 1) -> Transcript:
        """What the utterance that goes on is taken for where nothing more comes.

        Args:
            state: of the stream; stays as it is.
            n_best: how many answers to give; of transcripts no more than the beam of the stream.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: that is no state of this model, or an `n_best` that can't be.
        """
        self._check_fitted()
        self._check_state(state)
        n_best = self._checked_n_best(n_best, int(state.get("beam", 1)))
        if self.labelled:
            return of_label(state["label"], self.labels, n_best, self._seconds(state))
        decoder = self._decoder(int(state["beam"]))
        return self._transcript(decoder.finish(head_of(self.model).to_stream(state)), n_best)

    def listen(
        self,
        sound: Any = None,
        *,
        rate: float | None = None,
        device: int | str | None = None,
        fast: bool = False,
        beam: int | None = None,
        endpoint: float | None = 0.8,
        until: Callable[[], bool] = lambda: False,
        tell: Callable[[str], object] | None = None,
    ) -> Iterator[Partial]:
        """Hear a microphone, a file, or chunks that come, of any rate, as long as they come.

        A model of labels, or one that reads both ways, hears each utterance as a whole when it is
        over: it is cut out by loudness (`SoundCutter`), and nothing is said of it before.

        Args:
            sound: None: a microphone; the path of a file, heard at its real pace; chunks `(N,)`
                float32 in [-1, 1] with their `rate`; or a `sound_chunks.Chunks`.
            rate: of chunks, samples a second.
            device: of the microphone, its number or a part of its name; None: the usual one.
            fast: hear a file as quickly as can be.
            beam: as for `start`.
            endpoint: as for `step`.
            until: asked before each chunk; true ends the sound.
            tell: gets text where sound waits to be heard or was lost. None: it is warned of.

        Yields:
            What was heard so far, after each chunk, and at the end once more, with the utterance
            that went on. Words have seconds from the beginning of the sound.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: a model of ready-made features, no such microphone, or an argument that
                can't work.
            DataError: sound that can't be read.
            MissingExtra: a microphone without the extra "listen".

        Warns:
            UnrolledWarning: sound waits to be heard, or was lost.
        """
        from unrolled.tasks.transcribing.live import hear, sound_source

        self._check_fitted()
        if self.framing.rate is None:
            raise ConfigError("this model reads ready-made features, and can't listen to sound")
        source = sound_source(sound, rate=rate, device=device, fast=fast)
        return hear(self, source, beam=beam, endpoint=endpoint, until=until, tell=tell)

    def _label(
        self, found: np.ndarray | None, after: Arrays, state: Arrays
    ) -> tuple[Partial, Arrays]:
        """The label so far, and the state after it."""
        seconds = self._seconds(after)
        label = state["label"] if found is None else found
        heard = of_label(label, self.labels, 1, seconds)
        after = after | {"label": np.array(label, np.float32)}
        return Partial(heard.text, seconds=seconds), after

    def _said(
        self,
        read: Sequence[tuple[np.ndarray | None, Arrays]],
        states: Sequence[Arrays],
        ends: Endpoint | None,
    ) -> list[tuple[Partial, Arrays]]:
        """What is said in each stream so far, and the states after it."""
        beams = [int(state["beam"]) for state in states]
        to_stream = head_of(self.model).to_stream
        streams = [to_stream(state) for state in states]
        over: list[list[CtcResult]] = [[] for _ in states]
        decoders = {beam: self._decoder(beam, ends) for beam in set(beams)}
        for beam, decoder in decoders.items():
            rows = [
                at for at, (found, _) in enumerate(read) if found is not None and beams[at] == beam
            ]
            if not rows:
                continue
            several = [one for at in rows if (one := read[at][0]) is not None]
            lengths = np.array([len(one) for one in several])
            side_by_side = padded(several, 0, np.float32).numpy()
            finals, moved = decoder.step_all(side_by_side, lengths, [streams[at] for at in rows])
            for at, final, stream in zip(rows, finals, moved, strict=True):
                over[at], streams[at] = final, stream
        return [
            (
                self._partial(decoders[beam], final, stream, self._seconds(after)),
                after | of_stream(stream) | self._searching(beam),
            )
            for (_, after), beam, final, stream in zip(read, beams, over, streams, strict=True)
        ]

    def _partial(self, decoder: Any, over: list[CtcResult], stream: Any, seconds: float) -> Partial:
        assert self.symbols is not None
        now = decoder.partial(stream)
        pieces, between = self.symbols.pieces, self.symbols.between
        words = words_heard(
            now.hypotheses, pieces, seconds=self._seconds_of_a_step, between=between
        )
        return Partial(
            self.symbols.text(now.hypotheses[0].tokens),
            heard_words(words),
            stable_words(words, now.stable, between=between),
            tuple(self._transcript(one) for one in over),
            seconds,
        )

    def _transcript(self, result: CtcResult, n_best: int = 1) -> Transcript:
        assert self.symbols is not None
        step = self._seconds_of_a_step
        seconds = (result.end - result.begin) * step
        hypotheses = result.hypotheses
        if self.language is not None:
            hypotheses = tuple(self.language.second([hypotheses])[0])
        return transcript_of(hypotheses, self.symbols, seconds, step=step, n_best=n_best)

    def _check_state(self, state: Any, name: str = "state") -> None:
        """ConfigError where it is no state of this model; `name` is what it is called there."""
        expected = heard_shapes(self.model, self.framing)
        if self.labelled:
            expected = expected | {"label": (len(self.labels),)}
        else:
            check_state(state, "beam", name=name)
            greedy = bool(np.all(state["beam"] == 1))
            expected = expected | head_of(self.model).shapes(greedy)
            expected = expected | {"beam": (), "language": ()}
        check_shapes(state, expected, name)
        if not self.labelled and int(state["language"]) != self._language_mark:
            raise ConfigError(
                f"{name}: the stream began with another language model or other hot words; begin a"
                " new one with start()"
            )

    def _decoder(self, beam: int, endpoint: Endpoint | None = None) -> Any:
        scores = None if self.language is None else self.language.scores
        return head_of(self.model).decoder(self._seconds_of_a_step, beam, endpoint, scores)

    def _searching(self, beam: int) -> Arrays:
        """What a state knows of the search besides where it is."""
        return {"beam": np.array(beam), "language": np.array(self._language_mark)}

    @property
    def _language_mark(self) -> int:
        """Of what a search adds to its prefixes: their places have a meaning in nothing else."""
        scores = None if self.language is None else self.language.scores
        return 0 if scores is None else scores.mark

    @property
    def _seconds_of_a_step(self) -> float:
        return self.framing.seconds * self.settings.subsampling

    def _seconds(self, state: Arrays) -> float:
        return int(state["steps"]) * self._seconds_of_a_step
