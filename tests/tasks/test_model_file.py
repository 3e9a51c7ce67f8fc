"""The one file: what is written comes back, and anything else is one plain line."""

from __future__ import annotations

import json
import os
import pickle
import stat
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file
from torch import Tensor

import unrolled
from unrolled.errors import ModelFileError, NotFittedError, OutputError
from unrolled.tasks.generator import Generator
from unrolled.training.modelfile import FORMAT, Card, named, part, read_model, write_model

pytestmark = pytest.mark.filterwarnings("ignore::unrolled.tasks.evaluation.NetworkLoses")

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def fitted() -> Generator:
    text = "".join(f"line {n} of {n * n}\n" for n in range(90))
    model = Generator(hidden_size=8, layers=1, embedding_size=4, rows=2, steps=16, device="cpu")
    return model.fit(text, budget=4, progress=False)


@pytest.fixture
def saved(fitted: Generator, tmp_path: Path) -> Path:
    return fitted.save(tmp_path / "model.unrolled")


def refuse(path: Path, read: Callable[[Path], object] = unrolled.load) -> str:
    """The one plain line that reading `path` ends with."""
    with pytest.raises(ModelFileError) as caught:
        read(path)
    text = str(caught.value)
    assert "\n" not in text
    assert str(path) in text
    return text


@st.composite
def tensors(draw: st.DrawFn) -> Tensor:
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    dtype = draw(st.sampled_from(DTYPES))
    values = torch.tensor(
        draw(st.lists(st.integers(0, 200), min_size=int(np.prod(shape)), max_size=27)),
        dtype=torch.float64,
    )[: int(np.prod(shape))]
    tensor = values.reshape(shape).to(dtype)
    return tensor.mT if len(shape) > 1 and draw(st.booleans()) else tensor


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    given_tensors=st.dictionaries(st.from_regex(r"[a-z]+\.[a-z0-9_]+", fullmatch=True), tensors()),
    configuration=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON),
    assets=st.dictionaries(st.sampled_from(["vocabulary", "scales"]), JSON),
)
def test_what_is_written_comes_back(
    given_tensors: dict[str, Tensor],
    configuration: dict[str, Any],
    assets: dict[str, Any],
    tmp_path: Path,
) -> None:
    card = Card(task="Generator", configuration=configuration, assets=assets)
    path = write_model(tmp_path / "one.unrolled", card, given_tensors)
    back, found = read_model(path)
    assert back == card
    assert found.keys() == given_tensors.keys()
    for name, tensor in given_tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    assert list(tmp_path.iterdir()) == [path]


def test_a_tensor_under_two_names_is_written_twice(tmp_path: Path) -> None:
    shared = torch.arange(3.0)
    path = write_model(
        tmp_path / "one.unrolled", Card(task="x", configuration={}), {"a.w": shared, "b.w": shared}
    )
    assert all(torch.equal(tensor, shared) for tensor in read_model(path)[1].values())


def test_the_owner_stands_before_each_name() -> None:
    given_tensors = {"w": torch.ones(1), "a.b": torch.zeros(1)}
    both = named(given_tensors, "model") | {"models.w": torch.ones(2)}
    assert part(both, "model").keys() == given_tensors.keys()
    assert part(both, "models").keys() == {"w"}


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_one_plain_line(share: float, saved: Path) -> None:
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(share * len(whole))])
    refuse(saved)
    refuse(saved, read_model)


@pytest.mark.parametrize("cut", [1, 7, 8, 9, -1])
def test_a_file_cut_at_its_edges_is_one_plain_line(cut: int, saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[:cut])
    refuse(saved)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"unique_id,ds,y\na,2020-01-01,1\n",
        pickle.dumps({"model.w": [1.0, 2.0]}),
        b"\x00" * 4096,
        b"\xff" * 4096,
        b"PK\x03\x04" + b"\x00" * 100,
        (2).to_bytes(8, "little") + b"{}",
        (5).to_bytes(8, "little") + b"{'a'}",
    ],
)
def test_a_foreign_file_is_one_plain_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "foreign.unrolled"
    path.write_bytes(content)
    refuse(path)


def test_a_missing_file_and_a_folder_are_one_plain_line(tmp_path: Path) -> None:
    assert "nothing" in refuse(tmp_path / "missing.unrolled")
    assert "a folder" in refuse(tmp_path)


def test_a_safetensors_file_without_a_card_is_one_plain_line(tmp_path: Path) -> None:
    path = tmp_path / "plain.safetensors"
    save_file({"w": torch.ones(2)}, path)
    assert "without a card" in refuse(path)


def rewrite(path: Path, change: Callable[[dict[str, Any], dict[str, Tensor]], object]) -> Path:
    """The same file with another card or other tensors."""
    card, found = read_model(path)
    raw = json.loads(card.model_dump_json())
    text = change(raw, found)
    header = text if isinstance(text, str) else json.dumps(raw)
    path.write_bytes(save(found, metadata={"card": header}))
    return path


def test_a_newer_format_asks_for_an_upgrade(saved: Path) -> None:
    def change(raw: dict[str, Any], _: object) -> None:
        # a newer card may hold what this version does not know
        raw.update(format=FORMAT + 1, invented=True)

    assert "upgrade" in refuse(rewrite(saved, change))


def test_a_task_that_is_not_known_is_named(saved: Path) -> None:
    assert "'Painter'" in refuse(rewrite(saved, lambda raw, _: raw.update(task="Painter")))


