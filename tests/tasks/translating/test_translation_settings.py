"""The numbers that a translator takes where none are given."""

from __future__ import annotations

import inspect
import re
from dataclasses import asdict

import pytest

from unrolled.tasks.translating.settings import USUAL, settle
from unrolled.tasks.translator import Translator

OPEN = [name for name, value in Translator().get_params().items() if value is None]
NUMBERS = sorted(set(OPEN) & set(USUAL))


@pytest.mark.parametrize("name", NUMBERS)
def test_the_number_in_the_docstring_is_the_one_that_is_taken(name):
    told = inspect.getdoc(Translator) or ""
    about = re.search(rf"^    {name}: .*\n(?:     +.*\n)*", told, re.M)
    assert about is not None
    number = re.search(r"None: ([\d.]+)\.$", about[0].rstrip())
    assert number is not None
    assert float(number[1]) == asdict(settle(Translator().get_params()))[name]


@pytest.mark.parametrize("name", NUMBERS)
def test_what_is_given_is_kept_and_nothing_else_changes(name):
    usual = asdict(settle(Translator().get_params()))
    other = {"attention": "additive", name: 7}
    assert asdict(settle({**Translator().get_params(), **other})) == {**usual, **other}


def test_what_is_open_and_no_number_of_the_settings_is_learnt_from_the_data_or_means_never():
    assert set(OPEN) - set(USUAL) == {"vocabulary_size", "patience"}
