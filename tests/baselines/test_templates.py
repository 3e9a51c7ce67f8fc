"""The nearest templates: who votes, what is drawn, what a file keeps, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.baselines import MostFrequent, NearestTemplate
from unrolled.baselines.most_frequent import most_frequent
from unrolled.errors import ConfigError, DataError, ModelFileError, NotFittedError, ShapeError

LABELS = ["up", "down", "still"]


def _sound(label: str, draws: np.random.Generator, frames: int | None = None) -> np.ndarray:
    """Two features that rise, fall or stay, at any pace."""
    pace = np.linspace(0, 1, frames or int(draws.integers(8, 20)))[:, None]
    shape = {"up": pace, "down": 1 - pace, "still": 0 * pace}[label]
    return (3 * np.hstack([shape, shape**2]) + draws.normal(0, 0.1, (len(pace), 2))) + 7


def _set(count: int, seed: int) -> tuple[list[np.ndarray], list[str]]:
    draws = np.random.default_rng(seed)
    texts = [LABELS[place % 3] for place in range(count)]
    return [_sound(label, draws) for label in texts], texts


TRAIN, TEXTS = _set(60, 1)
TEST, RIGHT = _set(30, 2)


@pytest.fixture(scope="module")
def rival() -> NearestTemplate:
    return NearestTemplate(most=10).fit(TRAIN, TEXTS)


def test_sounds_at_another_pace_are_told_apart(rival: NearestTemplate) -> None:
    assert rival.predict(TEST) == RIGHT
    assert rival.learnt_from == 30
    assert rival.name == "nearest of 30 templates"


def test_how_loud_a_sound_is_and_the_unit_of_a_feature_change_nothing(
    rival: NearestTemplate,
) -> None:
    unit = np.array([1.0, 1000.0])
    other = NearestTemplate(most=10).fit([one * unit for one in TRAIN], TEXTS)
    for sound in TEST[:5]:
        right = rival.distances(sound)
        assert rival.distances(sound - 40) == pytest.approx(right, abs=1e-4)
        assert other.distances(sound * unit) == pytest.approx(right, abs=2e-2)


def test_the_distance_is_one_of_levelled_frames_by_the_deviation_of_the_templates() -> None:
    one, other = np.array([[0.0], [4.0]]), np.array([[10.0], [10.0], [16.0]])
    rival = NearestTemplate().fit([one, other], ["a", "b"])
    # Levelled they are -2 2 and -2 -2 4.
    unit = np.std([-2, 2, -2, -2, 4])
    found = dict(zip(rival._said, rival.distances(one), strict=True))
    assert found["a"] <= 1e-2
    assert found["b"] == pytest.approx(2 * 2 / unit / 5, rel=1e-2)


def test_the_nearest_have_a_vote_each_and_a_tie_is_the_nearest_ones() -> None:
    def sound(end: float) -> np.ndarray:
        return np.array([[0.0], [end]])

    kept = [sound(end) for end in (1.0, 1.5, 1.6, 9.0)]
    for nearest, said in ((1, "a"), (2, "a"), (3, "b"), (4, "b")):
        rival = NearestTemplate(nearest=nearest).fit(kept, ["a", "b", "b", "c"])
        assert rival.predict([sound(1.1)]) == [said]


def test_every_text_has_a_template_before_one_has_a_second() -> None:
    sounds = [np.full((4, 2), place, dtype=float) + np.eye(4, 2) for place in range(12)]
    texts = ["many"] * 10 + ["few", "rare"]
    assert sorted(NearestTemplate(values=3 * 8).fit(sounds, texts)._said) == [
        "few",
        "many",
        "rare",
    ]
    more = NearestTemplate(values=5 * 8).fit(sounds, texts)
    assert sorted(more._said) == ["few", "many", "many", "many", "rare"]
    assert NearestTemplate(most=4).fit(sounds, texts).learnt_from == 6


def test_only_sounds_that_are_drawn_are_asked_for() -> None:
    asked: list[int] = []

    def frames(place: int) -> np.ndarray:
        asked.append(place)
        return TRAIN[place]

    lazy = NearestTemplate(most=2).fit(frames, TEXTS)
    assert len(asked) == len(set(asked)) == 6
    assert lazy.predict(iter(TEST)) == NearestTemplate(most=2).fit(TRAIN, TEXTS).predict(TEST)


def test_the_seed_draws() -> None:
    one, again, other = (NearestTemplate(most=2, seed=seed).fit(TRAIN, TEXTS) for seed in (1, 1, 2))
    assert np.array_equal(one.to_arrays()["frames"], again.to_arrays()["frames"])
    assert not np.array_equal(one.to_arrays()["lengths"], other.to_arrays()["lengths"])


def test_sounds_that_can_not_be_warped_get_the_most_frequent_text() -> None:
    texts = ["up" if one == "still" else one for one in TEXTS]
    rival = NearestTemplate(longest=20).fit([np.zeros((0, 2)), *TRAIN], ["down", *texts])
    draws = np.random.default_rng(3)
    long = _sound("down", draws, 81)
    assert rival.predict([np.zeros((0, 2)), long, long[::2]]) == ["up", "up", "down"]


def test_sounds_without_a_frame_and_long_ones_are_no_templates() -> None:
    sounds = [np.zeros((0, 2)), *TRAIN, np.zeros((501, 2))]
    rival = NearestTemplate(most=100).fit(sounds, ["none", *TEXTS, "long"])
    assert set(rival._said) == set(LABELS)


def test_what_a_file_keeps_gives_the_same_distances(rival: NearestTemplate) -> None:
    for one in (rival, NearestTemplate(nearest=1, band=0.2, longest=30).fit(TRAIN, TEXTS)):
        arrays = one.to_arrays()
        assert arrays["frames"].dtype == np.float16
        kept = NearestTemplate.from_arrays(arrays)
        assert (kept.nearest, kept.band, kept.longest) == (one.nearest, one.band, one.longest)
        assert (kept.learnt_from, kept.name) == (one.learnt_from, one.name)
        assert kept.predict([*TEST, np.zeros((0, 2))]) == one.predict([*TEST, np.zeros((0, 2))])
        for sound in TEST[:5]:
            assert np.array_equal(kept.distances(sound), one.distances(sound))


def test_a_feature_that_never_changes_and_one_that_is_far_off_are_borne() -> None:
    flat = [one * [1, 0] for one in TRAIN]
    assert NearestTemplate().fit(flat, TEXTS).predict([one * [1, 0] for one in TEST]) == RIGHT
    rival = NearestTemplate().fit(TRAIN, TEXTS)
    assert np.isfinite(rival.distances(TEST[0] * 1e30)).all()


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("frames", np.zeros((3, 2), dtype=np.float16)),
        ("frames", np.zeros(3, dtype=np.float16)),
        ("lengths", np.array([5])),
        ("lengths", np.array([5.0] * 30)),
        ("deviation", np.zeros(2, dtype=np.float32)),
        ("deviation", np.ones(3, dtype=np.float32)),
        ("settings", np.array([0, 500])),
        ("settings", np.array([3])),
        ("band", np.array([-1.0])),
        ("band", np.array([0.1, 0.2])),
        ("texts_offsets", np.array([0])),
        ("usual_offsets", np.array([0, 1, 2])),
    ],
)
def test_arrays_that_do_not_belong_together_are_refused(
    rival: NearestTemplate, name: str, array: np.ndarray
) -> None:
    with pytest.raises(ModelFileError, match="NearestTemplate"):
        NearestTemplate.from_arrays({**rival.to_arrays(), name: array})
    lacking = rival.to_arrays()
    del lacking[name]
    with pytest.raises(ModelFileError, match=f"lacks the array '{name}'"):
        NearestTemplate.from_arrays(lacking)


def test_frames_that_are_not_finite_are_refused(rival: NearestTemplate) -> None:
    broken = TRAIN[0].copy()
    broken[2, 1] = np.nan
    with pytest.raises(DataError, match="sound 1: a frame is not finite"):
        NearestTemplate().fit([broken, *TRAIN[1:]], TEXTS)
    with pytest.raises(DataError, match="sound 2: a frame is not finite"):
        rival.predict([TEST[0], broken])


@pytest.mark.parametrize(
    ("sounds", "texts", "error", "told"),
    [
        ([], [], DataError, "no texts"),
        (TRAIN[:2], TEXTS[:3], DataError, "2 sounds and 3 texts"),
        ([np.zeros((0, 2))], ["a"], DataError, "no sound has from 1 to 500 frames"),
        ([np.zeros(5)], ["a"], ShapeError, r"sound 1: .*\(5,\), expected \(T, F\)"),
        ([np.zeros((2, 3)), np.zeros((2, 4))], ["a", "b"], ShapeError, "features a frame, exp"),
    ],
)
def test_sounds_that_are_none_are_told(sounds: Any, texts: Any, error: Any, told: str) -> None:
    with pytest.raises(error, match=told):
        NearestTemplate().fit(sounds, texts)


def test_a_sound_of_other_features_is_told(rival: NearestTemplate) -> None:
    with pytest.raises(ShapeError, match="sound 2: got 3 features a frame, expected 2"):
        rival.predict([TEST[0], np.zeros((4, 3))])
    with pytest.raises(DataError, match="no frame"):
        rival.distances(np.zeros((0, 2)))


@pytest.mark.parametrize("name", ["most", "values", "longest", "nearest", "band"])
def test_settings_that_can_not_work_are_told(name: str) -> None:
    wrong: Any = {name: -1}
    with pytest.raises(ConfigError, match=f"{name}: got -1"):
        NearestTemplate(**wrong)


def test_before_fit_nothing_is_known() -> None:
    asks = (
        NearestTemplate().to_arrays,
        lambda: NearestTemplate().predict([TEST[0]]),
        lambda: NearestTemplate().distances(TEST[0]),
        MostFrequent().to_arrays,
        lambda: MostFrequent().predict([1]),
    )
    for ask in asks:
        with pytest.raises(NotFittedError, match="call fit"):
            ask()


def test_the_most_frequent_text_is_said_always() -> None:
    rival = MostFrequent().fit(["b", "a", "b", "c"])
    assert rival.predict(range(3)) == ["b"] * 3
    assert MostFrequent.from_arrays(rival.to_arrays()).predict(range(2)) == ["b"] * 2
    assert most_frequent(["d", "c", "d", "c"]) == "c"
    with pytest.raises(DataError, match="no texts"):
        MostFrequent().fit([])
    two = NearestTemplate().fit(TRAIN, TEXTS).to_arrays()
    arrays = {f"text_{one}": two[f"texts_{one}"] for one in ("bytes", "offsets")}
    with pytest.raises(ModelFileError, match="MostFrequent"):
        MostFrequent.from_arrays(arrays)
