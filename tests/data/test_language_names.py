"""Names of languages, by the Unicode CLDR that babel brings along."""

from __future__ import annotations

import subprocess
import sys

import pytest

from unrolled.data.language_names import are_languages


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["German", "English"], [True, True]),
        ([" DEUTSCH ", "english"], [True, True]),
        (["Deutsch", "Englisch"], [True, True]),
        (["anglais", "français", "mots"], [True, True, False]),
        # none of them is a name in itself or in English
        (["Englisch", "Spanisch"], [False, False]),
        (["日本語", "中文"], [True, True]),
        (["id", "name", "date", "7", ""], [False] * 5),
        (["German.", "to English 2"], [False, False]),
        ([], []),
    ],
)
def test_a_language_is_called_in_english_in_itself_or_beside_its_own(names, found):
    assert are_languages(names) == found


def test_a_sentence_costs_no_look_into_the_names_of_all_languages(monkeypatch):
    monkeypatch.setattr("unrolled.data.language_names._names_in", None)
    monkeypatch.setattr("unrolled.data.language_names._own", None)
    assert are_languages(["How are you?", "A long line of some more words"]) == [False, False]


def test_what_babel_knows_of_a_language_stays_whole():
    # In a process of its own, where nobody has asked babel before.
    # Some take their forms of dates from what they inherit.
    code = """
from babel import Locale, localedata
from unrolled.data.language_names import are_languages
are_languages(["anglais"])
codes = [code for code in localedata.locale_identifiers() if len(code) == 2]
print({len(Locale(code).date_formats) for code in codes})
"""
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("{4}\n", "")
