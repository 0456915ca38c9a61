"""Section borders of medleys, beside librosa's.

    python benchmarks/segmentation.py SONG SONG [SONG ...]

Cuts pieces of 8 to 22 seconds out of the songs, joins them without a seam, and looks whether the joints are found:
F-measure within 0.5 and 3 seconds (mir_eval.segment.detection, the song's beginning and end not counted).
librosa.segment.agglomerative, on its beats' chroma and MFCC, is told the number of sections; AIMV is not.
A piece may change within itself: a border found there counts as wrong for both.
"""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import librosa
import mir_eval
import numpy as np

from aimv_engine.arrays import F32, F64
from aimv_engine.song.audio import Song, decode
from aimv_engine.song.rhythm import analyse_rhythm
from aimv_engine.song.sections import describe, find_boundaries
from aimv_engine.song.tonality import analyse_tonality

RATE = 22050  # Hz
WINDOWS = (0.5, 3.0)  # seconds

Finder = Callable[[F32, int], F64]  # samples, number of sections -> borders in seconds, from 0 to the end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs", nargs="+", type=Path, help="songs to cut pieces from, two or more")
    parser.add_argument("--medleys", type=int, default=10)
    options = parser.parse_args()
    songs = [decode(path).at(RATE) for path in options.songs]
    medleys = [make_medley(songs, seed) for seed in range(options.medleys)]
    minutes = sum(len(samples) for samples, _ in medleys) / RATE / 60
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    joints = sum(len(cuts) - 2 for _, cuts in medleys)
    print(f"{len(medleys)} medleys of {len(songs)} songs, {joints} joints, {minutes:.0f} minutes")
    finders: dict[str, Finder] = {"AIMV": find_with_aimv, "librosa, told how many": find_with_librosa}
    for name, find in finders.items():
        find(medleys[0][0], 5)  # what is compiled or loaded at first use is not timed
        started = time.process_time()
        found = [find(samples, len(cuts) - 1) for samples, cuts in medleys]
        seconds = time.process_time() - started
        scores = [
            np.mean([f_measure(cuts, borders, window) for (_, cuts), borders in zip(medleys, found, strict=True)])
            for window in WINDOWS
        ]
        figures = ", ".join(f"F at {window:g} s {score:.2f}" for window, score in zip(WINDOWS, scores, strict=True))
        print(f"{name:22s} {figures}, {seconds / minutes:.2f} s of processor time a minute of music, beats included")


def make_medley(songs: list[F32], seed: int) -> tuple[F32, F64]:
    """The samples, and the joints in seconds with 0 and the end. No song follows itself."""
    random = np.random.default_rng(seed)
    pieces: list[F32] = []
    last = -1
    for _ in range(random.integers(5, 9)):
        last = int(random.choice([number for number in range(len(songs)) if number != last]))
        length = int(random.uniform(8, 22) * RATE)
        start = int(random.integers(0, max(1, len(songs[last]) - length)))
        part = songs[last][start : start + length]
        pieces.append(part / max(float(np.sqrt(np.mean(part**2))), 1e-6) * 0.1)
    return np.concatenate(pieces), np.cumsum([0, *map(len, pieces)]) / RATE


def f_measure(truth: F64, found: F64, window: float) -> float:
    intervals = [np.column_stack([borders[:-1], borders[1:]]) for borders in (truth, found)]
    return float(mir_eval.segment.detection(*intervals, window=window, trim=True)[2])


def find_with_aimv(samples: F32, count: int) -> F64:
    song = Song(Path("medley"), samples, RATE, "")
    return find_boundaries(describe(song, analyse_tonality(song)), analyse_rhythm(song))


def find_with_librosa(samples: F32, count: int) -> F64:
    """As in librosa's own example of structural segmentation."""
    _, beats = librosa.beat.beat_track(y=samples, sr=RATE)
    features = [librosa.feature.chroma_cqt(y=samples, sr=RATE), librosa.feature.mfcc(y=samples, sr=RATE)]
    synchronous = np.vstack([librosa.util.sync(librosa.util.normalize(feature, axis=1), beats) for feature in features])
    first = librosa.segment.agglomerative(synchronous, count)
    times = librosa.frames_to_time(np.concatenate([[0], beats]), sr=RATE)[first]
    return np.append(times, len(samples) / RATE)


if __name__ == "__main__":
    main()
