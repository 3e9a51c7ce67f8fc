"""What a file of pairs looks like from its beginning, and what only resembles it."""

from __future__ import annotations

import gzip

import pytest

from unrolled.data.pairs_kind import holds_pairs

PAIRS = "".join(f"Sentence {n}.\tSatz {n}.\n" for n in range(30))
LABELLED = "".join(f"Sentence {n}.\t{'good' if n % 2 else 'bad'}\n" for n in range(30))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("deu.txt", PAIRS),
        ("a.tsv", PAIRS.replace("\n", "\r\n") + "\n\n"),
        ("a.tsv.gz", PAIRS),
        ("a.tsv", PAIRS.replace("\n", "\tCC-BY 2.0 (France)\n")),
        ("a.tsv", "de\ten\nJa\tYes\nNein\tNo\nNein\tNo\nNein\tNo\n"),
        ("a.tsv", "".join(f"Sentence {n}.\tSatz {n}.\n" for n in range(4000)) + "the end"),
        ("a.tsv", "a" * 65_500 + "\tb\n" + "a long sentence that is cut before its tab\tb\n"),
        ("a.csv", "de,en\nJa,Yes\n"),
        ("a.csv", '"source","target"\nJa,Yes\n'),
        ("a.jsonl", '{"de": "Ja", "en": "Yes"}\n'),
        ("a.jsonl", '\n{"id": 1, "translation": {"de": "Ja", "en": "Yes"}}\n'),
        ("a.jsonl", '{"id": 1, "de": "Ja", "en": "Yes"}\n{"id": 2, "de": "Nein", "en": "No"}\n'),
        ("a.csv", "id,Deutsch,English\n1,Ja,Yes\n2,Nein,No\n"),
        ("a.csv", 'Deutsch,Englisch\n"Ja, ja",Yes\nNein,No\n'),
        ("a.tsv", "id\tDeutsch\tEnglisch\n1\tJa\tYes\n2\tNein\tNo\n"),
    ],
)
def test_pairs_are_known(tmp_path, name, text):
    raw = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    # the end of a long file is not looked at
    assert holds_pairs(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.tsv", LABELLED),
        ("a.tsv", "text\tlabel\nso good\tyes\n"),
        ("a.tsv", "2024-01-01\t7.5\n2024-01-02\t8\n"),
        ("a.txt", "a text\nof lines\n"),
        ("a.txt", "a text\twith one tab\nof lines\n"),
        ("a.txt", ""),
        ("a.csv", "date,sales\n2024-01-01,3\n"),
        ("a.csv", "text,target\nso good,1\n"),
        ("a.csv", "date,de,en\n2024-01-01,3,4\n"),
        ("a.csv", "date,de,en,fr\n2024-01-01,Ja,Yes,Oui\n"),
        ("a.csv", "id,text,German\n1,so good,yes\n2,so bad,no\n3,so so,no\n4,fine,no\n5,no,no\n"),
        ("a.jsonl", '{"id": 1, "text": "so good", "en": "yes"}\n'),
        ("a.jsonl", '{"text": "so good", "label": "yes"}\n'),
        ("a.jsonl", '["Ja", "Yes"]\n'),
        ("a.jsonl", "{"),
        ("a.gz", "no gzip"),
    ],
)
def test_what_resembles_pairs_is_not_taken_for_them(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert not holds_pairs(tmp_path / name)
    assert not holds_pairs(tmp_path / "none.tsv")
    assert not holds_pairs(tmp_path)
