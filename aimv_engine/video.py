"""Writes the mp4 where no Blender is at hand: the same cut, cross-fades and beat effects, through ffmpeg."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from imageio_ffmpeg import get_ffmpeg_exe

from aimv_engine.arrays import Picture
from aimv_engine.edit import frame_rate
from aimv_engine.errors import AimvError
from aimv_engine.frames.effects import Effects
from aimv_engine.progress import Progress
from aimv_engine.store import load_picture


def write_video(edit: dict[str, Any], folder: Path, progress: Progress) -> None:
    """Writes edit["output"], whole or not at all. `folder` is the one that the edit's paths are relative to."""
    output, count, fps = Path(edit["output"]), edit["frame_count"], frame_rate(edit)
    width, height = edit["size"]
    part = output.with_name(f".{output.name}.part")
    command = [get_ffmpeg_exe(), "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
    command += ["-r", f"{fps.numerator}/{fps.denominator}", "-i", "-"]
    command += ["-ss", str(edit["song_start"]), "-t", f"{float(count / fps):.6f}", "-i", str(folder / edit["song"])]
    command += ["-map", "0:v", "-map", "1:a:0", "-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p"]
    command += ["-vf", "scale=out_color_matrix=bt709:out_range=tv", "-colorspace", "bt709"]
    command += ["-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    command += ["-c:a", "aac", "-b:a", "192k", "-fflags", "+bitexact"]
    command += ["-movflags", "+faststart", "-f", "mp4", str(part)]
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=complaints) as process:
            assert process.stdin is not None
            try:
                for frame, picture in enumerate(finished_frames(edit, folder)):
                    process.stdin.write(picture.tobytes())
                    progress("video", frame + 1, count)
                process.stdin.close()
            except BrokenPipeError:
                pass  # ffmpeg's own words, read below, say why
            except BaseException:
                process.kill()
                process.wait()
                part.unlink(missing_ok=True)
                raise
        if process.returncode != 0:
            part.unlink(missing_ok=True)
            complaints.seek(0)
            lines = complaints.read().decode(errors="replace").strip().splitlines() or ["no reason given"]
            raise AimvError(f"{output} could not be written: {lines[-1]}")
    part.replace(output)


def finished_frames(edit: dict[str, Any], folder: Path) -> Iterator[Picture]:
    """The film frame by frame, with cross-fades where strips overlap and the beat effects on top."""
    keys = edit["effects"]
    effects = Effects(tuple(keys["frames"]), tuple(keys["scale"]), tuple(keys["brightness"]))
    scales, brightness = effects.sampled(edit["frame_count"])
    scenes = edit["scenes"]
    for frame in range(edit["frame_count"]):
        showing = [
            scene for scene in scenes if 0 <= frame - scene["strip_first_frame"] < len(scene["frames"])
        ]  # one, or two in a cross-fade
        picture = _read(folder, showing[0], frame)
        if len(showing) > 1:
            begin = showing[1]["strip_first_frame"]
            length = showing[0]["strip_first_frame"] + len(showing[0]["frames"]) - begin
            share = (frame - begin) / length  # as Blender's CROSS: the first frame is all of the leaving picture
            picture = np.asarray(
                cv2.addWeighted(picture, 1.0 - share, _read(folder, showing[1], frame), share, 0.0), dtype=np.uint8
            )
        yield apply_effects(picture, scales[frame], brightness[frame])


def apply_effects(picture: Picture, scale: float, brightness: float) -> Picture:
    """The picture scaled about its centre and multiplied, as Blender's adjustment strip does it."""
    if scale != 1.0:
        height, width = picture.shape[:2]
        x, y = (width - 1) / 2, (height - 1) / 2  # pixels have their middle at whole numbers
        matrix = np.array([[scale, 0, x * (1 - scale)], [0, scale, y * (1 - scale)]])
        picture = np.asarray(cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_LINEAR), dtype=np.uint8)
    if brightness != 1.0:
        picture = np.asarray(cv2.convertScaleAbs(picture, alpha=brightness), dtype=np.uint8)
    return picture


def _read(folder: Path, scene: dict[str, Any], frame: int) -> Picture:
    return load_picture(folder / scene["frames"][frame - scene["strip_first_frame"]])
