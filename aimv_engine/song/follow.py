"""Songs whose tempo changes: beats that follow it."""

import numpy as np
from scipy.signal import savgol_filter

from aimv_engine.arrays import F64
from aimv_engine.song import metre
from aimv_engine.song.onsets import FRAME_RATE, Onsets
from aimv_engine.song.tempo import Tempogram, tempo_path

TIGHTNESS = 200.0  # weight of keeping time against hitting onsets
PHRASE = 9  # beats over which a band's tempo is smooth: two bars


def follow_beats(onsets: Onsets, gram: Tempogram) -> F64:
    """The beats [B] (seconds) of a song of changing tempo, at one metrical level throughout."""
    path = _one_octave(tempo_path(gram))
    tempo = np.interp(onsets.times, np.arange(len(path)), path)
    beats = _sequence(onsets, tempo)
    if len(beats) < PHRASE:
        return beats
    middle = float(np.median(path))
    position = position_of(beats, onsets.times)
    _, ratio = max(
        (metre.judge(onsets, position * ratio, middle * ratio).score - cost, ratio)
        for ratio, cost in metre.levels(middle)
    )
    if ratio != 1:
        beats = _sequence(onsets, tempo * ratio)
    if len(beats) < PHRASE:
        return beats
    beats = np.asarray(savgol_filter(beats, PHRASE, 2))
    # the kick may say that these are the half beats
    if 0.25 < metre.judge(onsets, position_of(beats, onsets.times), middle * ratio).offset < 0.75:
        beats = (beats[:-1] + beats[1:]) / 2
    return beats


def position_of(beats: F64, times: F64) -> F64:
    """How many of two or more beats (or bar lines) have passed at each of `times`, all in seconds; 0 at the first.

    Between beats they pass evenly, and beyond the outer ones as fast as between the outer two.
    """
    first, last = beats[1] - beats[0], beats[-1] - beats[-2]
    inside = np.interp(times, beats, np.arange(len(beats)))
    return np.asarray(inside + np.minimum(0, times - beats[0]) / first + np.maximum(0, times - beats[-1]) / last)


def _one_octave(path: F64) -> F64:
    """A tempo path with its jumps by octaves undone."""
    octaves = np.round(np.diff(np.log2(path)))
    return np.asarray(path / 2 ** np.concatenate([[0], np.cumsum(octaves)]))


def _sequence(onsets: Onsets, tempo: F64) -> F64:
    """The sequence of beats (seconds) that meets the most onsets while each lasts about 60 / tempo (BPM, [F]).

    D. Ellis, "Beat tracking by dynamic programming", 2007, with a tempo that may change.
    """
    gain = onsets.total / (onsets.total.std() + 1e-9)
    period = 60 / tempo * FRAME_RATE
    longest = int(2 * period.max()) + 1
    score = np.zeros(longest + len(gain))  # the song begins at frame `longest`; what is before costs nothing
    origin = np.zeros(len(gain), dtype=int)
    for frame, value in enumerate(gain):
        back = np.arange(int(period[frame] / 2), int(2 * period[frame]) + 1)
        arrivals = score[longest + frame - back] - TIGHTNESS * np.log(back / period[frame]) ** 2
        best = int(arrivals.argmax())
        score[longest + frame] = value + arrivals[best]
        origin[frame] = frame - back[best]
    ending = max(0, len(gain) - int(period[-1]))
    beats = [ending + int(score[longest + ending :].argmax())]
    while (before := int(origin[beats[-1]])) >= 0:
        beats.append(before)
    return np.asarray(onsets.times[beats[::-1]])
