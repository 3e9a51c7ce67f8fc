"""The process in which eSpeak NG runs: `espeak.py` starts it by this file's name.

It has the standard library alone, so that it starts in a few hundredths of a second. It reads
requests from standard input, a line of JSON each, and answers each on standard output:

    {"voice": "en-us+f4", "seed": 1, "parameters": [[1, 175], ...], "text": "three seven"}
    4 bytes: the number of samples, or minus eSpeak's code of the error; then 2 bytes a sample,
    both little-endian
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import struct
import sys

# of espeak-ng/speak_lib.h
_SYNCHRONOUS = 2
_NO_EXIT = 0x8000
_UTF8 = 1
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_MOST_SECONDS = 60.0  # of the processor, that a text may take


def serve(library: str, data: str) -> int:
    # What the library prints must not stand among the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    espeak = ctypes.CDLL(library)
    rate = espeak.espeak_Initialize(_SYNCHRONOUS, 0, os.fsencode(data), _NO_EXIT)
    answers.write(struct.pack("<i", rate))
    answers.flush()
    if rate <= 0:
        return 1

    spoken = bytearray()

    def take(wave: int | None, count: int, events: int) -> int:
        if wave and count > 0:
            spoken.extend(ctypes.string_at(wave, 2 * count))
        return 0

    callback = _CALLBACK(take)
    espeak.espeak_SetSynthCallback(callback)
    for line in sys.stdin.buffer:
        spoken.clear()
        # The signal's own action ends the process, in the midst of C code too.
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, _MOST_SECONDS)
        failed = _speak(espeak, json.loads(line))
        answers.write(struct.pack("<i", -abs(failed) if failed else len(spoken) // 2))
        if not failed:
            answers.write(spoken)
        answers.flush()
    return 0


def _speak(espeak: ctypes.CDLL, request: dict) -> int:
    failed = espeak.espeak_SetVoiceByName(request["voice"].encode())
    if failed:
        return int(failed)
    espeak.espeak_ng_SetRandSeed(ctypes.c_long(request["seed"]))
    for parameter, value in request["parameters"]:
        espeak.espeak_SetParameter(parameter, value, 0)
    text = request["text"].encode() + b"\0"
    size = ctypes.c_size_t(len(text))
    return int(espeak.espeak_Synth(text, size, 0, 0, 0, _UTF8, None, None))


if __name__ == "__main__":
    sys.exit(serve(*sys.argv[1:]))
