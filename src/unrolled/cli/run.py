"""From a command line to an exit code: every failure ends as one plain line on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from unrolled.errors import MissingExtra, TrainingDiverged, UnrolledError

DONE, FAILED, BAD_INPUT = 0, 1, 2
DEBUG = "--debug"

# typer raises its usage errors as children of one class, which it does not export by name.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]


def run(arguments: Sequence[str] | None = None) -> int:
    """Parse and run; see `unrolled.cli.main`."""
    words, debug = _without_debug(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except BrokenPipeError:
        # Whoever read the output has seen enough. The interpreter flushes once more when it ends.
        _silence_stdout()
        return DONE
    except KeyboardInterrupt:
        return _fail("interrupted", FAILED, debug)
    except (MissingExtra, TrainingDiverged) as error:
        return _fail(str(error), FAILED, debug)
    except UnrolledError as error:
        from unrolled.cli.options import in_our_words

        return _fail(in_our_words(str(error)), BAD_INPUT, debug)
    except _UsageError as error:
        return _fail(_usage(error), BAD_INPUT, debug)
    except Exception as error:
        hint = "" if debug else f"; run it again with {DEBUG} for the trace"
        return _fail(f"unexpected {type(error).__name__}: {error}{hint}", FAILED, debug)


def _run(words: list[str]) -> int:
    from unrolled.cli.app import command
    from unrolled.cli.outputs import plain_warnings

    try:
        with plain_warnings(), command().make_context("unrolled", words) as context:
            context.command.invoke(context)
    except typer.Exit as error:  # --help and --version end so
        code = error.exit_code
    else:
        code = DONE
    sys.stdout.flush()
    return code


def _without_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The option may stand anywhere, so that it can be added to the end of what failed."""
    words = list(arguments)
    end = words.index("--") if "--" in words else len(words)
    return [word for word in words[:end] if word != DEBUG] + words[end:], DEBUG in words[:end]


def _usage(error: Exception) -> str:
    message = error.format_message()  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    path = "unrolled" if context is None else context.command_path
    return f"{message.rstrip('.')}: see {path} --help"


def _fail(message: str, code: int, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exc()
    line = " ".join(part.strip() for part in message.splitlines() if part.strip())
    print(f"unrolled: {line}", file=sys.stderr)
    return code


def _silence_stdout() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
