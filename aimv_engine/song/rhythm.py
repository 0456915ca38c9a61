"""The rhythm of a song: its tempo, beats and bars, or that it has none."""

from dataclasses import dataclass

import numpy as np

from aimv_engine.arrays import F64
from aimv_engine.song.audio import Song
from aimv_engine.song.downbeats import find_bars
from aimv_engine.song.follow import follow_beats, position_of
from aimv_engine.song.grid import coherence, constant_grid
from aimv_engine.song.onsets import RATE, Onsets, onset_envelopes, strongest_near
from aimv_engine.song.tempo import persistence, tempogram

PERSISTENT = 0.45  # least persistence of the pulse of music with a beat
STRUCK = 1.3  # least strength of onsets at the beats, relative to anywhere
MARGIN = 3.0  # standard errors by which a bar phase must win to be shown


@dataclass(frozen=True)
class Rhythm:
    """Times in seconds, ascending. Beatless music has no beats, no downbeats and tempo 0."""

    beats: F64  # [B]
    downbeats: F64  # [D], a part of beats; empty where it cannot be told on which beat bars begin
    tempo: float  # BPM, of the median beat
    meter: int  # beats in a bar
    confidence: float  # 0 to 1
    beatless: bool


BEATLESS = Rhythm(beats=np.zeros(0), downbeats=np.zeros(0), tempo=0.0, meter=4, confidence=0.0, beatless=True)


def analyse_rhythm(song: Song) -> Rhythm:
    """Tempo, beats and downbeats of a song.

    One steady grid of beats if that explains the whole song, so that it runs through breaks and fades; otherwise
    beats that follow the tempo.
    """
    if song.silent:
        return BEATLESS
    samples = song.at(RATE)
    onsets = onset_envelopes(samples)
    gram = tempogram(onsets.total)
    lasting = persistence(gram)
    if lasting < PERSISTENT:
        return BEATLESS
    grid = constant_grid(onsets, gram)
    beats = grid.beats(song.duration) if grid else follow_beats(onsets, gram)
    contrast = _contrast(onsets, beats)
    if contrast < STRUCK:
        return BEATLESS
    bars = find_bars(samples, onsets, beats)
    sure = bars is not None and bars.margin > MARGIN
    return Rhythm(
        beats=beats,
        downbeats=beats[bars.first :: bars.meter] if bars and sure else np.zeros(0),
        tempo=float(60 / np.median(np.diff(beats))),
        meter=bars.meter if bars else 4,
        confidence=_confidence(lasting, contrast, coherence(onsets, position_of(beats, onsets.times))),
        beatless=False,
    )


def _contrast(onsets: Onsets, beats: F64) -> float:
    """How much stronger onsets are at the beats than anywhere; 1 for beats that mean nothing."""
    everywhere = strongest_near(onsets, onsets.total, onsets.times, 2).mean()
    return float(strongest_near(onsets, onsets.total, beats, 2).mean() / (everywhere + 1e-9)) if len(beats) > 2 else 0.0


def _confidence(lasting: float, contrast: float, steady: float) -> float:
    """0 to 1 from the pulse's persistence, the contrast of the beats and the coherence of the onsets with them."""
    clear = np.clip((lasting - 0.3) / 0.4, 0, 1) * np.clip((contrast - 1.2) / 0.8, 0, 1)
    return float(np.sqrt(clear) * (0.5 + 0.5 * steady))