@pytest.mark.parametrize(
    "change",
    [
        lambda raw, _: "not json",
        lambda raw, _: "[1]",
        lambda raw, _: "null",
        lambda raw, _: raw.pop("task") and None,
        lambda raw, _: raw.update(format="one"),
        lambda raw, _: raw.update(format=None),
        lambda raw, _: raw.update(extra=1),
        lambda raw, _: raw.update(configuration=[]),
        lambda raw, _: raw["configuration"].update(hidden_size=9),
        lambda raw, _: raw["configuration"].update(hidden_size=-1),
        lambda raw, _: raw["configuration"].update(hidden_size="big"),
        lambda raw, _: raw["configuration"].update(cell="brain"),
        lambda raw, _: raw["configuration"].update(cell=[]),
        lambda raw, _: raw["configuration"].update(directions=2),
        lambda raw, _: raw["configuration"].update(colour="red"),
        lambda raw, _: raw["assets"].clear(),
        lambda raw, _: raw["assets"].update(tokenizer=None),
        lambda raw, _: raw["assets"].update(tokenizer=[1, 2]),
        lambda raw, _: raw["assets"]["tokenizer"].update(kind="runes"),
        lambda raw, _: raw["assets"]["tokenizer"].update(pieces=[1, 2]),
        lambda raw, _: raw["assets"]["tokenizer"]["pieces"].pop() and None,
        lambda raw, _: raw["assets"]["settings"].clear(),
        lambda raw, _: raw["assets"]["settings"].update(hidden_size=9),
        lambda raw, _: raw["assets"]["settings"].update(layers="many"),
        lambda raw, _: raw["assets"]["settings"].update(colour="red"),
        lambda raw, _: raw.update(scores={"network": 1}),
        lambda raw, _: raw.update(scores={"comparisons": 3, "details": {}, "held_out": ""}),
        lambda raw, found: found.pop("model.readout.bias") is None,
        lambda raw, found: found.update({"model.more": torch.ones(1)}),
        lambda raw, found: found.pop("baseline.discounts") is None,
        lambda raw, found: found.update({"baseline.counts_1": torch.zeros(1, dtype=torch.uint8)}),
        lambda raw, found: found.update(
            {"baseline.discounts": torch.ones(1, dtype=torch.bfloat16)}
        ),
    ],
)
def test_a_card_that_does_not_fit_its_weights_is_one_plain_line(
    change: Callable[[dict[str, Any], dict[str, Tensor]], object], saved: Path
) -> None:
    refuse(rewrite(saved, change))


def test_nan_in_a_weight_is_named(saved: Path) -> None:
    spoiled: list[str] = []

    def spoil(_: object, tensors: dict[str, Tensor]) -> None:
        name = next(name for name in tensors if name.startswith("model.") and "weight_hh" in name)
        tensors[name][0, 0] = torch.nan
        spoiled.append(name)

    path = rewrite(saved, spoil)
    assert f"{spoiled[0]}: got NaN, expected numbers" in refuse(path)


def test_loading_leaves_the_random_numbers_alone(saved: Path) -> None:
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    unrolled.load(saved)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("place", ["write", "rename"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    error: BaseException,
    place: str,
    fitted: Generator,
    saved: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = saved.read_bytes()

    def fail(self: Path, *arguments: object) -> None:
        if place == "write":
            with self.open("wb") as half:
                half.write(b"half")
        raise error

    monkeypatch.setattr(Path, "write_bytes" if place == "write" else "replace", fail)
    with pytest.raises(OutputError if isinstance(error, OSError) else KeyboardInterrupt) as caught:
        fitted.save(saved)
    monkeypatch.undo()
    if isinstance(error, OSError):
        assert str(saved) in str(caught.value)
        assert "No space left" in str(caught.value)
        assert "\n" not in str(caught.value)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_file_is_whole_before_it_takes_its_place(
    fitted: Generator, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = saved.read_bytes()
    seen: list[tuple[bool, bytes]] = []
    replace = Path.replace

    def watched(aside: Path, path: Path) -> Path:
        read_model(aside)
        seen.append((aside.parent == path.parent, path.read_bytes()))
        return replace(aside, path)

    monkeypatch.setattr(Path, "replace", watched)
    fitted.save(saved)
    assert seen == [(True, expected)]


def test_a_reader_meets_one_whole_file_while_another_takes_its_place(tmp_path: Path) -> None:
    path, stop = tmp_path / "m.unrolled", Event()

    def write(size: int) -> None:
        card = Card(task="T", configuration={"size": size})
        write_model(path, card, {"model.x": torch.full((size,), float(size))})

    def write_on() -> None:
        for size in cycle((1, 1000, 3, 70)):
            if stop.is_set():
                return
            write(size)

    write(1)
    writer = Thread(target=write_on)
    writer.start()
    try:
        for _ in range(300):
            card, tensors = read_model(path)
            size = card.configuration["size"]
            assert torch.equal(tensors["model.x"], torch.full((size,), float(size)))
    finally:
        stop.set()
        writer.join()


def test_a_new_file_has_the_mode_of_any_new_file(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("")
    assert stat.S_IMODE(saved.stat().st_mode) == stat.S_IMODE((tmp_path / "other").stat().st_mode)


@pytest.mark.parametrize("name", ["missing/model.unrolled", "file/model.unrolled", "folder"])
def test_a_place_that_cannot_be_written_is_one_plain_line(
    name: str, fitted: Generator, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError) as caught:
        fitted.save(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_without_permission_is_one_plain_line(fitted: Generator, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="Permission denied"):
            fitted.save(tmp_path / "model.unrolled")
    finally:
        tmp_path.chmod(0o700)


def test_saving_before_learning_is_one_plain_line(tmp_path: Path) -> None:
    with pytest.raises(NotFittedError):
        Generator().save(tmp_path / "model.unrolled")
    assert list(tmp_path.iterdir()) == []
