"""Recordings as frames, batched with their like by seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch

from unrolled.data.batch import Batch
from unrolled.data.batching.checks import IGNORED_TARGET
from unrolled.data.batching.like_lengths import LikeLengths, cut
from unrolled.data.batching.padded import padded
from unrolled.data.recordings import Recordings
from unrolled.data.sound_augment import Augment
from unrolled.tasks.transcribing.framing import Framing

# Lengths are disturbed by up to this share before they are sorted, so that the same recordings do
# not meet in every epoch.
_JITTER = 0.2
# Samples and frames that are kept in memory, in bytes; what is beyond is made again.
_KEPT = 1 << 30
# Epochs for which a changed sound is kept: to make frames of it takes longer than to learn from
# them. What is done to frames is done anew every time.
_AGAIN = 4


class RecordingBatches:
    """Recordings of like lengths in batches of about as many seconds; dealt anew in each epoch.

    Source of a `Trainer`: `self[step]` depends on the arguments and `step` alone, what is done to
    the sound included.

    Args:
        recordings: what is learnt.
        targets: of each its symbols `(n,)`, or its label `(1,)`; int64.
        framing: how they become frames.
        augment: what is done to them; None: nothing.
        seconds: of a batch; a single longer recording is a batch of its own.
        seed: of the order, and of what is done.

    Batches: inputs `(T, B, F)`, targets `(N, B)` with `IGNORED_TARGET` beyond the end, lengths.
    """

    def __init__(
        self,
        recordings: Recordings,
        targets: Sequence[np.ndarray],
        framing: Framing,
        *,
        augment: Augment | None,
        seconds: float,
        seed: int,
    ) -> None:
        self._recordings, self._targets = recordings, targets
        self._framing, self._augment, self._seed = framing, augment, seed
        self._centres = framing.centres
        lengths = np.array([one.seconds for one in recordings.items])
        hundredths = np.maximum(1, (100 * lengths)).astype(np.int64)
        cuts = cut(np.sort(hundredths), max(1, int(100 * seconds)))
        self._order = LikeLengths(lengths, cuts, jitter=_JITTER, seed=seed)
        self._samples, self._made = Memory(_KEPT), Memory(_KEPT)

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, step: int) -> Batch:
        epoch, rows = self._order.rows(step)
        return batch_of(
            [self._frames(int(row), epoch) for row in rows],
            [self._targets[row] for row in rows],
        )

    def _frames(self, row: int, epoch: int) -> np.ndarray:
        augment = self._augment
        if augment is None:
            return self._made.get(row, lambda: self._framing.frames(self._recordings.items[row]))
        # Of each recording another epoch is the one with a new version.
        version = (epoch + row) // _AGAIN
        frames = self._made.get(row, lambda: self._changed(row, version), version)
        random = np.random.default_rng([self._seed, epoch, row])
        # A quicker pace may leave too few frames for a step.
        return self._framing.lasting(augment.of_frames(frames, random, self._centres))

    def _changed(self, row: int, version: int) -> np.ndarray:
        """Frames of a sound that was changed; of ready-made features as they are."""
        recording, mel = self._recordings.items[row], self._framing.mel
        if mel is None or self._augment is None:
            return self._framing.frames(recording)
        read = self._samples.get(row, lambda: self._framing.samples(recording))
        random = np.random.default_rng([self._seed, version, row, 1])
        return self._framing.of_samples(self._augment.of_samples(read, mel.rate, random))


class Memory:
    """Arrays by number, kept as far as there is room; what is not kept is made again.

    Args:
        room: in bytes.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: dict[int, tuple[int, np.ndarray]] = {}

    def get(self, number: int, make: Callable[[], np.ndarray], version: int = 0) -> np.ndarray:
        """The array of a number; `make` is called where it is not there in this version."""
        kept = self._kept.pop(number, None)
        if kept is not None:
            if kept[0] == version:
                self._kept[number] = kept
                return kept[1]
            self._room += kept[1].nbytes
        made = make()
        if made.nbytes <= self._room:
            self._room -= made.nbytes
            self._kept[number] = (version, made)
        return made


def strengthened(factor: float, labelled: bool) -> Augment:
    """The usual changes, each so many times as strong, as far as it can be; how many masks there
    are, and how loud and steep a noise is, stays.

    Of a word that is said alone nothing is left out: what is missing may be all that tells it.
    """
    usual = Augment(time_masks=0, band_masks=0) if labelled else Augment()
    return replace(
        usual,
        speed=min(0.5, usual.speed * factor),
        gain=min(20.0, usual.gain * factor),
        shift=usual.shift * factor,
        noise=min(1.0, usual.noise * factor),
        stretch=min(0.5, usual.stretch * factor),
        contrast=min(0.5, usual.contrast * factor),
        equalise=min(20.0, usual.equalise * factor),
        echo=min(1.0, usual.echo * factor),
        warp=min(0.5, usual.warp * factor),
        time_width=round(usual.time_width * factor),
        band_width=round(usual.band_width * factor),
    )


def batch_of(frames: Sequence[np.ndarray], targets: Sequence[np.ndarray] | None = None) -> Batch:
    """Whole recordings side by side, zeros beyond the end of each."""
    lengths = torch.tensor([len(one) for one in frames])
    made = padded(frames, 0, np.float32)
    starts = torch.zeros(made.shape[:2], dtype=torch.bool)
    starts[0] = True
    right = None if targets is None else padded(targets, IGNORED_TARGET)
    return Batch(made, right, lengths, starts)
