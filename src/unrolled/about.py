"""`unrolled.info`: what is installed here and what it can use, or what a model file holds."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from unrolled.errors import UnrolledError

# The parts whose version decides what a model learns and how fast.
_PACKAGES = ("torch", "numpy", "polars", "scikit-learn", "accelerate", "safetensors")
# The parts of speech, and the extra that brings each.
_OF_SOUND = {
    "soundfile": "speech",
    "soxr": "speech",
    "kaldi-native-fbank": "speech",
    "jiwer": "speech",
    "sounddevice": "listen",
    "espeakng-loader": "spoken",
}
# Values that a line shows.
_FEW = 12


class Info(dict[str, Any]):
    """Plain values by name; as text, a line each."""

    def __str__(self) -> str:
        width = max(len(name) for name in self) + 2
        return "\n".join(f"{name:<{width}}{_words(value)}" for name, value in self.items())


def info(model: str | os.PathLike[str] | None = None) -> Info:
    """What a result, a speed or a fault depends on here; or what a model file says of itself.

    Args:
        model: a `.unrolled` file: what it holds, when it was made, its configuration and scores are
            told from its card, without loading it.

    Returns:
        A dict of plain values, which prints as a table and goes into JSON as it is: versions,
        processor, cores, the native kernels (or why they are not used), threads and devices of
        torch, the folders of UNROLLED_DATA and the data sets at hand. A part that fails says so in
        its place; nothing is raised.

    Raises:
        ModelFileError: of a model: no such file, truncated, or of another kind.
    """
    if model is not None:
        return _of_model(Path(model))
    from unrolled import __version__

    return Info(
        {
            "unrolled": __version__,
            "python": platform.python_version(),
            **{package: _version(package) for package in _PACKAGES},
            **{package: _version(package, extra) for package, extra in _OF_SOUND.items()},
            "system": platform.platform(),
            "cores": os.cpu_count(),
            **_told(_compute, "devices"),
            **_told(_kernels, "kernels"),
            "data folders": [
                folder for folder in os.environ.get("UNROLLED_DATA", "").split(os.pathsep) if folder
            ],
            **_told(_data_sets, "data sets"),
        }
    )


def _of_model(path: Path) -> Info:
    from unrolled.training.modelfile import read_card

    card = read_card(path)
    # Vocabularies and tables are no reading.
    short = {name: value for name, value in card.assets.items() if _is_short(value)}
    return Info(
        {
            "file": str(path),
            "holds": card.task,
            "created": card.created,
            "megabytes": round(path.stat().st_size / 1e6, 2),
            **card.configuration,
            **short,
            **_of_language(card.assets.get("language")),
            "learnt from": card.provenance.get("data", {}).get("name", "not told"),
            "measured on": card.scores.get("held_out") or "nothing",
            **(_perplexities(card.scores) if card.task == "NGramModel" else {}),
        }
    )


def _of_language(numbers: dict[str, Any] | None) -> dict[str, str]:
    """How much a language model counts, where that was chosen."""
    if not numbers or not numbers.get("told"):
        return {}
    from unrolled.tasks.tuned import weights_told

    return {"language": weights_told(numbers)}


def _perplexities(scores: dict[str, Any]) -> dict[str, float]:
    """What an n-gram model was measured to have, beside single tokens."""
    from unrolled.decoding.ngrams.perplexity import Perplexity

    named = {"perplexity": "model", "perplexity of single tokens": "unigram"}
    return {
        name: round(Perplexity(**scores[own]).with_unknown, 2)
        for name, own in named.items()
        if own in scores
    }


def _is_short(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _FEW and all(not isinstance(one, (dict, list)) for one in value)
    return not isinstance(value, dict)


def _version(package: str, extra: str | None = None) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed" + (f": pip install 'unrolled[{extra}]'" if extra else "")


def _told(part: Callable[[], dict[str, Any]], name: str) -> dict[str, Any]:
    """A part of the answer; where it fails, what went wrong, under the name of the part."""
    try:
        return part()
    except (UnrolledError, ImportError, OSError, RuntimeError) as error:
        return {name: f"{type(error).__name__}: {error}"}


def _compute() -> dict[str, Any]:
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "devices": ["cpu", *(f"cuda:{i} {name}" for i, name in enumerate(gpus))],
    }


def _kernels() -> dict[str, Any]:
    from unrolled import kernels

    reason = kernels.why_not()
    if reason is not None:
        return {"kernels": f"not used: {reason}"}
    return {"kernels": f"{kernels.isa()}, built with {kernels.compiler()}"}


def _data_sets() -> dict[str, Any]:
    from unrolled.data import catalog
    from unrolled.errors import DataError

    found = []
    for entry in catalog.entries():
        try:
            at_hand = catalog.find(entry.name) is not None
        except DataError:
            found.append(f"{entry.name} (damaged)")
        else:
            found += [entry.name] if at_hand else []
    return {"data sets": found}


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def machine() -> dict[str, Any]:
    """What a score or a speed depends on: versions, threads and processor."""
    import torch

    from unrolled import __version__

    return {
        "unrolled": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
        "processor": processor(),
        "threads": torch.get_num_threads(),
    }


def processor() -> str:
    """The processor's name as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
