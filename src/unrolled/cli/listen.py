"""`unrolled listen`: what is said, as it is said."""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unrolled.cli import options, options_transcribe
from unrolled.cli.language import language, use
from unrolled.cli.options import given, number_or_name, option
from unrolled.errors import ConfigError

if TYPE_CHECKING:
    from unrolled.tasks.transcribing.transcript import Partial, Transcript

EXAMPLES = (
    "unrolled listen hears.unrolled",
    "unrolled listen hears.unrolled --device USB --endpoint 0.5",
    "unrolled listen hears.unrolled --file a.wav --fast --json",
    "unrolled listen hears.unrolled --lm lm.unrolled --hot-words names.txt",
)
HELP = "Listening to {name}; Ctrl-C ends."
_CLEAR, _DIM, _PLAIN = "\r\x1b[J", "\x1b[2m", "\x1b[0m"


def listen(
    model: options.Model,
    file: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Hear a file in place of the microphone, at its pace."),
    ] = None,
    fast: Annotated[
        bool, typer.Option("--fast", help="With --file: as quickly as can be.")
    ] = False,
    device: Annotated[
        str | None,
        option("The microphone: its number, or a part of its name.", "the usual one"),
    ] = None,
    endpoint: Annotated[
        float | None,
        option("Silence that ends an utterance, in seconds; 0: none does.", "0.8"),
    ] = None,
    beam: options_transcribe.Beam = None,
    lm: options_transcribe.Lm = None,
    lm_weight: options_transcribe.LmWeight = None,
    word_bonus: options_transcribe.WordBonus = None,
    unknown_word: options_transcribe.UnknownWord = None,
    rerank: options_transcribe.Rerank = None,
    rerank_weight: options_transcribe.RerankWeight = None,
    hot_word: options_transcribe.HotWord = None,
    hot_words: options_transcribe.HotWords = None,
    skip_lm: options_transcribe.SkipLm = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="An object a line for each utterance: words with times.")
    ] = False,
) -> None:
    """Hear the microphone, or a file at its pace, and write what is said.

    At a terminal the words of the utterance that goes on are shown as they are heard, dim those
    that may still change; elsewhere comes a line for each utterance that is over. A model of
    labels, and one that reads both ways, hears each utterance when it is over. Ctrl-C ends with
    what was said last, and with exit code 0.
    """
    from unrolled.training.interrupt import StopRequest

    spoken = language(locals())
    with StopRequest() as stop:
        from unrolled.cli.models import a_kind, kind, open_model

        task: Any = open_model(model)
        if kind(task) != "Transcriber":
            raise ConfigError(f"{model} holds {a_kind(task)}; give the model of a transcriber")
        screen = _Screen(as_json)
        how = given(file=file, device=number_or_name(device), beam=beam)
        sound, named = how.pop("file", None), how.get("device")
        if endpoint is not None:
            if not endpoint >= 0:
                raise ConfigError(
                    f"--endpoint: got {endpoint:g}, expected seconds of silence, 0 or more (0: none"
                    " ends an utterance)"
                )
            how["endpoint"] = endpoint or None
        use(task, spoken)
        heard = task.listen(sound, fast=fast, until=lambda: stop.asked, tell=screen.tell, **how)
        screen.begin(sound or (named if isinstance(named, str) else "the microphone"))
        for now in heard:
            screen.show(now)


class _Screen:
    """Standard output: a terminal that shows what goes on, or lines of what is over."""

    def __init__(self, as_json: bool) -> None:
        self._json, self._live = as_json, sys.stdout.isatty() and not as_json
        self._line = ""

    def begin(self, name: str) -> None:
        if self._live:
            self._write(f"{_DIM}{HELP.format(name=name)}{_PLAIN}\n")

    def show(self, now: Partial) -> None:
        for one in now.finished:
            if one.text:
                self._write(self._clear() + self._over(one) + "\n")
        line = _fitted(now) if self._live else ""
        if line != self._line:
            self._write(self._clear() + line)
            self._line = line

    def tell(self, words: str) -> None:
        """Beside what was heard, on standard error."""
        self._write(self._clear())
        print(f"unrolled: {words}", file=sys.stderr, flush=True)

    def _over(self, one: Transcript) -> str:
        from unrolled.tasks.transcribing.written import record

        return json.dumps(record(one), ensure_ascii=False) if self._json else one.text

    def _clear(self) -> str:
        """What takes the line away that is there."""
        line, self._line = self._line, ""
        return _CLEAR if line else ""

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise
        except OSError as error:  # a terminal that was closed is as a pipe that was
            raise BrokenPipeError from error


def _fitted(now: Partial) -> str:
    """The utterance that goes on, what stays bright and what may change dim; where it is wider than
    the terminal, its end."""
    from rich.cells import cell_len

    room = shutil.get_terminal_size().columns - 1
    shown: list[str] = []
    for place in range(len(now.words) - 1, -1, -1):
        word = now.words[place].text
        room -= cell_len(word) + 1
        if room < 0:
            break
        shown.insert(0, word if place < now.stable else f"{_DIM}{word}{_PLAIN}")
    return " ".join(shown)
