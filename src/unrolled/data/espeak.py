"""Speech made by eSpeak NG, a formant synthesiser, for the embedded task and the tests.

The library comes in the PyPI package `espeakng-loader` (extra `spoken`). It is under the GPL, so
nothing that a user needs depends on it. It keeps its state in global variables, is not safe among
threads, and some texts make it crash; so it never runs in the caller's process. Each `Espeak` is a
process of its own, and a crash there is an error here.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from types import TracebackType

import numpy as np

from unrolled.errors import ConfigError, DataError, MissingExtra

RATE = 22050
MOST_CHARACTERS = 5000
_CHILD = Path(__file__).with_name("espeak_child.py")
# The number that eSpeak knows a parameter by, and what it takes.
_PARAMETERS = {
    "speed": (1, 80, 450),
    "volume": (2, 0, 200),
    "pitch": (3, 0, 99),
    "pitch_range": (4, 0, 99),
    "gap": (7, 0, 500),
}


@dataclass(frozen=True)
class Utterance:
    """What is to be spoken, and how.

    Attributes:
        text: up to 5,000 characters.
        voice: a language or accent, one of `voices()`.
        variant: a timbre, one of `variants()`; None for the voice's own.
        speed: words a minute, 80 to 450.
        pitch: 0 to 99; 50 is the variant's own.
        pitch_range: how far the pitch moves, 0 (a monotone) to 99; 50 is the variant's own.
        volume: 0 to 200; 100 is the usual one. Beyond it samples are cut off at the largest.
        gap: a pause between words, in units of 10 ms at the usual speed, 0 to 500.
        seed: of the noise in the voice.

    Raises:
        ConfigError: a value that is none of these.
    """

    text: str
    voice: str = "en"
    variant: str | None = None
    speed: int = 175
    pitch: int = 50
    pitch_range: int = 50
    volume: int = 100
    gap: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.text, str):
            raise ConfigError(f"text: got {self.text!r}, expected characters to speak")
        if len(self.text) > MOST_CHARACTERS:
            raise ConfigError(
                f"text: got {len(self.text):,} characters, expected up to {MOST_CHARACTERS:,}: "
                "speak it in parts"
            )
        if "\0" in self.text:
            raise ConfigError("text: holds the character NUL, at which eSpeak NG stops: remove it")
        for name, (_, least, most) in _PARAMETERS.items():
            _check(name, getattr(self, name), least, most)
        _check("seed", self.seed, 0, 2**31 - 1)

    def request(self) -> bytes:
        """The line that the process reads; half a surrogate pair becomes a question mark."""
        asked = {
            "voice": self.voice if self.variant is None else f"{self.voice}+{self.variant}",
            "seed": int(self.seed),
            "parameters": [
                (number, int(getattr(self, name))) for name, (number, _, _) in _PARAMETERS.items()
            ],
            "text": self.text.encode(errors="replace").decode(),
        }
        return json.dumps(asked).encode() + b"\n"


class Espeak:
    """A process that speaks; a context that ends it.

        with Espeak() as espeak:
            samples = espeak.speak(Utterance("three seven one", variant="f4"))

    What is spoken depends on the utterance and, slightly, on those that the process spoke before
    (the flutter of the pitch runs on), on nothing else: the same list gives the same samples, bit
    for bit. One thread may use it at a time.

    Raises:
        MissingExtra: espeakng-loader is not installed.
        DataError: eSpeak NG does not start.
    """

    def __init__(self, child: Path = _CHILD) -> None:
        library, self._data = _installed()
        self._voices, self._variants = frozenset(voices()), frozenset(variants())
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(child), str(library), str(self._data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        started = self._read(4)
        rate = struct.unpack("<i", started)[0] if len(started) == 4 else -1
        if rate != RATE:
            self.close()
            raise DataError(
                f"eSpeak NG does not start with the data in {self._data}: reinstall it with "
                "pip install --force-reinstall espeakng-loader"
            )

    def speak(self, utterance: Utterance) -> np.ndarray:
        """Samples `(N,)` float32 in [-1, 1], 22,050 a second; none where nothing can be spoken.

        Raises:
            ConfigError: a voice or variant that is not there.
            DataError: eSpeak NG crashed or did not come to an end. The process is gone then.
        """
        _check_name("voice", utterance.voice, self._voices)
        if utterance.variant is not None:
            _check_name("variant", utterance.variant, self._variants)
        try:
            self._process.stdin.write(utterance.request())  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except (OSError, ValueError):
            raise self._broken(utterance) from None
        head = self._read(4)
        if len(head) < 4:
            raise self._broken(utterance)
        (count,) = struct.unpack("<i", head)
        if count < 0:
            raise DataError(
                f"eSpeak NG does not speak {_shown(utterance.text)} with the voice "
                f"{utterance.voice!r}, variant {utterance.variant!r}: error {-count}; choose others"
            )
        wave = self._read(2 * count)
        if len(wave) < 2 * count:
            raise self._broken(utterance)
        return np.frombuffer(wave, "<i2").astype(np.float32) / np.float32(32768)

    def close(self) -> None:
        """End the process; closing twice does no harm."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            try:
                pipe.close()  # type: ignore[union-attr]
            except OSError:  # what was still to be written found nobody who reads
                continue

    def __enter__(self) -> Espeak:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _read(self, size: int) -> bytes:
        return self._process.stdout.read(size)  # type: ignore[union-attr]

    def _broken(self, utterance: Utterance) -> DataError:
        self.close()
        return DataError(
            f"eSpeak NG broke off at {_shown(utterance.text)} (exit status "
            f"{self._process.returncode}): leave the text out, or write it in plain words"
        )


