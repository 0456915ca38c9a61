"""A song for a machine without one: five clearly different sections, synthesised with numpy, and the truth about it."""

import wave
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.random import Generator

from aimv_engine.arrays import F64

RATE = 44100  # Hz
TEMPO = 120.0  # beats a minute
BEAT = 60.0 / TEMPO  # seconds
BAR = 4 * BEAT
KEY = "A minor"

# Chords as MIDI notes from the bass upwards, voiced so that the upper three move as little as they can
A_MINOR, F_MAJOR, D_MINOR, E_MAJOR = (45, 57, 60, 64), (41, 57, 60, 65), (38, 57, 62, 65), (40, 56, 59, 64)
Chord = tuple[int, int, int, int]

FORM: tuple[tuple[str, tuple[Chord, ...]], ...] = (
    ("intro", (A_MINOR, F_MAJOR, D_MINOR, E_MAJOR)),
    ("verse", (A_MINOR, D_MINOR, A_MINOR, E_MAJOR)),
    ("chorus", (A_MINOR, F_MAJOR, D_MINOR, E_MAJOR)),
    ("breakdown", (F_MAJOR, D_MINOR, A_MINOR, E_MAJOR)),
    ("chorus", (A_MINOR, F_MAJOR, D_MINOR, E_MAJOR)),
)


@dataclass(frozen=True)
class Section:
    """A part of the demo song; the two parts called "chorus" sound the same."""

    start: float  # seconds, on a downbeat
    end: float
    label: str


@dataclass(frozen=True)
class DemoSong:
    """What is true of the demo song, for those who measure how well it is heard."""

    duration: float  # seconds
    tempo: float  # beats a minute
    beats: F64  # [B] seconds, the intro's and the breakdown's too, though no drum plays there
    downbeats: F64  # [D] seconds, every fourth beat
    sections: tuple[Section, ...]  # they cover 0 to duration
    key: str


def truth(seconds: float = 40.0) -> DemoSong:
    """The beats, sections and key of the song that `compose` writes for that length."""
    bars = [round(part * seconds / BAR / len(FORM)) for part in range(len(FORM))]
    borders = [*(bar * BAR for bar in bars), seconds]
    sections = tuple(
        Section(start, end, label)
        for (label, _chords), start, end in zip(FORM, borders, borders[1:], strict=False)
        if start < end
    )
    beats = np.arange(0.0, seconds, BEAT)
    return DemoSong(seconds, TEMPO, beats, beats[::4], sections, KEY)


def compose(path: Path, seconds: float = 40.0, seed: int = 0) -> None:
    """Write the demo song as a wav file (16 bit stereo). The seed chooses the melody and the grain of the drums."""
    rng = np.random.default_rng(seed)
    melody = _write_melody(rng)
    drums = _Drums(rng)
    mix = _Mix(seconds)
    chords_of = dict(FORM)
    for section in truth(seconds).sections:
        play, chords = PLAYERS[section.label], chords_of[section.label]
        for bar in range(ceil((section.end - section.start) / BAR - 1e-9)):
            play(mix, drums, melody[bar % len(melody)], chords[bar % len(chords)], section.start + bar * BAR)
    stereo = np.round(_master(mix, rng) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(stereo.T.tobytes())


# Instruments: each returns samples [N] at about full scale


def _spectrum(*amplitudes: float) -> F64:
    """One period of a wave with these amplitudes of the first, second, ... partial."""
    coefficients = np.zeros(1025, complex)
    coefficients[1 : len(amplitudes) + 1] = np.array(amplitudes) * -1j
    period: F64 = np.fft.irfft(coefficients)
    return np.asarray(period / np.abs(period).max())


SINE = _spectrum(1.0)
SOFT = _spectrum(1.0, 0.35, 0.18, 0.08, 0.04)
SAW = _spectrum(*(1.0 / partial for partial in range(1, 25)))


def _tone(period: F64, note: float, seconds: float, vibrato: float = 0.0) -> F64:
    """A steady tone; vibrato is its depth in semitones, and comes in after a quarter second."""
    time = np.arange(int(seconds * RATE)) / RATE
    bend = vibrato * np.clip(4 * time - 1, 0, 1) * np.sin(2 * np.pi * 5.5 * time)
    phase = np.cumsum(440.0 * 2 ** ((note - 69 + bend) / 12)) / RATE
    return period[(phase * len(period)).astype(np.int64) % len(period)]


def _swell(seconds: float, attack: float, release: float) -> F64:
    """An envelope that rises and falls in cosines and stays at 1 between."""
    time = np.arange(int(seconds * RATE)) / RATE
    rise = np.clip(time / attack, 0, 1)
    fall = np.clip((seconds - time) / release, 0, 1)
    return (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))


