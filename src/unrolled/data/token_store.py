"""`TokenStore`: the tokens of a corpus in a file that is mapped rather than read."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from unrolled.data.corpus import Corpus
from unrolled.data.tokens.tokenizer import Tokenizer
from unrolled.errors import OutputError
from unrolled.writing import replacing

_VERSION = 2
_TOKENS, _STARTS, _CARD = "tokens.bin", "documents.npy", "tokens.json"
_COUNTS = "counts.npy"


@dataclass(frozen=True, eq=False)
class TokenStore:
    """The tokens of all documents, one after the other.

    Attributes:
        ids: `(N,)` uint16, or uint32 where the vocabulary is larger than 65,536; mapped to a file,
            so that it may be larger than memory. Cast what you take from it before you compute.
        document_starts: `(D,)` int64, ascending: where in `ids` a document begins, which it does
            with the number of `"\\n"`.
        counts: how often each token of the vocabulary occurs, `(V,)` int64. Counted while they were
            written: to go through the mapped file would hold all of it in memory.
        characters: of the text without the line breaks before documents.
    """

    ids: np.ndarray
    document_starts: np.ndarray
    counts: np.ndarray
    characters: int

    def __len__(self) -> int:
        return len(self.ids)

    def begins_document(self, places: np.ndarray) -> np.ndarray:
        """Whether a document begins at each of some places of `ids`, bool of their shape."""
        after = np.searchsorted(self.document_starts, places, side="right")
        return np.asarray(self.document_starts[np.maximum(after, 1) - 1] == places)

    @property
    def unknown(self) -> int:
        """How many tokens are unknown (number 0)."""
        return int(self.counts[0])


def store_tokens(
    corpus: Corpus, tokenizer: Tokenizer, folder: str | PathLike[str] | None = None
) -> TokenStore:
    """Write the tokens of a corpus to a file, in one pass and in bounded memory.

        ids = newline, tokens of document 1, newline, tokens of document 2, ...

    Args:
        corpus: what to read.
        tokenizer: what to read it with.
        folder: where to keep the tokens; tokens of the same text and tokenizer that are there
            already are taken as they are. None: a temporary file, which is gone with the store.

    Raises: DataError as of the corpus, OutputError where the folder can't be written.
    """
    if folder is None:
        return _temporary(corpus, tokenizer)
    folder = Path(folder)
    identity = {
        "version": _VERSION,
        "text": corpus.digest,
        "tokenizer": _digest_of(tokenizer),
        "dtype": _dtype(tokenizer).name,
    }
    kept = _kept(folder, identity)
    if kept is not None:
        return kept
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Until the card is there again, nothing in the folder counts.
        (folder / _CARD).unlink(missing_ok=True)
        with replacing(folder / _TOKENS) as aside, open(aside, "wb") as file:
            starts, counts, told = _write(corpus, tokenizer, file)
        for name, array in ((_STARTS, starts), (_COUNTS, counts)):
            with replacing(folder / name) as aside, open(aside, "wb") as file:
                np.save(file, array, allow_pickle=False)
        with replacing(folder / _CARD) as aside:
            Path(aside).write_text(json.dumps(identity | told), encoding="utf-8")
    except OutputError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(f"{folder}: the tokens can't be kept there ({reason})") from None
    stored = _kept(folder, identity)
    assert stored is not None
    return stored


def _kept(folder: Path, identity: dict[str, Any]) -> TokenStore | None:
    """The store that is in the folder, None where there is none of this text and tokenizer."""
    try:
        card = json.loads((folder / _CARD).read_text(encoding="utf-8"))
        if {name: card[name] for name in identity} != identity:
            return None
        ids = np.memmap(folder / _TOKENS, dtype=card["dtype"], mode="r")
        starts = np.load(folder / _STARTS, allow_pickle=False)
        counts = np.load(folder / _COUNTS, allow_pickle=False)
        whole = len(ids) == card["tokens"] == counts.sum() and len(starts) == card["documents"]
        return TokenStore(ids, starts, counts, card["characters"]) if whole else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _temporary(corpus: Corpus, tokenizer: Tokenizer) -> TokenStore:
    # A file without a name: nothing is left of it however the program ends.
    try:
        with tempfile.TemporaryFile(prefix="unrolled-", suffix=".tokens") as file:
            starts, counts, told = _write(corpus, tokenizer, file)
            file.flush()
            ids = np.memmap(file, dtype=_dtype(tokenizer), mode="r")
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{tempfile.gettempdir()}: the tokens can't be kept there ({reason}); name another"
            " folder with TMPDIR"
        ) from None
    return TokenStore(ids, starts, counts, told["characters"])


def _write(
    corpus: Corpus, tokenizer: Tokenizer, file: Any
) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
    """Where documents begin, how often each token occurs, and what the card says."""
    dtype, newline = _dtype(tokenizer), tokenizer.encode("\n")
    starts: list[int] = []
    counts = np.zeros(len(tokenizer), dtype=np.int64)
    tokens = characters = 0
    for begins, text in corpus.stream():
        ids = tokenizer.encode(text)
        characters += len(text)
        if begins:
            starts.append(tokens)
            ids = np.concatenate([newline, ids])
        tokens += len(ids)
        np.add.at(counts, ids, 1)
        file.write(ids.astype(dtype).data)
    told = {"characters": characters, "tokens": tokens, "documents": len(starts)}
    return np.array(starts, dtype=np.int64), counts, told


def _dtype(tokenizer: Tokenizer) -> np.dtype[Any]:
    return np.dtype(np.uint16 if len(tokenizer) <= 1 << 16 else np.uint32)


def _digest_of(tokenizer: Tokenizer) -> str:
    return hashlib.sha256(json.dumps(tokenizer.to_assets(), sort_keys=True).encode()).hexdigest()
