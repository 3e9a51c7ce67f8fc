"""What the names of files tell: "{label}_{speaker}_{take}.wav" finds "7", "jackson" and "32"."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

from unrolled.data.feature_file import FEATURES
from unrolled.data.sound_file import SOUNDS
from unrolled.errors import ConfigError

_FIELD = re.compile(r"\{([^{}]*)\}")


class NamePattern:
    """A pattern of file names.

    Args:
        pattern: text with fields in braces. `{label}` is a label of the whole, `{text}` a
            transcript (its `_` are spaces), `{speaker}` who speaks; other names are left alone. A
            pattern with `/` holds for the end of the path, any other for the file's name; without
            the ending of a sound it holds for any.

    Each field takes as little as it can, but at least one character, and no `/`.

    Raises: ConfigError for a pattern without a known field, or with a field twice.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        names = _FIELD.findall(pattern)
        wrong = [name for name in names if not name.isidentifier()]
        twice = [name for name in names if names.count(name) > 1]
        if wrong or twice or not {"label", "text", "speaker"} & set(names):
            told = "has no {label}, {text} or {speaker}"
            if wrong:
                told = f"has a field without a name of letters, {{{wrong[0]}}}"
            elif twice:
                told = f"has {{{twice[0]}}} twice"
            raise ConfigError(
                f"pattern {pattern!r} {told}: give one such as '{{label}}_{{speaker}}_{{take}}.wav'"
            )
        if {"label", "text"} <= set(names):
            raise ConfigError(f"pattern {pattern!r} has {{label}} and {{text}}: give one of them")
        self.names = frozenset(names)
        self._levels = pattern.count("/") + 1
        self._suffixed = PurePath(pattern).suffix.lower() in SOUNDS | FEATURES
        parts = _FIELD.split(pattern)  # literal, name, literal, ...
        self._form = re.compile(
            "".join(
                rf"(?P<{part}>[^/]+?)" if at % 2 else re.escape(part)
                for at, part in enumerate(parts)
            )
        )

    @property
    def labelled(self) -> bool:
        """Whether it finds a label of the whole."""
        return "label" in self.names

    def fields(self, path: Path) -> dict[str, str] | None:
        """What each field stands for in the name of a file; None where it does not fit."""
        path = path if self._suffixed else path.with_suffix("")
        found = self._form.fullmatch("/".join(path.parts[-self._levels :]))
        return None if found is None else found.groupdict()

    def text(self, fields: dict[str, str]) -> str | None:
        """The label or the transcript; None where the pattern has neither."""
        if "label" in fields:
            return fields["label"]
        return fields["text"].replace("_", " ") if "text" in fields else None