def speak(
    text: str,
    *,
    voice: str = "en",
    variant: str | None = None,
    speed: int = 175,
    pitch: int = 50,
    pitch_range: int = 50,
    volume: int = 100,
    gap: int = 0,
    seed: int = 0,
) -> tuple[np.ndarray, int]:
    """Speak a text: samples `(N,)` float32 in [-1, 1], and how many there are a second, 22,050.

    The same arguments give the same samples, bit for bit. The arguments are those of `Utterance`.
    For many texts open an `Espeak`: each call starts a process, some hundredths of a second.

    Raises:
        MissingExtra: espeakng-loader is not installed.
        ConfigError: an argument out of its range, or a voice or variant that is not there.
        DataError: eSpeak NG crashed at the text or did not come to an end; the caller's process
            goes on.
    """
    utterance = Utterance(text, voice, variant, speed, pitch, pitch_range, volume, gap, seed)
    with Espeak() as espeak:
        return espeak.speak(utterance), RATE


def voices() -> list[str]:
    """The languages and accents that eSpeak NG speaks: "en", "en-us", "en-gb-scotland", "de"...

    Raises:
        MissingExtra: espeakng-loader is not installed.
    """
    files = (_installed()[1] / "lang").rglob("*")
    # They go by their tags, which have no case.
    return sorted(file.name.lower() for file in files if file.is_file())


def variants() -> list[str]:
    """The timbres that any voice can take on: "m1" to "m8", "f1" to "f5", "croak", "whisper"...

    Raises:
        MissingExtra: espeakng-loader is not installed.
    """
    files = (_installed()[1] / "voices" / "!v").iterdir()
    return sorted(file.name for file in files if file.is_file())


def _installed() -> tuple[Path, Path]:
    """The library and the folder of its data."""
    try:
        import espeakng_loader
    except ImportError:
        raise MissingExtra("spoken", "speech made by eSpeak NG") from None
    return Path(espeakng_loader.get_library_path()), Path(espeakng_loader.get_data_path())


def _check(name: str, got: object, least: int, most: int) -> None:
    whole = isinstance(got, Integral) and not isinstance(got, bool)
    if not (whole and least <= int(got) <= most):  # type: ignore[call-overload]
        raise ConfigError(f"{name}: got {got!r}, expected a whole number from {least} to {most}")


def _check_name(name: str, got: str, known: frozenset[str]) -> None:
    if got not in known:
        raise ConfigError(f"{name}: got {got!r}, expected one of {', '.join(sorted(known))}")


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")
