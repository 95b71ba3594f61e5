"""Sounds that no other sound is taken for, to tell who is heard in a recording. I/O.

A voice is a new chord every tenth of a second, drawn from a seed: `lab.listen` recognises any
second of it, and takes no voice for another or for a prompt.
"""

import math
import random
import struct
import wave
from pathlib import Path

RATE = 8000
VOICE_SECONDS = 2
_CHORD = RATE // 10


def write_voice(file: Path, seed: str) -> None:
    """An 8 kHz mono WAV of that voice, to be played again and again."""
    draw = random.Random(seed)
    samples: list[int] = []
    for _ in range(VOICE_SECONDS * RATE // _CHORD):
        tones = [draw.uniform(300, 3000) for _ in range(3)]
        samples += [_chord(tones, place) for place in range(_CHORD)]
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as out:
        out.setparams((1, 2, RATE, 0, "NONE", ""))
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def _chord(tones: list[float], place: int) -> int:
    return round(sum(2500 * math.sin(math.tau * tone * place / RATE) for tone in tones))
