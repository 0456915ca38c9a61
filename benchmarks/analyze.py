"""How long it takes to hear a song, part by part: the claim "a 3:28 song in 8 s on two cores, after imports".

    .aimv/engine/bin/python benchmarks/analyze.py SONG

Imports, and what libraries load at their first use, are paid beforehand on five seconds of a tone. Two processors'
time is told beside the clock's: on a busy machine the first is what counts.
"""

import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from aimv_engine import segmentation
from aimv_engine.song.audio import Song, decode
from aimv_engine.song.energy import analyse_energy
from aimv_engine.song.rhythm import analyse_rhythm
from aimv_engine.song.tonality import analyse_tonality
from aimv_engine.tagging.taggram import tag

T = TypeVar("T")


def timed(name: str, work: Callable[[], T]) -> T:
    """Does the work and prints what it took."""
    wall, cpu = time.perf_counter(), sum(os.times()[:4])
    result = work()
    print(f"  {name:<12} {time.perf_counter() - wall:6.2f} s   processor {sum(os.times()[:4]) - cpu:6.2f} s")
    return result


def hear(song: Song) -> None:
    """All parts of the analysis, each timed."""
    taggram = timed("tags", lambda: tag(song))
    rhythm = timed("rhythm", lambda: analyse_rhythm(song))
    energy = timed("energy", lambda: analyse_energy(song))
    tonality = timed("tonality", lambda: analyse_tonality(song))
    timed("segments", lambda: segmentation.segment(song, taggram, rhythm, tonality, energy))


def main() -> None:
    """Runs the benchmark and prints its figures."""
    tone = np.sin(np.arange(8 * 44100) * 0.06).astype(np.float32) * (np.arange(8 * 44100) % 22050 < 4000)
    print("first use, not counted:")
    hear(Song(Path("tone"), tone, 44100, ""))
    print(f"machine: {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    begun = time.perf_counter()
    song = timed("decoding", lambda: decode(Path(sys.argv[1])))
    hear(song)
    print(f"{song.duration:.0f} s of song heard in {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
