"""A song as samples: what any audio or video file sounds like, decoded once by ffmpeg."""

import hashlib
import re
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import soxr

from aimv_engine.arrays import F32
from aimv_engine.errors import AimvError

SHORTEST = 5.0  # seconds
SILENCE = 1e-3  # -60 dBFS
RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # a stream of another rate gets the nearest


@dataclass(frozen=True, eq=False)
class Song:
    """A decoded song: mono, at the rate of its stream (at most 48 kHz)."""

    path: Path
    samples: F32  # [N], -1 to 1; lossy codecs overshoot a little
    rate: int  # Hz
    sha256: str  # of the file's bytes
    _resampled: dict[int, F32] = field(default_factory=dict, init=False, repr=False)

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.rate

    @property
    def silent(self) -> bool:
        """Whether nothing in it is louder than -60 dBFS."""
        return float(np.abs(self.samples).max(initial=0.0)) <= SILENCE

    def at(self, rate: int) -> F32:
        """The samples at another rate (Hz), resampled once a rate; for reading only."""
        if rate == self.rate:
            return self.samples
        if rate not in self._resampled:
            self._resampled[rate] = soxr.resample(self.samples, self.rate, rate, quality="HQ")
        return self._resampled[rate]


def decode(path: Path) -> Song:
    """The sound of an audio or video file: its first audio stream, all channels mixed to one.

    Raises AimvError for what is not a readable file, holds no sound, breaks off before its end or is under 5 s.
    A file that plays to its end in spite of an error in it is accepted, and so is silence (see Song.silent).
    """
    sha256 = file_hash(path)
    if path.stat().st_size == 0:
        raise AimvError(f"{path} is empty; copy or download the song again")
    au, log = _run_ffmpeg(path)
    if not au:
        raise AimvError(_why_no_sound(path, log))
    rate, samples = _parse_au(au)
    if _breaks_off(path, len(samples) / rate, log):
        raise AimvError(f"{path} breaks off after {len(samples) / rate:.1f} s; copy or download the song again")
    if len(samples) < SHORTEST * rate:
        raise AimvError(f"{path} is only {len(samples) / rate:.1f} s long; a song needs at least {SHORTEST:.0f} s")
    return Song(path, samples, rate, sha256)


def file_hash(path: Path) -> str:
    """The sha256 of a song file's bytes. Raises AimvError when it is not there, a folder, or can't be read."""
    try:
        if path.is_dir():
            raise AimvError(f"{path} is a folder; give the song file itself")
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        raise AimvError(f"there is no file {path}; check the spelling of its name") from None
    except OSError as error:
        raise AimvError(f"{path} cannot be read: {error.strerror}") from None


def _run_ffmpeg(path: Path) -> tuple[bytes, str]:
    """The first audio stream as an AU file, and what ffmpeg said. AU because its header tells the rate on a pipe."""
    mix = "aresample=out_chlayout=mono:rematrix_maxval=1"  # a weighted mean: two equal channels keep their level
    rates = "aformat=sample_rates=" + "|".join(map(str, RATES))
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-nostats", "-v", "info"]
    command += ["-protocol_whitelist", "file", "-i", f"file:{path}"]  # a playlist may not reach for the network
    command += ["-map", "0:a:0", "-af", f"{mix},{rates}", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"]
    # ffmpeg also fails after the last good sample, so not its exit status counts but what came out
    result = subprocess.run(command, capture_output=True, check=False)
    return result.stdout, result.stderr.decode(errors="replace")


def _parse_au(au: bytes) -> tuple[int, F32]:
    """The rate and the samples [N] of a mono AU file of big-endian floats."""
    offset, _size, _encoding, rate = struct.unpack_from(">4I", au, 4)
    samples = np.frombuffer(au[: len(au) // 4 * 4], dtype=">f4", offset=offset).astype(np.float32)
    return rate, np.nan_to_num(samples, copy=False, nan=0.0, posinf=0.0, neginf=0.0)  # a float file may hold anything


def _why_no_sound(path: Path, log: str) -> str:
    if "matches no streams" in log:
        return f"{path} has no sound in it; give a song, or a video with sound"
    if "moov atom not found" in log:
        return f"{path} breaks off before its sound; copy or download the song again"
    return f"{path} is not an audio or video file that can be read; try another format, such as flac or mp3"


def _breaks_off(path: Path, seconds: float, log: str) -> bool:
    """Whether the file ends before the song does: the sound is shorter than the file's header says.

    A cut ogg, or mp3 without a length in its header, is simply a shorter song: nothing in it tells.
    """
    if _riff_breaks_off(path):
        return True
    said = re.search(r"Duration: (\d+):(\d+):(\d+\.\d+)", log)
    if said is None or "Estimating duration" in log:
        return False
    hours, minutes, rest = said.groups()
    declared = int(hours) * 3600 + int(minutes) * 60 + float(rest)
    if seconds >= 0.98 * declared - 1.0:
        return False
    # In a video, sound may well end before the pictures do: only what ffmpeg stumbles over counts
    streams = [line for line in log.splitlines() if line.lstrip().startswith("Stream #")]
    has_pictures = any("Video:" in line and "attached pic" not in line for line in streams)
    return not has_pictures or "partial file" in log or "File ended prematurely" in log


def _riff_breaks_off(path: Path) -> bool:
    """Whether a wav file is shorter than its header says (ffmpeg ignores that header)."""
    with path.open("rb") as stream:
        header = stream.read(8)
    if len(header) < 8 or header[:4] != b"RIFF":
        return False
    size = struct.unpack_from("<I", header, 4)[0]
    unknown = size >= 0x7FFFFF00  # what programs write that stream to a pipe and cannot know
    return not unknown and path.stat().st_size < 0.98 * size
