"""`show` and `serve`: what they take, what they refuse, and how they end."""

from __future__ import annotations

import json
import re
import threading
import urllib.request
import warnings
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import unrolled
from unrolled.errors import ConfigError, DataError, ModelFileError, OutputError, UnrolledError
from unrolled.lens import Trace, serve, show
from unrolled.lens.showing import Lens, shown
from unrolled.lens.traces import TracedLayer


@pytest.fixture
def trace() -> Trace:
    values = np.linspace(-1, 1, 6, dtype=np.float32).reshape(3, 2)
    cuts = np.zeros(3, dtype=bool)
    layer = TracedLayer("a", 0, False, "GRU", np.arange(2), {"h": values}, {"h": values[0]}, cuts)
    return Trace("A model", ("<b>", "ü", "c"), (layer,))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "log.jsonl").write_text('{"step": 1, "loss": 2.0, "seconds": 0.1}\n')
    return folder


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    texts = ["a good film", "a bad film", "good", "bad", "so good", "so bad"] * 10
    labels = ["good" if "good" in text else "bad" for text in texts]
    model = unrolled.Classifier(hidden_size=4, embedding_size=4)
    data = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
    path = tmp_path_factory.mktemp("judge")
    (path / "data.jsonl").write_text("\n".join(map(json.dumps, data)) + "\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # so short a training may lose to the rivals
        model.fit(path / "data.jsonl", budget="3 steps", progress=False)
    return model.save(path / "judge.unrolled")


def fetched(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


def data_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert found is not None
    return json.loads(found[1])


def test_a_trace_is_shown_from_its_file_as_from_the_object(trace: Trace, tmp_path: Path) -> None:
    file = trace.save(tmp_path / "a.trace")
    one, two = shown(file), shown(trace)
    assert one == two
    assert one.data["trace"]["inputs"] == ["<b>", "ü", "c"]


def test_a_model_reads_what_it_is_given_or_a_texts_file(judge: Path, tmp_path: Path) -> None:
    found = shown(judge, given="a good film")
    assert found.data["trace"]["inputs"] == ["a", "good", "film"]
    (tmp_path / "text.txt").write_text("a bad film", encoding="utf-8")
    assert shown(judge, given=tmp_path / "text.txt").data["trace"]["inputs"][1] == "bad"
    task = unrolled.load(judge)
    assert shown(task, given="a good film").data == found.data
    fewer = shown(judge, given="a good film", steps=2, units=3).data["trace"]
    assert fewer["inputs"] == ["good", "film"]
    assert len(fewer["layers"][0]["units"]) == 3


def test_what_it_writes_is_what_it_serves(run: Path, tmp_path: Path) -> None:
    written = show(run, out=tmp_path / "page.html")
    assert written == tmp_path / "page.html"
    with serve(run) as lens:
        page = fetched(lens.url)
    assert data_of(page) == data_of(written.read_text(encoding="utf-8"))
    assert data_of(page)["runs"][0]["loss"] == [2.0]


def test_a_log_that_grows_is_sent_and_one_that_does_not_is_not(run: Path) -> None:
    sent: list[tuple[str, Any]] = []
    with Lens(shown(run), every=None) as lens:
        lens.send = lambda name, value: sent.append((name, value))  # type: ignore[method-assign]
        lens.look()
        assert sent == []
        with (run / "log.jsonl").open("a") as log:
            log.write('{"step": 2, "loss": NaN}\n')
        lens.look()
        lens.look()
        (run / "log.jsonl").unlink()
        lens.look()
    ((name, value),) = sent
    assert name == "run 0"
    assert value["loss"] == [2.0, None]


def test_a_folder_without_a_log_is_followed_from_the_first_step_on(tmp_path: Path) -> None:
    (tmp_path / "tokens").mkdir()
    sent: list[tuple[str, Any]] = []
    with Lens(shown(tmp_path, waiting=True), every=None) as lens:
        (record,) = data_of(fetched(lens.url))["runs"]
        assert (record["steps"], len(record["notes"])) == ([], 1)
        assert "the training has not begun its first step" in record["notes"][0]
        lens.send = lambda name, value: sent.append((name, value))  # type: ignore[method-assign]
        lens.look()
        (tmp_path / "log.jsonl").write_text('{"step": 1, "loss": 2.0}\n')
        lens.look()
    ((name, value),) = sent
    assert (name, value["steps"], value["notes"]) == ("run 0", [1], [])


def test_waiting_is_told_and_only_where_a_run_may_begin_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wait(lens: Lens, seconds: float | None = None) -> bool:
        if threading.current_thread() is not threading.main_thread():
            return lens._closed.wait(seconds)
        raise KeyboardInterrupt

    monkeypatch.setattr(Lens, "wait", wait)
    show(tmp_path, browser=False)
    assert f"{tmp_path}: no log.jsonl yet; the page shows the run" in capsys.readouterr().out
    with pytest.raises(DataError, match=r"no log\.jsonl in this folder"):
        show(tmp_path, out=tmp_path / "page.html")
    (tmp_path / "letter.txt").write_text("Dear")
    for refused in (show, serve):
        with pytest.raises(DataError, match=r"no log\.jsonl in this folder"):
            refused(tmp_path)
    with pytest.raises(DataError, match="nothing is there"):
        serve(tmp_path / "none")


def test_it_follows_by_itself_until_it_is_closed(run: Path) -> None:
    looked = threading.Event()

    class Looking(Lens):
        def look(self) -> None:
            super().look()
            looked.set()

    lens = Looking(shown(run), every=0.001)
    assert looked.wait(60)
    lens.close()
    assert lens._looking is not None
    assert not lens._looking.is_alive()


def test_it_prints_the_address_opens_the_browser_and_ends_at_ctrl_c(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    pages: list[str] = []

    def wait(lens: Lens, seconds: float | None = None) -> bool:
        if threading.current_thread() is not threading.main_thread():
            return lens._closed.wait(seconds)
        pages.append(fetched(lens.url))
        raise KeyboardInterrupt

    monkeypatch.setattr(Lens, "wait", wait)
    monkeypatch.setattr(webbrowser, "open", lambda url: not opened.append(url))
    monkeypatch.setenv("DISPLAY", ":0")
    assert show(run) is None
    first = capsys.readouterr().out
    address = first.splitlines()[0]
    assert opened == [address]
    assert address.startswith("http://127.0.0.1:")
    assert "Ctrl-C ends it" in first
    assert first.endswith("keeps what it shows\n")
    show(run, browser=False)
    assert len(opened) == 1
    assert len(pages) == 2
    with pytest.raises(OSError, match="refused"):
        fetched(address)


def cut(path: Path, size: int) -> Path:
    other = path.with_name(f"cut-{size}{path.suffix}")
    other.write_bytes(path.read_bytes()[:size])
    return other


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda folder: folder / "none", DataError, "none: nothing is there, expected a model"),
        (lambda folder: folder, DataError, "no log.jsonl in this folder"),
        (
            lambda folder: folder.joinpath("a.csv").write_text("a,b\n1,2\n") and folder / "a.csv",
            ModelFileError,
            "a.csv: of another kind or truncated, expected a model (.unrolled), a trace",
        ),
        (
            lambda folder: folder.joinpath("e").write_bytes(b"") or folder / "e",
            ModelFileError,
            "e: of another kind or truncated",
        ),
        (
            lambda folder: (
                save_file({"a": np.zeros(1)}, folder / "w.safetensors") or folder / "w.safetensors"
            ),
            ModelFileError,
            "w.safetensors: a safetensors file without a card or a trace",
        ),
        (
            lambda folder: (
                save_file({"a": np.zeros(1)}, folder / "t", metadata={"trace": '{"format": 99}'})
                or folder / "t"
            ),
            ModelFileError,
            "t: a trace of format 99, this version reads",
        ),
    ],
)
def test_what_is_neither_model_nor_trace_nor_run_is_told(
    make: Callable[[Path], Path], kind: type[UnrolledError], words: str, tmp_path: Path
) -> None:
    with pytest.raises(kind) as caught:
        shown(make(tmp_path), given=None)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_files_are_told(judge: Path, trace: Trace, tmp_path: Path) -> None:
    file = trace.save(tmp_path / "a.trace")
    for path in (judge, file):
        size = path.stat().st_size
        for left in (size - 1, size // 2, 100, 8, 1):
            with pytest.raises(ModelFileError, match=r"truncated|not a complete"):
                shown(cut(path, left), given="a" if path is judge else None)


def test_a_trace_of_another_format_is_told(trace: Trace, tmp_path: Path) -> None:
    from safetensors import safe_open

    file = trace.save(tmp_path / "a.trace")
    with safe_open(file, framework="numpy") as opened:
        card = json.loads(opened.metadata()["trace"]) | {"format": 7}
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    save_file(arrays, file, metadata={"trace": json.dumps(card)})
    with pytest.raises(ModelFileError, match="a trace of format 7, this version reads"):
        shown(file)


def test_input_that_is_missing_too_much_or_unreadable_is_told(
    judge: Path, trace: Trace, run: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"judge.unrolled holds a Classifier: given \(INPUT\)"):
        shown(judge)
    with pytest.raises(ConfigError, match="Classifier: given"):
        shown(unrolled.load(judge))
    for bad in ("", 3):
        with pytest.raises(ConfigError, match="expected a text"):
            shown(judge, given=bad)
    (tmp_path / "empty.txt").write_text("  \n")
    with pytest.raises(DataError, match="holds no text"):
        shown(judge, given=tmp_path / "empty.txt")
    with pytest.raises(ConfigError, match="is a trace, which has read its input"):
        shown(trace, given="a")
    with pytest.raises(ConfigError, match="a run reads nothing"):
        shown(run, given="a")
    with pytest.raises(ConfigError, match="expected one model, one trace, or run folders"):
        shown(run, judge)
    with pytest.raises(ConfigError, match="got nothing"):
        shown()


def test_a_page_that_can_not_be_written_costs_nothing(run: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        show(run, out=tmp_path / "no" / "page.html")
    with pytest.raises(ConfigError, match="port"):
        serve(run, port=70000)


def test_a_follower_that_fails_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1, "loss": 2.0}\n')

    def broken(_: Lens) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(Lens, "look", broken)
    with Lens(shown(tmp_path), every=0.001) as lens:
        assert lens._looking is not None
        lens._looking.join(30)
        assert not lens._looking.is_alive()
    told = capsys.readouterr().err
    assert told == "unrolled: the runs are no longer followed (RuntimeError: no memory)\n"
