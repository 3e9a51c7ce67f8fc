"""The nearest template on the spoken digits of public data."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from unrolled.baselines import NearestTemplate

pytestmark = pytest.mark.data


def _log_mel(samples: np.ndarray, rate: int) -> np.ndarray:
    """`(T, 40)`."""
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.samp_freq = rate
    options.frame_opts.dither = 0
    options.mel_opts.num_bins = 40
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(rate, (32768 * samples).tolist())
    bank.input_finished()
    return np.array([bank.get_frame(at) for at in range(bank.num_frames_ready)])


@pytest.fixture(scope="module")
def digits() -> list[tuple[str, str, int, np.ndarray]]:
    """Label, speaker, take and frames of each recording."""
    import soundfile

    folders = [Path(one) / "fsdd" for one in os.environ["UNROLLED_DATA"].split(os.pathsep)]
    found = [one / "recordings.tar.gz" for one in folders if one.is_dir()]
    if not found:
        pytest.skip("the set fsdd is not at hand")
    rows = []
    with tarfile.open(found[0]) as archive:
        for member in archive:
            if member.name.endswith(".wav"):
                kept = archive.extractfile(member)
                assert kept is not None
                samples, rate = soundfile.read(io.BytesIO(kept.read()), dtype="float32")
                label, speaker, take = Path(member.name).stem.split("_")
                rows.append((label, speaker, int(take), _log_mel(samples, rate)))
    return sorted(rows, key=lambda row: row[:3])


def _accuracy(learnt: list, tested: list) -> float:
    rival = NearestTemplate().fit([row[3] for row in learnt], [row[0] for row in learnt])
    said = rival.predict(row[3] for row in tested)
    return float(np.mean([text == row[0] for text, row in zip(said, tested, strict=True)]))


def test_nearest_templates_know_the_speakers_that_they_have_heard(digits: list) -> None:
    learnt = [row for row in digits if row[2] >= 5]
    assert 0.88 <= _accuracy(learnt, [row for row in digits if row[2] < 5]) <= 1


def test_nearest_templates_do_not_know_every_speaker_that_they_have_not_heard(digits: list) -> None:
    learnt = [row for row in digits if row[1] != "george"]
    found = _accuracy(learnt, [row for row in digits if row[1] == "george"])
    assert 0.45 <= found <= 0.8
