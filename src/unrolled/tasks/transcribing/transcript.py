"""`Transcript`: what was heard in a recording, or so far in a stream."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class HeardWord:
    """A word of a transcript.

    Attributes:
        text: the word.
        start, end: when it was said, in seconds from the beginning.
        confidence: how sure the model is of it, 0 to 1.
    """

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was heard.

    Attributes:
        text: the transcript, or the label.
        log_probability: of the text, in nats, as far as the search knows its alignments.
        confidence: of the label its probability; of a transcript that of its least sure word; 0 to
            1. Of nothing heard 1.
        words: of a transcript its words, with times.
        seconds: how much sound was heard.
        alternatives: the next best, best first, where `n_best` asked for more.
        silent: whether no 20 ms of the recording are louder than -60 dB of full scale: what is said
            of it then, a label of the most probable ones, means nothing. False of features and of
            a stream, whose level is not looked at.
    """

    text: str
    log_probability: float
    confidence: float
    words: tuple[HeardWord, ...] = ()
    seconds: float = 0.0
    alternatives: tuple[Transcript, ...] = field(default=(), repr=False)
    silent: bool = False


@dataclass(frozen=True)
class Partial:
    """What a stream has heard so far.

    Attributes:
        text: the transcript of the utterance that goes on, or the label so far.
        words: its words, with seconds from the beginning of the stream.
        stable: how many of the words stay, whatever comes.
        finished: utterances that have ended in this step.
        seconds: how much sound was heard, whole frames.
    """

    text: str
    words: tuple[HeardWord, ...] = ()
    stable: int = 0
    finished: tuple[Transcript, ...] = ()
    seconds: float = 0.0
