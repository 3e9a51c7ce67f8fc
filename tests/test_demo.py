"""The demo in its quick form: everything that it promises, with the network unplugged."""

from __future__ import annotations

import itertools
import json
import re
import socket
from dataclasses import dataclass
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import unrolled
from unrolled import demo
from unrolled.data import catalog, espeak
from unrolled.data.series_set import SeriesSet
from unrolled.data.spoken import DIGITS, TIMBRES
from unrolled.data.written_dates import HELD_OUT_LANGUAGES, part_of
from unrolled.demo import FORECASTS, run_demo
from unrolled.demo_parts import MOST_POINTS
from unrolled.demo_speech import add_speech
from unrolled.errors import MissingExtra, OutputError
from unrolled.lens.records import Report
from unrolled.tasks.evaluation import NetworkLoses
from unrolled.tasks.forecaster import Forecaster
from unrolled.tasks.generator import Generator
from unrolled.tasks.transcriber import Transcriber
from unrolled.tasks.translator import Translator

pytestmark = pytest.mark.filterwarnings(f"ignore::{NetworkLoses.__module__}.NetworkLoses")

LACKS = {"spoken": "_installed", "speech": "fit"}
MODELS = ("seattle-weather", "stocks", "crimea", "dates", "digits", "python-docs")


@dataclass(frozen=True)
class _Ran:
    folder: Path
    page: Path
    told: list[str]
    data: dict[str, Any]


