"""Has Blender build and render the film: runs blender_addon/headless.py in a Blender process and listens to it."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from imageio_ffmpeg import get_ffmpeg_exe

from aimv_engine.edit import frame_rate
from aimv_engine.errors import AimvError
from aimv_engine.progress import Progress
from aimv_engine.project import Project

HEADLESS = Path(__file__).resolve().parent.parent / "blender_addon" / "headless.py"


def build(host: Sequence[str], project: Project, edit: dict[str, Any], progress: Progress) -> None:
    """Writes edit["blend"] and edit["output"] by Blender's own renderer.

    `host` is the command that runs a script in Blender, up to the script's name. Raises AimvError with Blender's own
    last words; all that it printed goes to the project's log.
    """
    command = [*host, str(HEADLESS)]
    command += ["--"] if "--python" in host else []
    command += [str(project.edit_file), "--render"]
    result: dict[str, Any] = {}
    with (
        project.log.open("a", encoding="utf-8") as log,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,  # a pipe could fill and block
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                message = _message(line)
                if message is None:
                    log.write(line)
                elif "stage" in message:
                    progress(message["stage"], message["done"], message["total"])
                else:
                    result = message
        except BaseException:
            _end(process)
            raise
        status = process.wait()
        complaints.seek(0)
        said = complaints.read()
        log.write(said)
    if status != 0:
        lines = said.strip().splitlines() or [f"it ended with status {status}"]
        raise AimvError(f"Blender could not make the film: {lines[-1]} (more in {project.log})")
    if not result.get("sound", False):
        _add_sound(project, edit)


def _end(process: subprocess.Popen[str]) -> None:
    """Ends Blender, with a second's time to remove the film that it is at."""
    process.terminate()
    try:
        process.wait(1)
    except subprocess.TimeoutExpired:
        process.kill()


def _message(line: str) -> dict[str, Any] | None:
    """One of headless.py's JSON lines, or None for whatever else Blender prints."""
    if not line.startswith("{"):
        return None
    try:
        message = json.loads(line)
    except json.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None


def _add_sound(project: Project, edit: dict[str, Any]) -> None:
    """Adds the song to a video from a Blender built without sound (PyPI's 4.2)."""
    output = Path(edit["output"])
    part = output.with_name(f".{output.name}.part")
    seconds = float(edit["frame_count"] / frame_rate(edit))
    command = [get_ffmpeg_exe(), "-y", "-v", "error", "-i", str(output), "-ss", str(edit["song_start"])]
    command += ["-t", f"{seconds:.6f}", "-i", str(project.folder / edit["song"])]
    command += ["-map", "0:v", "-map", "1:a:0", "-c:v", "copy", "-c:a", "aac", "-b:a", "192k", "-f", "mp4", str(part)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if done.returncode != 0:
        part.unlink(missing_ok=True)
        raise AimvError(f"the song could not be added to {output}: {done.stderr.strip()}")
    part.replace(output)