def _decay(seconds: float, half_life: float) -> F64:
    """An envelope that starts at once (over 2 ms, without a click) and halves again and again."""
    time = np.arange(int(seconds * RATE)) / RATE
    return np.minimum(time / 0.002, 1) * 0.5 ** (time / half_life) * np.clip((seconds - time) / 0.02, 0, 1)


def _pad(note: float, seconds: float) -> F64:
    chorus = sum(_tone(SOFT, note + detune, seconds) for detune in (-0.07, 0.0, 0.08))
    return np.asarray(chorus / 3 * _swell(seconds, 0.6, 0.8))


def _bell(note: float, seconds: float) -> F64:
    strike = _tone(SINE, note + 24, seconds) * _decay(seconds, 0.12)
    return _tone(SINE, note, seconds) * _decay(seconds, 0.35) + 0.3 * strike


def _piano(note: float, seconds: float) -> F64:
    """A struck string: the higher the partial, the sooner it is gone, and a little sharp of the harmonic."""
    sound = np.zeros(int(seconds * RATE))
    for partial in range(1, 9):
        sharp = 12 * np.log2(partial) + 0.003 * partial**2
        sound += _tone(SINE, note + sharp, seconds) * _decay(seconds, 0.6 / partial) / partial**1.3
    return sound / 2


def _bass(note: float, seconds: float) -> F64:
    pluck = 1.5 * _tone(SAW, note, seconds) * _decay(seconds, 0.15)
    return np.tanh(pluck + _tone(SINE, note, seconds)) * _swell(seconds, 0.004, 0.05)


def _guitar(note: float, seconds: float, detune: float) -> F64:
    """A distorted power chord: root, fifth and octave into a valve."""
    strings = sum(_tone(SAW, note + interval + detune, seconds) for interval in (0, 7.02, 12))
    driven = np.tanh(3.0 * np.asarray(strings))
    speaker = np.convolve(driven, np.hanning(9) / 4, "same")  # a cabinet lets little through above 8 kHz
    return speaker * _swell(seconds, 0.004, 0.04) * (0.6 + 0.4 * _decay(seconds, 0.1))


def _lead(note: float, seconds: float) -> F64:
    pair = _tone(SAW, note, seconds, vibrato=0.25) + _tone(SAW, note + 0.1, seconds, vibrato=0.25)
    return pair / 2 * _swell(seconds, 0.01, 0.06)


class _Drums:
    """One sound a drum, made once: what repeats in the song is the same to the last bit."""

    def __init__(self, rng: Generator) -> None:
        time = np.arange(int(0.35 * RATE)) / RATE
        fall = 48 * time + 110 * 0.035 * (1 - np.exp(-time / 0.035))  # the pitch falls from 158 to 48 Hz
        self.kick = np.sin(2 * np.pi * fall) * _decay(0.35, 0.07)
        noise = rng.standard_normal(2 * RATE)
        bright = np.diff(noise, 2, append=[0.0, 0.0]) / 3  # a steep high-pass
        body = _tone(SINE, 55, 0.25) * _decay(0.25, 0.03)
        self.snare = 0.5 * body + 0.7 * np.diff(noise[: len(body) + 1]) * _decay(0.25, 0.05)
        self.hat = 0.8 * bright[: int(0.06 * RATE)] * _decay(0.06, 0.015)
        self.crash = 0.8 * bright[: int(1.8 * RATE)] * _decay(1.8, 0.3)


# The mixing desk


class _Mix:
    """Stereo samples [2, N], dry and wet: the wet ones go through the reverb."""

    def __init__(self, seconds: float) -> None:
        self.dry = np.zeros((2, int(seconds * RATE)))
        self.wet = np.zeros_like(self.dry)

    def add(self, start: float, sound: F64, level: float, pan: float = 0.0, room: float = 0.2) -> None:
        """Lay a sound at `start` seconds. Pan goes from -1 (left) to 1; room is how much of it the reverb hears."""
        first = round(start * RATE)
        sound = sound[: max(0, self.dry.shape[1] - first)]
        angle = (pan + 1) * np.pi / 4
        both = level * np.outer((np.cos(angle), np.sin(angle)), sound)
        self.dry[:, first : first + len(sound)] += both
        self.wet[:, first : first + len(sound)] += room * both


def _master(mix: _Mix, rng: Generator) -> F64:
    """Dry and reverberated sound together, gently limited, faded out over the last tenth of a second."""
    length = mix.dry.shape[1]
    room = rng.standard_normal((2, int(1.6 * RATE))) * 0.5 ** (np.arange(int(1.6 * RATE)) / RATE / 0.25)
    room /= np.sqrt((room**2).sum(axis=1, keepdims=True))
    size = 2 ** int(np.ceil(np.log2(length + room.shape[1])))
    reverberated = np.fft.irfft(np.fft.rfft(mix.wet, size) * np.fft.rfft(room, size), size)[:, :length]
    fade = np.clip((length - np.arange(length)) / (0.1 * RATE), 0, 1)
    return 0.95 * np.tanh(mix.dry + reverberated) * fade


