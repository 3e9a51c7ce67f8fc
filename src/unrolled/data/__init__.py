"""Readers that turn files into batches: series, text, batching, and the catalog of public data.

Names are loaded when they are first asked for, so that `import unrolled.data` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unrolled.lazy import door

if TYPE_CHECKING:
    from unrolled.data import catalog
    from unrolled.data.batch import Batch
    from unrolled.data.batching import BucketedBatches, ContiguousBatches, WindowBatches
    from unrolled.data.calendar import (
        calendar_features,
        calendar_more,
        calendar_more_names,
        calendar_names,
    )
    from unrolled.data.corpus import Corpus
    from unrolled.data.covariates import Covariates, check_covariates
    from unrolled.data.doctor import examine
    from unrolled.data.doctor_checkup import Checkup, DataFinding
    from unrolled.data.elapsed import elapsed_features
    from unrolled.data.frames import same_kind
    from unrolled.data.frequency import Frequency
    from unrolled.data.holiday import check_country, holiday_features, holiday_names
    from unrolled.data.known_ahead import attach_future
    from unrolled.data.labelled import LabelledTexts, read_labelled
    from unrolled.data.mojibake import repair_encoding
    from unrolled.data.notes import Note
    from unrolled.data.pairs import SentencePairs, read_pairs
    from unrolled.data.pairs_doctor import examine_pairs
    from unrolled.data.patients import make_patients
    from unrolled.data.recordings import Recording, Recordings
    from unrolled.data.recordings_doctor import examine_recordings
    from unrolled.data.recordings_reading import read_recordings
    from unrolled.data.series import read_series
    from unrolled.data.series_set import SeriesSet
    from unrolled.data.sound_file import features_of, samples_of
    from unrolled.data.tagged import TaggedSentences, read_tagged
    from unrolled.data.text import read_text
    from unrolled.data.text_doctor import examine_texts
    from unrolled.data.token_store import TokenStore, store_tokens
    from unrolled.data.tokens import (
        Characters,
        Subwords,
        TextStream,
        Tokenizer,
        Words,
        make_tokenizer,
        tokenizer_from_assets,
    )
    from unrolled.data.word_vectors import WordVectors, read_word_vectors

_HOMES = {
    "elapsed_features": "elapsed",
    "examine": "doctor",
    "examine_pairs": "pairs_doctor",
    "examine_recordings": "recordings_doctor",
    "examine_texts": "text_doctor",
    "make_patients": "patients",
    "Batch": "batch",
    "Characters": "tokens",
    "Subwords": "tokens",
    "TextStream": "tokens",
    "Tokenizer": "tokens",
    "Corpus": "corpus",
    "TokenStore": "token_store",
    "store_tokens": "token_store",
    "Words": "tokens",
    "make_tokenizer": "tokens",
    "tokenizer_from_assets": "tokens",
    "BucketedBatches": "batching",
    "ContiguousBatches": "batching",
    "Covariates": "covariates",
    "Checkup": "doctor_checkup",
    "DataFinding": "doctor_checkup",
    "Frequency": "frequency",
    "LabelledTexts": "labelled",
    "Note": "notes",
    "Recording": "recordings",
    "Recordings": "recordings",
    "SentencePairs": "pairs",
    "SeriesSet": "series_set",
    "TaggedSentences": "tagged",
    "WindowBatches": "batching",
    "WordVectors": "word_vectors",
    "attach_future": "known_ahead",
    "calendar_features": "calendar",
    "calendar_more": "calendar",
    "calendar_more_names": "calendar",
    "calendar_names": "calendar",
    "catalog": "",
    "check_country": "holiday",
    "check_covariates": "covariates",
    "features_of": "sound_file",
    "holiday_features": "holiday",
    "holiday_names": "holiday",
    "read_labelled": "labelled",
    "read_pairs": "pairs",
    "read_recordings": "recordings_reading",
    "read_series": "series",
    "read_tagged": "tagged",
    "read_text": "text",
    "read_word_vectors": "word_vectors",
    "repair_encoding": "mojibake",
    "same_kind": "frames",
    "samples_of": "sound_file",
}

__all__ = [
    "Batch",
    "BucketedBatches",
    "Characters",
    "Checkup",
    "ContiguousBatches",
    "Corpus",
    "Covariates",
    "DataFinding",
    "Frequency",
    "LabelledTexts",
    "Note",
    "Recording",
    "Recordings",
    "SentencePairs",
    "SeriesSet",
    "Subwords",
    "TaggedSentences",
    "TextStream",
    "TokenStore",
    "Tokenizer",
    "WindowBatches",
    "WordVectors",
    "Words",
    "attach_future",
    "calendar_features",
    "calendar_more",
    "calendar_more_names",
    "calendar_names",
    "catalog",
    "check_country",
    "check_covariates",
    "elapsed_features",
    "examine",
    "examine_pairs",
    "examine_recordings",
    "examine_texts",
    "features_of",
    "holiday_features",
    "holiday_names",
    "make_patients",
    "make_tokenizer",
    "read_labelled",
    "read_pairs",
    "read_recordings",
    "read_series",
    "read_tagged",
    "read_text",
    "read_word_vectors",
    "repair_encoding",
    "same_kind",
    "samples_of",
    "store_tokens",
    "tokenizer_from_assets",
]

__getattr__, __dir__ = door(__name__, _HOMES)
