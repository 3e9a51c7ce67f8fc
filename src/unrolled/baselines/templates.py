"""The rival of a recogniser: the nearest of the sounds that it keeps, by dynamic time warping."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from unrolled.baselines.most_frequent import most_frequent
from unrolled.baselines.rival import impossible, needed
from unrolled.baselines.strings import pack_strings, unpack_strings
from unrolled.baselines.warping import Floats, Warping
from unrolled.errors import ConfigError, DataError, NotFittedError, ShapeError

# Frames `(T, F)` of one sound after the other, or what makes those of the sound at a place, so that
# a large set need not be in memory.
Frames = Sequence[Floats] | Callable[[int], Floats]

# A sound so many times as long as the longest template may be is not warped to one.
_FARTHEST = 4
# Beyond so many deviations a value is far off, and its square still a number.
_WIDEST = 1e3


class NearestTemplate:
    """Keeps some sounds of each text, and gives a sound the text of those that are nearest.

    Of the `nearest` templates by dynamic time warping (`Warping`) each has a vote; of texts with as
    many votes the one with the nearest template is taken. So it hears labels, and transcripts that
    come again. From the frames `(T, F)` of each sound its own mean is taken, which holds most of
    what the voice and the microphone add to all of them; then each feature is divided by its
    deviation over all frames of the templates.

    Templates are drawn by `seed`, one of each text, then a second of each, and so on.

    Args:
        most: templates of each text.
        values: `T F` of all templates together at most, kept with two bytes each.
        longest: frames of a template. Longer sounds are passed over. A sound that is four times as
            long, or that has no frame, is given the most frequent text.
        nearest: how many templates have a vote.
        band: see `Warping`.
        seed: of the draw.

    Attributes:
        learnt_from: how many templates there are.

    Source: Sakoe and Chiba 1978 (the warping); Atal 1974 (the mean over a sound).
    """

    def __init__(
        self,
        *,
        most: int = 50,
        values: int = 1_500_000,
        longest: int = 500,
        nearest: int = 3,
        band: float | None = None,
        seed: int = 0,
    ) -> None:
        counts = {"most": most, "values": values, "longest": longest, "nearest": nearest}
        for name, count in counts.items():
            if count < 1:
                raise ConfigError(f"{name}: got {count}, expected 1 or more")
        if band is not None and not band >= 0:
            raise ConfigError(f"band: got {band}, expected None or a share from 0 on")
        self.most, self.values, self.longest = most, values, longest
        self.nearest, self.band, self.seed = nearest, band, seed
        self.learnt_from = 0
        self._warping: Warping | None = None

    @property
    def name(self) -> str:
        """`nearest of 500 templates`."""
        return f"nearest of {self.learnt_from:,} template{'s' * (self.learnt_from != 1)}"

    def fit(self, frames: Frames, texts: Sequence[str]) -> Self:
        """Draws the templates; only sounds that are drawn are asked for.

        Args:
            frames: `(T, F)` of each sound.
            texts: what is said in each.

        Raises:
            DataError: other numbers of sounds and texts, frames that are not finite, or no sound
                that can be a template.
            ShapeError: frames of another shape than `(T, F)` with one `F`.
        """
        if not callable(frames) and len(frames) != len(texts):
            raise DataError(f"got frames of {len(frames)} sounds and {len(texts)} texts")
        usual = most_frequent(texts)
        drawn, said = self._draw(frames if callable(frames) else frames.__getitem__, texts)
        together = np.concatenate(drawn)
        deviation = together.std(axis=0)
        deviation[deviation == 0] = 1
        # Rounded here, so that what a file keeps gives the same answers.
        kept = (together / deviation).astype(np.float16)
        lengths = np.array([len(one) for one in drawn])
        return self._keep(kept, lengths, said, deviation.astype(np.float32), usual)

    def predict(self, frames: Iterable[Floats]) -> list[str]:
        """The text of each sound.

        Args:
            frames: `(T, F)` of each.

        Raises:
            NotFittedError: before `fit`.
            DataError, ShapeError: as `fit`.
        """
        return [self._nearest(one, place) for place, one in enumerate(frames)]

    def distances(self, frames: Floats) -> NDArray[np.float32]:
        """`(N,)`: how far a sound `(T, F)` is from each template, as a mean over the frames of the
        path, in deviations.

        Raises:
            NotFittedError: before `fit`.
            DataError, ShapeError: as `fit`, or the sound has no frame.
        """
        warping, levelled = self._fitted(), _levelled(frames, 0)
        if not len(levelled):
            raise DataError("the sound has no frame; give one that is longer")
        return warping.distances(self._scaled(levelled, 0))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The templates as named arrays, `frames` in float16.

        Raises:
            NotFittedError: before `fit`.
        """
        self._fitted()
        return {
            "frames": self._frames,
            "lengths": self._lengths,
            "deviation": self._deviation,
            "settings": np.array([self.nearest, self.longest]),
            "band": np.array([] if self.band is None else [self.band]),
            **pack_strings("texts", self._said),
            **pack_strings("usual", [self._usual]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """The rival that `to_arrays` wrote; it gives the same distances, bit for bit.

        Raises:
            ModelFileError: an array is missing, or the arrays do not belong together.
        """
        names = ("frames", "lengths", "deviation", "settings", "band")
        needed(arrays, names, cls.__name__)
        said = unpack_strings("texts", arrays, cls.__name__)
        usual = unpack_strings("usual", arrays, cls.__name__)
        frames, lengths, deviation, settings, band = (np.asarray(arrays[name]) for name in names)
        whole = lengths.dtype.kind == settings.dtype.kind == "i" and settings.shape == (2,)
        fit = frames.ndim == 2 and deviation.shape == frames.shape[1:] and len(usual) == 1
        fit = fit and frames.dtype.kind == deviation.dtype.kind == band.dtype.kind == "f"
        right = whole and fit and lengths.shape == (len(said),) and len(said) > 0
        right = right and band.ndim == 1 and len(band) <= 1 and bool((band >= 0).all())
        if not right or lengths.min() < 1 or lengths.sum() != len(frames) or settings.min() < 1:
            raise impossible(arrays, names, cls.__name__)
        if not (np.isfinite(frames).all() and (deviation > 0).all()):
            raise impossible(arrays, names, cls.__name__)
        nearest, longest = settings.tolist()
        rival = cls(nearest=nearest, longest=longest, band=float(band[0]) if len(band) else None)
        return rival._keep(frames, lengths, list(said), deviation.astype(np.float32), usual[0])

    def _draw(
        self, frames: Callable[[int], Floats], texts: Sequence[str]
    ) -> tuple[list[Floats], list[str]]:
        order = np.random.default_rng(self.seed).permutation(len(texts)).tolist()
        seen: Counter[str] = Counter()
        turns = []
        for place in order:
            turns.append((seen[texts[place]], place))
            seen[texts[place]] += 1
        turns.sort(key=lambda turn: turn[0])
        taken: Counter[str] = Counter()
        drawn: list[Floats] = []
        said, left = [], self.values
        for _, place in turns:
            if taken[texts[place]] == self.most:
                continue
            own = _levelled(frames(place), place)
            if not 0 < len(own) <= self.longest:
                continue
            if drawn and own.shape[1] != drawn[0].shape[1]:
                raise _other_width(place, own, drawn[0].shape[1])
            left -= own.size
            if left < 0 and drawn:
                break
            drawn.append(own)
            said.append(texts[place])
            taken[texts[place]] += 1
        if not drawn:
            raise DataError(
                f"no sound has from 1 to {self.longest} frames, and so none can be a template;"
                " give longest="
            )
        return drawn, said

    def _keep(
        self,
        frames: NDArray[np.float16],
        lengths: NDArray[np.int64],
        said: list[str],
        deviation: NDArray[np.float32],
        usual: str,
    ) -> Self:
        self._frames, self._lengths, self._said = frames, lengths, said
        self._deviation, self._usual = deviation, usual
        self.learnt_from = len(said)
        ends = np.cumsum(lengths)[:-1]
        self._warping = Warping(np.split(frames.astype(np.float32), ends), self.band)
        return self

    def _nearest(self, frames: Floats, place: int) -> str:
        warping, levelled = self._fitted(), _levelled(frames, place)
        if not 0 < len(levelled) <= _FARTHEST * self.longest:
            return self._usual
        distances = warping.distances(self._scaled(levelled, place))
        closest = np.argsort(distances, kind="stable")[: self.nearest]
        # `most_common` keeps the order in which the texts came, the nearest first.
        return Counter(self._said[one] for one in closest.tolist()).most_common(1)[0][0]

    def _scaled(self, frames: Floats, place: int) -> NDArray[np.float32]:
        if frames.shape[1:] != self._deviation.shape:
            raise _other_width(place, frames, len(self._deviation))
        return np.clip(frames / self._deviation, -_WIDEST, _WIDEST).astype(np.float32)

    def _fitted(self) -> Warping:
        if self._warping is None:
            raise NotFittedError("this NearestTemplate has no templates yet; call fit")
        return self._warping


def _levelled(frames: Floats, place: int) -> Floats:
    """`(T, F)` float64 without the mean over the frames."""
    own = np.asarray(frames, dtype=np.float64)
    if own.ndim != 2:
        raise ShapeError(f"sound {place + 1}: got frames of the shape {own.shape}, expected (T, F)")
    if not np.isfinite(own).all():
        raise DataError(f"sound {place + 1}: a frame is not finite; leave the sound out")
    return own - own.mean(axis=0) if len(own) else own


def _other_width(place: int, frames: Floats, right: int) -> ShapeError:
    return ShapeError(
        f"sound {place + 1}: got {frames.shape[1]} features a frame, expected {right}"
    )