# What is played: the melody, and one bar of each section

Melody = list[tuple[float, float, int]]  # (beat in the bar, length in beats, steps in the scale above A)
SCALE = (0, 3, 5, 7, 10)  # A minor pentatonic
Player = Callable[[_Mix, _Drums, Melody, Chord, float], None]


def _write_melody(rng: Generator) -> list[Melody]:
    """Four bars in two phrases, question and answer: the same rhythms, other ends. A walk in small steps."""
    rhythms = (((0.0, 1.5), (1.5, 0.5), (2.0, 2.0)), ((0.0, 1.0), (1.0, 1.0), (2.0, 0.5), (2.5, 1.5)))
    first, second = rng.permutation(2)
    bars: list[Melody] = []
    step = int(rng.integers(3, 6))
    for bar in range(4):
        line: Melody = []
        for beat, length in rhythms[(first, second)[bar % 2]]:
            step = int(np.clip(step + rng.integers(-2, 3), 0, 8))
            line.append((beat, length, step))
        bars.append(line)
    beat, length, _step = bars[-1][-1]
    bars[-1][-1] = (beat, length, 5)  # home to the octave
    return bars


def _pitch(step: int) -> int:
    """The MIDI note of a step of the scale above the A under middle C."""
    return 57 + 12 * (step // len(SCALE)) + SCALE[step % len(SCALE)]


def _play_pad(mix: _Mix, chord: Chord, start: float, level: float) -> None:
    for note, pan in zip((chord[0] + 12, *chord[1:]), (0.0, -0.6, 0.2, 0.6), strict=True):
        mix.add(start, _pad(note, BAR + 0.4), level, pan, room=0.6)


def _intro(mix: _Mix, drums: _Drums, melody: Melody, chord: Chord, start: float) -> None:
    """Calm: a pad, and a bell on every half bar."""
    _play_pad(mix, chord, start, 0.10)
    for half, note in enumerate((chord[3] + 12, chord[2] + 12)):
        mix.add(start + half * 2 * BEAT, _bell(note, 1.5), 0.08, pan=0.4 - 0.8 * half, room=0.8)


def _verse(mix: _Mix, drums: _Drums, melody: Melody, chord: Chord, start: float) -> None:
    """An easy beat: bass on the kick drum, and a plucked figure in quavers over it."""
    for beat in (0.0, 2.0, 2.5):
        mix.add(start + beat * BEAT, drums.kick, 0.5, room=0.02)
        mix.add(start + beat * BEAT, _bass(chord[0] - 12, 0.45), 0.28, room=0.02)
    for beat in (1, 3):
        mix.add(start + beat * BEAT, drums.snare, 0.3)
    for quaver in range(8):
        mix.add(start + quaver * BEAT / 2, drums.hat, 0.10 if quaver % 2 else 0.16, pan=0.3, room=0.05)
        note = chord[(1, 2, 3, 2)[quaver % 4]] + 12
        mix.add(start + quaver * BEAT / 2, _bell(note, 0.6), 0.09, pan=-0.4, room=0.4)


def _chorus(mix: _Mix, drums: _Drums, melody: Melody, chord: Chord, start: float) -> None:
    """Loud: distorted guitars on both sides, driving drums, the melody on top."""
    mix.add(start, drums.crash, 0.3, pan=-0.3)
    for beat in range(4):
        mix.add(start + beat * BEAT, drums.kick, 0.75, room=0.02)
    for beat in (1, 3):
        mix.add(start + beat * BEAT, drums.snare, 0.6, room=0.3)
    for quaver in range(8):
        at = start + quaver * BEAT / 2
        mix.add(at, drums.hat, 0.25, pan=0.3, room=0.05)
        mix.add(at, _bass(chord[0] - 12, 0.24), 0.25, room=0.02)
        for side in (-1, 1):
            mix.add(at, _guitar(chord[0], 0.26, 0.06 * side), 0.26, pan=0.8 * side, room=0.1)
    for beat_of_note, length, step in melody:
        mix.add(start + beat_of_note * BEAT, _lead(_pitch(step) + 12, length * BEAT), 0.3, pan=0.1, room=0.4)


def _breakdown(mix: _Mix, drums: _Drums, melody: Melody, chord: Chord, start: float) -> None:
    """Nearly alone: a piano breaks the chords, far behind it a pad."""
    _play_pad(mix, chord, start, 0.03)
    figure = (chord[0], chord[1], chord[2], chord[3], chord[1] + 12, chord[3], chord[2], chord[1])
    for quaver, note in enumerate(figure):
        mix.add(start + quaver * BEAT / 2, _piano(note, 2.0), 0.16 if quaver % 4 else 0.22, pan=0.1, room=0.4)


PLAYERS: dict[str, Player] = {"intro": _intro, "verse": _verse, "chorus": _chorus, "breakdown": _breakdown}