class _Data(HTMLParser):
    """The JSON that the page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found = ""
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = dict(attrs).get("id") == "data"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        self.found += data if self._inside else ""


def _unplugged(*_: Any, **__: Any) -> Any:
    raise AssertionError("the demo reached for the network")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> _Ran:
    folder = tmp_path_factory.mktemp("demo") / "made" / "here"
    told: list[str] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("UNROLLED_DATA", raising=False)
        patch.setenv("UNROLLED_CACHE", str(folder.parents[1] / "cache"))
        for name in ("socket", "create_connection", "getaddrinfo"):
            patch.setattr(socket, name, _unplugged)
        page = run_demo(folder, quick=True, progress=False, tell=told.append)
    torch.set_num_threads(threads)
    data = json.loads(_Data(page.read_text(encoding="utf-8")).found)
    return _Ran(folder, page, told, data)


def test_the_folder_holds_a_page_a_picture_and_six_models(ran: _Ran) -> None:
    files = {f"{name}.unrolled" for name in MODELS} | {"report.html", "picture.png"}
    assert {file.name for file in ran.folder.iterdir()} == files
    assert ran.page == ran.folder / "report.html"
    assert (ran.folder / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("forecast", FORECASTS, ids=lambda one: one.name)
def test_a_forecaster_of_the_demo_loads_and_forecasts(ran: _Ran, forecast: Any) -> None:
    model = unrolled.load(ran.folder / f"{forecast.name}.unrolled")
    assert isinstance(model, Forecaster)
    series = forecast.series()
    assert model.predict(series).height == len(series) * forecast.horizon


def test_the_generator_of_the_demo_loads_and_writes(ran: _Ran) -> None:
    model = unrolled.load(ran.folder / "python-docs.unrolled")
    assert isinstance(model, Generator)
    assert len(model.generate("def ", length=20, seed=1)) == 20


def test_the_translator_of_the_demo_loads_and_says_what_the_page_shows(ran: _Ran) -> None:
    model = unrolled.load(ran.folder / "dates.unrolled")
    assert isinstance(model, Translator)
    lines = ran.data["translation"]["lines"]
    assert [line["said"] for line in lines] == model.predict([line["source"] for line in lines])
    for line in lines:
        answered = line["trace"]["links"]["targets"]
        assert "".join(answered).strip() == line["said"].strip()
        assert line["trace"]["links"]["sources"] == [*line["source"], "\n"]


def test_the_dates_that_are_shown_were_not_learnt(ran: _Ran) -> None:
    lines = ran.data["translation"]["lines"]
    assert len({line["source"] for line in lines}) == len(lines) >= 10
    assert {part_of(date.fromisoformat(line["right"])) for line in lines} == {"test"}
    apart = [line["code"] for line in lines if line["remark"]]
    assert apart
    assert set(apart) == {line["code"] for line in lines} & set(HELD_OUT_LANGUAGES)
    assert {line["language"] for line in lines} >= {"English", "Thai", "Romanian"}


def test_the_transcriber_of_the_demo_loads_and_hears_what_the_page_shows(ran: _Ran) -> None:
    model = unrolled.load(ran.folder / "digits.unrolled")
    assert isinstance(model, Transcriber)
    assert model.symbols is not None
    assert set(model.symbols.pieces) >= set(DIGITS)
    shown = ran.data["speech"]
    assert 3 <= len(shown["right"].split()) <= 6
    assert shown["trace"]["sound"]["wav"]
    assert shown["trace"]["heard"]["text"] == shown["said"]
    texts = ["", *(one["text"] for one in shown["so_far"])]
    assert all(one != before for before, one in itertools.pairwise(texts))
    voice = re.search(r"this one, (\S+),", shown["story"])
    assert voice is not None
    assert voice[1] in TIMBRES["test"]


@pytest.mark.parametrize("extra", ["spoken", "speech"])
def test_without_an_extra_the_part_that_hears_says_so_by_name_and_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: str
) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise MissingExtra(extra, "what is asked for")

    monkeypatch.setattr(Transcriber if extra == "speech" else espeak, LACKS[extra], missing)
    report, told = Report("", "", ""), []
    assert add_speech(report, tmp_path, progress=False, quick=True, tell=told.append) is None
    assert f"pip install 'unrolled[{extra}]'" in told[-1]
    assert report.speech is None
    assert not report.scores
    assert not list(tmp_path.iterdir())


def test_the_page_shows_every_data_set_with_its_fans(ran: _Ran) -> None:
    panels = ran.data["forecasts"]
    assert [one["name"] for one in panels] == [one.title for one in FORECASTS]
    assert [len(one["series"]) for one in panels] == [1, 5, 3]
    for panel, forecast in zip(panels, FORECASTS, strict=True):
        for series in panel["series"]:
            assert 1 <= len(series["fans"]) <= demo.MOST_FANS
            for fan in series["fans"]:
                assert len(fan["actual"]) == forecast.horizon
                curves = [fan["quantiles"][level] for level in sorted(fan["quantiles"], key=float)]
                assert (np.diff(np.array(curves), axis=0) >= 0).all()


def test_a_fan_is_drawn_beside_what_came_true(ran: _Ran) -> None:
    """Of the days after its origin, all behind the training part."""
    series = FORECASTS[0].series()
    model = unrolled.load(ran.folder / "seattle-weather.unrolled")
    assert isinstance(model, Forecaster)
    days = np.datetime_as_string(series.times[0], unit="D").tolist()
    fans = ran.data["forecasts"][0]["series"][0]["fans"]
    places = [days.index(fan["origin"]) for fan in fans]
    # All at once, as the demo asks: the repair follows the errors of the origins before.
    every = model.backtest(series, origins={"temp_max": places}).fans["temp_max"]
    for place, fan, said in zip(places, fans, every, strict=True):
        assert fan["ds"] == days[place + 1 : place + 8]
        assert fan["actual"] == series.values[0][place + 1 : place + 8].tolist()
        assert series.times[0][place] >= model.trained_until["temp_max"]
        np.testing.assert_allclose(
            [fan["quantiles"][f"{level:g}"] for level in model.quantiles], said.T, rtol=1e-4
        )


def test_the_table_holds_both_scores_of_every_model_and_the_verdict(ran: _Ran) -> None:
    rows = ran.data["scores"]
    assert len(rows) == 2 * 3 + 2 + 2 + 1
    for row in rows:
        assert np.isfinite([row["network"], row["baseline"]]).all()
        assert row["verdict"] in ("network wins", "network loses", "tie")
        assert row["detail"]
    assert [row["lower_is_better"] for row in rows] == [True] * 6 + [False] * 2 + [True] * 3
    days, languages = rows[6:8]
    assert days["metric"] == languages["metric"] == "share exactly right"
    assert "100 dates, of days that were not learnt" in days["detail"]
    assert "12 languages that were not learnt" in languages["detail"]
    # Twenty steps are not enough to write well; the page has to admit it.
    assert rows[-1]["metric"] == "bits per character"
    assert rows[-1]["detail"].endswith("the network alone LOSES")


def test_the_page_shows_a_sample_the_losses_and_the_unfolded_network(ran: _Ran) -> None:
    data = ran.data
    assert len(data["text"]["sample"]) == 500
    assert len(data["losses"]) == 6
    for curve in data["losses"]:
        assert 0 < len(curve["points"]) <= MOST_POINTS
        # What is held out of dates and digits is scored in another unit than the loss.
        assert bool(curve["validation"]) == (
            curve["name"] not in ("Written dates", "Spoken digits")
        )
    word = "".join(data["unfolded"]["inputs"])
    text = catalog.load("python-docs")
    assert isinstance(text, str)
    assert 8 <= len(word) <= 10
    assert word.isalpha()
    assert word in text
    assert [layer["states"]["h"]["shape"][1] for layer in data["unfolded"]["layers"]] == [16]
    assert data["machine"]["torch"] == torch.__version__
    assert len(data["notes"]) == 2


def test_the_demo_tells_what_it_does(ran: _Ran) -> None:
    told = "\n".join(ran.told)
    assert "Weather in Seattle: 1 series of 1,461 values, daily" in told
    assert told.count("measured on") == 7
    assert "the network LOSES" in told
    assert "Written dates in 30 languages: 400 pairs" in told
    assert f"page: {ran.page}" in told
    assert f"picture: {ran.folder / 'picture.png'}" in told


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*_: Any, **__: Any) -> Any:
        raise AssertionError("training began")

    monkeypatch.setattr(Forecaster, "fit", fit)
    monkeypatch.setattr(Translator, "fit", fit)
    monkeypatch.setattr(Generator, "fit", fit)
    monkeypatch.setattr(Transcriber, "fit", fit)


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("where", ["file", "file/below"])
def test_a_place_that_cannot_be_a_folder_is_said_before_training(
    tmp_path: Path, where: str
) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError) as error:
        run_demo(tmp_path / where, quick=True, progress=False, tell=lambda _: None)
    assert str(tmp_path / where) in str(error.value)
    assert "\n" not in str(error.value)
    assert (tmp_path / "file").read_text() == "mine"


def test_the_same_data_is_read_whatever_the_user_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo's sets come with the packages, before any folder of the user's."""
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    for forecast in FORECASTS:
        assert isinstance(forecast.series(), SeriesSet)


def _interrupted(*_: Any, **__: Any) -> Any:
    raise KeyboardInterrupt


@pytest.fixture
def only_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "FORECASTS", ())
    monkeypatch.setattr(Generator, "fit", None)


def _stopped(folder: Path) -> tuple[dict[str, Any], str]:
    """What the page of a demo that is stopped holds, and what was told."""
    told: list[str] = []
    page = run_demo(folder, quick=True, progress=False, tell=told.append)
    return json.loads(_Data(page.read_text(encoding="utf-8")).found), "\n".join(told)


@pytest.mark.usefixtures("only_dates")
def test_a_demo_that_is_stopped_before_a_training_makes_a_page_of_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Translator, "fit", _interrupted)
    data, told = _stopped(tmp_path)
    assert "stopped early" in told
    assert data["translation"] is None
    assert data["losses"] == []


@pytest.mark.usefixtures("only_dates")
def test_a_demo_that_is_stopped_while_it_measures_shows_what_was_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Translator, "_evaluate", _interrupted)
    data, told = _stopped(tmp_path)
    assert "stopped early" in told
    assert data["translation"]["lines"]
    assert data["losses"]
    assert data["scores"] == []
    assert isinstance(unrolled.load(tmp_path / "dates.unrolled"), Translator)
