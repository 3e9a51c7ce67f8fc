"""The answering half of a `Transcriber`: transcripts, their scores, and its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from unrolled.baselines.owners import together
from unrolled.data.band_scale import BandScale
from unrolled.data.doctor_checkup import Checkup
from unrolled.data.recordings import LEFT_OUT, Recordings
from unrolled.data.recordings_reading import read_recordings
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.base import whole_number
from unrolled.tasks.evaluation import Evaluation
from unrolled.tasks.transcribing.building import build
from unrolled.tasks.transcribing.framing import Framing
from unrolled.tasks.transcribing.gate import MOST, Rivals, evaluation_of, rivals_from
from unrolled.tasks.transcribing.heads import head_of
from unrolled.tasks.transcribing.language import (
    Weights,
)
from unrolled.tasks.transcribing.lessons import heard
from unrolled.tasks.transcribing.network import TranscriptionNetwork
from unrolled.tasks.transcribing.settings import Settings
from unrolled.tasks.transcribing.some_at_a_time import some_at_a_time
from unrolled.tasks.transcribing.symbols import Symbols
from unrolled.tasks.transcribing.transcript import Transcript
from unrolled.tasks.transcribing.transcripts import of_label, of_symbols
from unrolled.tasks.transcribing.with_language import WithLanguage

_LISTED = 10
_SILENT = (
    "nothing was heard in any of them: the network has not learnt to say anything yet; train longer"
)
# Labels that a message names.
_NAMED = 5


class Answering(WithLanguage):
    """What a fitted `Transcriber` is asked, and what its file holds.

    Attributes:
        model: the network.
        labelled: whether each recording has one label.
        symbols: of transcripts; None for labels.
        labels: sorted; none for transcripts.
        framing: how recordings become frames.
        settings: the numbers that it was made and trained with.
        checkup: the data doctor's.
        rivals: fitted on the same recordings.
    """

    head: str
    model: TranscriptionNetwork
    labelled: bool
    symbols: Symbols | None
    labels: tuple[str, ...]
    framing: Framing
    settings: Settings
    checkup: Checkup
    rivals: Rivals
    _scale: BandScale

    def predict(self, sounds: Any, *, beam: int | None = None) -> list[str]:
        """What is said in each: transcripts or labels.

        Args:
            sounds: as for `transcribe`.
            beam: as for `transcribe`.
        """
        return [one.text for one in self.transcribe(sounds, beam=beam)]

    def transcribe(
        self, sounds: Any, *, beam: int | None = None, n_best: int = 1
    ) -> list[Transcript]:
        """What is said in each, with times and confidences.

        Args:
            sounds: a file, a folder, `(samples, rate)`, ready-made features `(T, F)`, a list of
                such, which may be empty, or `Recordings`.
            beam: prefixes that are followed; 1: the best symbol of each step. None: 8, or 32 with
                a language model or hot words.
            n_best: how many answers to give; the others are the first one's `alternatives`.

        Raises:
            NotFittedError: `fit` comes first.
            ConfigError: an argument that can't work.
            DataError: a sound that can't be read.
        """
        self._check_fitted()
        beam = self._checked_beam(beam)
        n_best = self._checked_n_best(n_best, beam)
        if isinstance(sounds, list) and not sounds:
            return []
        given = read_recordings(sounds, texts=False, frame_rate=self.framing.frame_rate)
        found: list[Transcript] = []
        for _, heard_now in self._heard_in_parts(given, beam, n_best):
            found += heard_now
        return found

    def _heard_in_parts(
        self, recordings: Recordings, beam: int, n_best: int = 1
    ) -> Iterator[tuple[list[np.ndarray], list[Transcript]]]:
        """The frames of some recordings and what is said in them, part by part in order."""
        for part in some_at_a_time(recordings.items):
            made = [self.framing.heard(recordings.items[at]) for at in part]
            frames = [one for one, _ in made]
            answers = self._answers(frames, beam, n_best)
            yield (
                frames,
                [
                    replace(one, silent=silent)
                    for one, (_, silent) in zip(answers, made, strict=True)
                ],
            )

    def _checked_n_best(self, n_best: int, beam: int) -> int:
        n_best = whole_number("n_best", n_best, least=1)
        if not self.labelled and n_best > beam:
            raise ConfigError(f"n_best: got {n_best} of a beam of {beam}; give a wider beam")
        return n_best

    def _answers(self, frames: list[np.ndarray], beam: int, n_best: int) -> list[Transcript]:
        said = heard(self.model, frames)
        seconds = [len(one) * self.framing.seconds for one in frames]
        if self.labelled:
            return [
                of_label(one, self.labels, n_best, length)
                for one, length in zip(said, seconds, strict=True)
            ]
        assert self.symbols is not None
        step = self.framing.seconds * self.settings.subsampling
        return of_symbols(
            said,
            head_of(self.model),
            self.symbols,
            seconds,
            step=step,
            beam=beam,
            n_best=n_best,
            language=self.language,
        )

    def evaluate(
        self,
        data: Any = None,
        *,
        audio: str | None = None,
        text: str | None = None,
        speaker: str | None = None,
        pattern: str | None = None,
        skip: bool = False,
        worst: int = MOST,
        beam: int | None = None,
    ) -> Evaluation:
        """Error rates, or accuracy, beside the rivals'; of new recordings, or as `fit` measured.

        Args:
            data: as for `fit`; None: what `fit` measured.
            audio, text, speaker, pattern, skip: as for `fit`.
            worst: how many of the worst recordings to keep in `worst`.
            beam: as for `transcribe`.

        Raises:
            ConfigError: an argument that can't work.
            DataError: recordings that can't be read.
        """
        worst = whole_number("worst", worst, least=0)
        if data is None:
            return self._own_evaluation()
        self._check_fitted()
        read = self._read_with_texts(
            data, audio=audio, text=text, speaker=speaker, pattern=pattern, skip=skip
        )
        notes = (*self._compared(read), *self._told_of(read))
        told = f"all of {read.name}, {len(read):,} recordings"
        found = self._evaluate(read, told, worst, beam)
        return replace(found, notes=(*found.notes, *notes))

    def _compared(self, read: Recordings) -> tuple[str, ...]:
        """What is to be known of texts of another kind than the answers; DataError where none can
        be right."""
        if not self.labelled:
            note = (
                f"the labels of {read.name} are taken for transcripts: the model answers with those"
            )
            return (note,) if read.labelled else ()
        unknown = [one for one in read.texts if one not in self.labels]
        if not unknown:
            return ()
        told = f"{len(unknown):,} of {len(read):,} texts are no label of this model"
        if len(unknown) == len(read):
            raise DataError(
                f"{told}, which answers with {_named(self.labels)}; got {unknown[0]!r}: give"
                " recordings with these labels, or a model of transcripts",
                file=read.name,
            )
        return (f"{told} and count as wrong, such as {unknown[0]!r}",)

    def _told_of(self, read: Recordings) -> Iterator[str]:
        """What a person should know of recordings that were measured on."""
        yield from (note for note in read.notes if note.startswith(LEFT_OUT))
        strange = [] if self.symbols is None else self.symbols.unknown_of(read.texts)
        if strange:
            assert self.symbols is not None
            listed = " ".join(map(repr, strange[:_LISTED]))
            more = f" and {len(strange) - _LISTED:,} more" if len(strange) > _LISTED else ""
            what = "words" if self.symbols.kind == "words" else "characters"
            yield f"transcripts hold {what} that this model can't write: {listed}{more}"

    def _evaluate(
        self, recordings: Recordings, told: str, worst: int = MOST, beam: int | None = None
    ) -> Evaluation:
        self._check_fitted()
        found: list[Transcript] = []
        rivals: dict[str, list[str]] = {one.name: [] for one in self.rivals.values()}
        for frames, heard_now in self._heard_in_parts(recordings, self._checked_beam(beam)):
            found += heard_now
            for one in self.rivals.values():
                rivals[one.name] += one.predict(frames)
        measured = evaluation_of(
            recordings.texts,
            [one.text for one in found],
            rivals,
            told,
            self.labelled,
            names=[one.place for one in recordings.items],
            confidences=[one.confidence for one in found],
            most=worst,
        )
        if any(one.text for one in found):
            return measured
        return replace(measured, notes=(*measured.notes, _SILENT))

    def _build(self) -> TranscriptionNetwork:
        return build(
            self.settings,
            self.cell,
            self.directions,
            frame_size=self.framing.size,
            answers=len(self.labels) if self.symbols is None else len(self.symbols),
            labelled=self.labelled,
            scale=self._scale,
            head=self.head,
        )

    def _assets(self) -> dict[str, Any]:
        return {
            "symbols": None if self.symbols is None else self.symbols.to_assets(),
            "labels": list(self.labels),
            "framing": self.framing.to_assets(),
            "settings": asdict(self.settings),
            "language": asdict(self.language_weights),
        }

    def _restore_assets(self, assets: dict[str, Any]) -> None:
        self.symbols = None
        if assets["symbols"] is not None:
            self.symbols = Symbols.from_assets(assets["symbols"])
        self.labels = tuple(map(str, assets["labels"]))
        self.labelled = self.symbols is None
        self.framing = Framing.from_assets(assets["framing"])
        self.settings = Settings(**assets["settings"])
        # Files of before have none.
        self.language_weights = Weights(**assets.get("language", {}))
        # The weights bring it along.
        nothing = np.zeros(self.framing.size, np.float32)
        self._scale = BandScale(nothing, nothing + 1)

    def _baseline_arrays(self) -> dict[str, np.ndarray]:
        return together({kind: rival.to_arrays() for kind, rival in self.rivals.items()})

    def _restore_baseline(self, arrays: Mapping[str, np.ndarray]) -> None:
        self.rivals = rivals_from(arrays)


def _named(labels: Sequence[str]) -> str:
    more = len(labels) - _NAMED
    shown = ", ".join(repr(one) for one in labels[:_NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown
