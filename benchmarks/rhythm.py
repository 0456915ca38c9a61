"""How well beats are found, and how fast, side by side with librosa's beat tracker.

    python benchmarks/rhythm.py [--bpm BPM] [SONG ...]

Without songs: the synthetic songs of the tests, whose beats are known. With songs: your own; --bpm says their one true
tempo if you know it, with the first beat at 0 s and bars of four. F is mir_eval's F-measure: beats within 70 ms of true
ones (of beatless music, 1 for none). Seconds are of processor time, decoding not counted. Where music can be counted at
half the tempo as well (reggae at 74 or 148 BPM), the other reading has an F of 0.67.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import librosa
import mir_eval
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from aimv_engine.arrays import F64
from aimv_engine.song.audio import Song, decode
from aimv_engine.song.onsets import RATE
from aimv_engine.song.rhythm import analyse_rhythm
from tests import band


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("songs", nargs="*", type=Path)
    parser.add_argument("--bpm", type=float)
    options = parser.parse_args()
    warm_up = Song(Path("warm-up"), band.rock(count=40).samples, RATE, "")
    analyse_rhythm(warm_up), librosa_beats(warm_up)  # both compile or plan something at first use

    print(f"{'song':24} {'length':>6}   {'AIMV':^32}   {'librosa':^13}")
    print(f"{'':24} {'s':>6}   {'F beats':>7} {'F bars':>6} {'BPM':>6} {'sure':>4} {'s':>5}   {'F beats':>7} {'s':>5}")
    scores = []
    for name, song, beats, downbeats in songs(options.songs, options.bpm):
        song.at(RATE)
        rhythm, seconds = timed(lambda song=song: analyse_rhythm(song))
        peer, peer_seconds = timed(lambda song=song: librosa_beats(song))
        score = f_measure(beats, rhythm.beats), f_measure(downbeats, rhythm.downbeats), f_measure(beats, peer)
        scores.append(score)
        print(
            f"{name[:24]:24} {song.duration:6.0f}   {score[0]:7.3f} {score[1]:6.2f} {rhythm.tempo:6.1f}"
            f" {rhythm.confidence:4.2f} {seconds:5.2f}   {score[2]:7.3f} {peer_seconds:5.2f}",
            flush=True,
        )
    ours, bars, theirs = np.mean(scores, axis=0)
    print(f"{'mean':24} {'':6}   {ours:7.3f} {bars:6.2f} {'':17}   {theirs:7.3f}")


def songs(paths: list[Path], bpm: float | None) -> Iterator[tuple[str, Song, F64 | None, F64 | None]]:
    """Name, song, true beats and true downbeats (None where nobody knows them)."""
    for path in paths:
        song = decode(path)
        beats = np.arange(0, song.duration, 60 / bpm) if bpm else None
        yield path.stem, song, beats, None if beats is None else beats[::4]
    if not paths:
        for name, play in band.SONGS.items():
            piece = play()
            yield name, Song(Path(name), piece.samples, band.RATE, ""), piece.beats, piece.downbeats


def librosa_beats(song: Song) -> F64:
    return np.asarray(librosa.beat.beat_track(y=song.at(RATE), sr=RATE, units="time")[1])


def f_measure(truth: F64 | None, found: F64) -> float:
    if truth is None:
        return float("nan")
    if len(truth) == 0 or len(found) == 0:
        return float(len(truth) == len(found))
    return float(mir_eval.beat.f_measure(truth, found))


def timed(work: Callable[[], object]) -> tuple[object, float]:
    began = time.process_time()
    return work(), time.process_time() - began


if __name__ == "__main__":
    main()
