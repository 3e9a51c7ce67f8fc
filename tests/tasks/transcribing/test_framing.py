"""How recordings become frames: cepstra as bands, other features as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from unrolled.data.cepstra import bands_of_cepstra
from unrolled.data.recordings import Recording, Recordings
from unrolled.errors import ConfigError, DataError
from unrolled.tasks.transcribing.batches import RecordingBatches, strengthened
from unrolled.tasks.transcribing.framing import Framing


def cepstra(count: int = 9) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 13)).astype(np.float32)


def sphinx(folder: Path) -> Recordings:
    """One file as Sphinx writes it."""
    values = cepstra().astype(">f4")
    path = folder / "one.mfc"
    path.write_bytes(np.array(values.size, ">i4").tobytes() + values.tobytes())
    return Recordings((Recording("YES", 0.09, 100, path=path, place="one"),), "features")


def given() -> Recordings:
    return Recordings((Recording("YES", 0.09, 100, values=cepstra()),), "features")


def test_files_of_cepstra_become_bands(tmp_path: Path) -> None:
    recordings = sphinx(tmp_path)
    framing = Framing.of(recordings, rate=None, bands=None)
    assert (framing.size, framing.cepstra) == (24, 13)
    wanted = bands_of_cepstra(cepstra(), 24)
    np.testing.assert_allclose(framing.frames(recordings.items[0]), wanted, rtol=1e-6, atol=1e-6)
    # What a stream brings goes the same way.
    np.testing.assert_array_equal(framing.checked(cepstra()), wanted)
    centres = framing.centres
    assert centres is not None
    assert len(centres) == 24
    assert (np.diff(centres) > 0).all()
    with pytest.raises(DataError, match=r"got shape \(2, 24\), expected \(T, 13\)"):
        framing.checked(np.zeros((2, 24), np.float32))


def test_other_features_stay_unless_they_are_called_cepstra() -> None:
    recordings = given()
    stays = Framing.of(recordings, rate=None, bands=None)
    np.testing.assert_array_equal(stays.frames(recordings.items[0]), cepstra())
    assert stays.centres is None
    turned = Framing.of(recordings, rate=None, bands=30)
    np.testing.assert_array_equal(
        turned.frames(recordings.items[0]), bands_of_cepstra(cepstra(), 30)
    )
    with pytest.raises(ConfigError, match="sample_rate: ready-made features have none"):
        Framing.of(recordings, rate=8000, bands=None)


@pytest.mark.parametrize("bands", [None, 20])
def test_it_survives_a_file(bands: int | None) -> None:
    framing = Framing.of(given(), rate=None, bands=bands)
    assert Framing.from_assets(framing.to_assets()) == framing


def test_what_a_quicker_pace_leaves_is_enough_for_a_step() -> None:
    four = Recording("a", 0.04, 100, values=cepstra(4))
    long = Recording("b", 0.4, 100, values=cepstra(40))
    recordings = Recordings((four,) * 3 + (long,) * 3, "features")
    framing = replace(Framing.of(recordings, rate=None, bands=24), least=4)
    batches = RecordingBatches(
        recordings,
        [np.array([1])] * len(recordings),
        framing,
        augment=strengthened(1.0, False),
        seconds=0.2,
        seed=0,
    )
    lengths = np.concatenate([batches[step].lengths.numpy() for step in range(60)])
    assert lengths.min() == 4
    assert len(set(lengths.tolist())) > 5
