"""Decoding: every format, the truth about its sound, and a clear word about files that are none."""

import hashlib
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import soxr

from aimv_engine.arrays import F32
from aimv_engine.errors import AimvError
from aimv_engine.song.audio import decode
from tests.songs import song_of, tone, write_wav

AUDIO = ["flac", "mp3", "ogg", "opus", "m4a", "aiff", "aac"]
VIDEO = ["mp4", "mkv", "webm", "mov"]


def ffmpeg(*arguments: str | Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True)


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `song.wav`, eight seconds of noise over a tone in stereo at 44.1 kHz, and the same in each format.

    The videos have a picture for twelve seconds: longer than their sound.
    """
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    left = tone(440.0, 8.0, level=0.4) + 0.02 * rng.standard_normal(8 * 44100).astype(np.float32)
    write_wav(folder / "song.wav", np.column_stack([left, left]))
    song, picture = folder / "song.wav", ["-f", "lavfi", "-i", "testsrc=s=64x64:r=5:d=12"]
    for suffix in AUDIO:
        ffmpeg("-i", song, folder / f"song.{suffix}")
    for suffix in VIDEO:
        ffmpeg(*picture, "-i", song, "-map", "0", "-map", "1", "-deadline", "realtime", folder / f"video.{suffix}")
    ffmpeg(*picture, "-i", song, "-movflags", "+faststart", folder / "streamed.mp4")
    ffmpeg(*picture, folder / "mute.mp4")
    ffmpeg(*picture, "-frames:v", "1", folder / "picture.png")
    ffmpeg("-i", song, "-i", folder / "picture.png", "-map", "0", "-map", "1", "-c:v", "mjpeg", "-disposition:v",
           "attached_pic", folder / "cover.mp3")  # fmt: skip
    ffmpeg("-i", song, "-write_xing", "0", "-q:a", "4", folder / "headless.mp3")
    return folder


def level(samples: F32) -> float:
    return float(np.sqrt(np.mean(samples[len(samples) // 4 : -len(samples) // 4] ** 2)))


@pytest.mark.parametrize("name", [f"song.{suffix}" for suffix in ["wav", *AUDIO]] + ["cover.mp3", "headless.mp3"])
def test_every_audio_format_gives_the_same_song(sounds: Path, name: str) -> None:
    song, original = decode(sounds / name), decode(sounds / "song.wav")
    assert song.samples.dtype == np.float32
    assert song.rate == (48000 if name.endswith("opus") else 44100)
    assert song.duration == pytest.approx(8.0, abs=0.06)
    assert level(song.samples) == pytest.approx(level(original.samples), rel=0.06)  # lame plays 5 % softer


@pytest.mark.parametrize("name", [*(f"video.{suffix}" for suffix in VIDEO), "streamed.mp4"])
def test_the_sound_of_a_video_may_end_before_its_pictures(sounds: Path, name: str) -> None:
    song = decode(sounds / name)
    assert song.duration == pytest.approx(8.0, abs=0.06)
    assert not song.silent


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_lossless_sound_comes_through_to_the_bit(sounds: Path, suffix: str) -> None:
    with (sounds / "song.wav").open("rb") as file:
        words = np.frombuffer(file.read()[44:], "<i2")
    np.testing.assert_array_equal(decode(sounds / f"song.{suffix}").samples, (words[::2] / 32768).astype(np.float32))


def test_the_hash_is_of_the_files_bytes(sounds: Path) -> None:
    song = decode(sounds / "song.mp3")
    assert song.sha256 == hashlib.sha256((sounds / "song.mp3").read_bytes()).hexdigest()


def test_channels_are_averaged(tmp_path: Path) -> None:
    left, right = tone(300.0, 5.0, level=0.8), tone(500.0, 5.0, level=0.4)
    write_wav(tmp_path / "stereo.wav", np.column_stack([left, right]))
    np.testing.assert_allclose(decode(tmp_path / "stereo.wav").samples, (left + right) / 2, atol=1e-4)
    write_wav(tmp_path / "mono.wav", left)
    np.testing.assert_allclose(decode(tmp_path / "mono.wav").samples, left, atol=1e-4)


def test_six_channels_do_not_clip(tmp_path: Path) -> None:
    write_wav(tmp_path / "surround.wav", np.column_stack([tone(440.0, 5.0, level=0.9)] * 6))
    assert 0.5 < np.abs(decode(tmp_path / "surround.wav").samples).max() <= 0.95


@pytest.mark.parametrize(("rate", "heard"), [(8000, 8000), (22050, 22050), (96000, 48000), (192000, 48000)])
def test_the_rate_is_the_streams_up_to_48_khz(tmp_path: Path, rate: int, heard: int) -> None:
    write_wav(tmp_path / "tone.wav", tone(440.0, 5.0, rate), rate)
    song = decode(tmp_path / "tone.wav")
    assert song.rate == heard
    assert song.duration == pytest.approx(5.0, abs=0.001)
    assert level(song.samples) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


def test_numbers_that_are_none_become_silence(tmp_path: Path) -> None:
    write_wav(tmp_path / "tone.wav", tone(440.0, 5.0))
    ffmpeg("-i", tmp_path / "tone.wav", "-c:a", "pcm_f32le", tmp_path / "float.wav")
    content = bytearray((tmp_path / "float.wav").read_bytes())
    content[-400:-392] = np.array([np.nan, np.inf], "<f4").tobytes()
    (tmp_path / "float.wav").write_bytes(content)
    assert np.isfinite(decode(tmp_path / "float.wav").samples).all()


def test_silence_is_a_song(tmp_path: Path) -> None:
    write_wav(tmp_path / "silence.wav", np.zeros(6 * 44100, np.float32))
    assert decode(tmp_path / "silence.wav").silent
    assert song_of(tone(440.0, 6.0, level=0.0009), 44100).silent
    assert not song_of(tone(440.0, 6.0, level=0.0011), 44100).silent


def test_resampling_is_done_once_a_rate() -> None:
    song = song_of(tone(440.0, 5.0), 44100)
    assert song.at(44100) is song.samples
    assert song.at(16000) is song.at(16000)
    assert len(song.at(16000)) == 5 * 16000
    np.testing.assert_array_equal(song.at(22050), soxr.resample(song.samples, 44100, 22050, "HQ"))
    inner = slice(1000, -1000)  # a filter rings at the ends
    np.testing.assert_allclose(song.at(16000)[inner], tone(440.0, 5.0, 16000)[inner], atol=1e-4)


def test_names_may_hold_anything(sounds: Path, tmp_path: Path) -> None:
    for name in ("-i song.wav", "наша пісня %d.wav", "a:b|c?.wav"):
        odd = tmp_path / name
        odd.write_bytes((sounds / "song.wav").read_bytes())
        assert decode(odd).duration == pytest.approx(8.0)


# Files that are no song


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("empty.mp3", b"", "is empty"),
        ("words.mp3", b"These are words and no music.\n" * 50, "not an audio or video file"),
        ("noise.ogg", np.random.default_rng(0).bytes(50_000), "not an audio or video file"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/song.ts\n", "not an audio or video file"),
    ],
)
def test_what_is_no_audio_is_said(tmp_path: Path, name: str, content: bytes, complaint: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(AimvError, match=complaint):
        decode(tmp_path / name)


def test_a_missing_file_and_a_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(AimvError, match="there is no file"):
        decode(tmp_path / "song.mp3")
    with pytest.raises(AimvError, match="is a folder"):
        decode(tmp_path)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "loop.wav").symlink_to(tmp_path / "loop.wav")
    with pytest.raises(AimvError, match="cannot be read"):
        decode(tmp_path / "loop.wav")
    with pytest.raises(AimvError, match="cannot be read"):
        decode(tmp_path / f"{'long ' * 100}.wav")


@pytest.mark.parametrize("name", ["picture.png", "mute.mp4"])
def test_pictures_without_sound_are_said(sounds: Path, name: str) -> None:
    with pytest.raises(AimvError, match="has no sound"):
        decode(sounds / name)


def test_a_short_song_is_said(tmp_path: Path) -> None:
    write_wav(tmp_path / "short.wav", tone(440.0, 4.9))
    with pytest.raises(AimvError, match=r"only 4\.9 s long"):
        decode(tmp_path / "short.wav")


@pytest.mark.parametrize(
    "name", ["song.wav", "song.aiff", "song.flac", "song.mp3", "cover.mp3", "song.m4a", "video.mkv", "streamed.mp4"]
)
def test_a_song_that_breaks_off_is_said(sounds: Path, tmp_path: Path, name: str) -> None:
    content = (sounds / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) * 7 // 10])
    with pytest.raises(AimvError, match="breaks off"):
        decode(tmp_path / name)


def test_a_song_with_a_scratch_plays(sounds: Path, tmp_path: Path) -> None:
    for name in ("song.mp3", "song.ogg"):
        content = bytearray((sounds / name).read_bytes())
        middle = len(content) // 2
        content[middle : middle + 200] = bytes(200)
        (tmp_path / name).write_bytes(content)
        assert decode(tmp_path / name).duration == pytest.approx(8.0, abs=1.2)


def test_a_wav_of_unknown_length_plays(sounds: Path, tmp_path: Path) -> None:
    """What a program writes that cannot go back to fill in the header."""
    content = bytearray((sounds / "song.wav").read_bytes())
    content[4:8] = content[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "piped.wav").write_bytes(content)
    assert decode(tmp_path / "piped.wav").duration == pytest.approx(8.0, abs=0.01)
