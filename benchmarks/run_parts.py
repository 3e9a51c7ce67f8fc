"""Runs of which parts are scored: validation by default, the test part of the same run later."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import run_folder
from run_command import folder_of, parser_of
from run_folder import TEST, VALIDATION

Data = TypeVar("Data")


@dataclass(frozen=True)
class Parts(Generic[Data]):
    """A set in three parts.

    Attributes:
        name: of the set.
        train, validation: to learn, and to choose by.
        test: gives the test part, and is called only where it is to be scored.
        test_name: what the test part is called.
        validation_name: what the validation part is called.
    """

    name: str
    train: Data
    validation: Data
    test: Callable[[], Data]
    test_name: str
    validation_name: str = VALIDATION

    def scored(self, part: str) -> tuple[Data, str]:
        """The part that is to be scored, and what it is called."""
        if part == TEST:
            return self.test(), self.test_name
        return self.validation, self.validation_name


@dataclass(frozen=True)
class Request(run_folder.Request):
    """What a command asks for. What is scored of it, has a folder in that of the run: whoever asks
    for the test part later trains nothing again.

    Attributes:
        rival: whether the rival that the goals were set by is trained in turns with the network.
        model: file of a fitted model, for the task that measures one.
    """

    rival: bool = False
    model: str | None = None

    def within(self, name: str) -> Path | None:
        """The folder of one network, whatever part is scored."""
        return None if self.folder is None else self.folder.parent / run_folder.plain(name)

    def open(self) -> None:
        """Make the folder of the run; ConfigError where it holds another."""
        if self.folder is not None:
            whole = replace(self, part=VALIDATION, folder=self.folder.parent)
            run_folder.Request.open(whole)


def parts_parser(doc: str | None, tasks: Sequence[str], runs: Path) -> argparse.ArgumentParser:
    """The arguments that all such benchmarks have."""
    parser = parser_of(doc, tasks, runs)
    parser.add_argument(
        "--test", dest="on", action="store_const", const=TEST, help="the same as --on test"
    )
    parser.add_argument("--rival", action="store_true", help="train the plain rival in turns")
    parser.set_defaults(on=VALIDATION)
    return parser


def request_of(options: argparse.Namespace) -> Request:
    """What is asked; a part that is scored has its folder in the run's."""
    whole = argparse.Namespace(**{**vars(options), "on": TEST})
    folder = folder_of(whole, "rival" if options.rival else "") / options.on
    return Request(
        options.task,
        options.seed,
        options.on,
        options.budget,
        options.options,
        folder,
        options.rival,
        options.model,
    )
