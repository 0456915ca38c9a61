"""What cases about editing share: a short song, an engine that pretends, and waiting for things to happen."""

import sys
import time
import wave
from pathlib import Path

import bpy
import numpy as np

RATE = 22050
PRETEND = Path(__file__).with_name("pretend_engine.py")
LONG_ENOUGH = 20.0  # seconds after which something that should happen does not any more


def write_song(path, seconds=8.0):
    """A soft chord and then a drum with a distorted fifth: two parts that sound different."""
    time = np.arange(int(seconds / 2 * RATE)) / RATE
    chord = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220.0, 277.18, 329.63)) / 12
    drum = 0.3 * np.random.default_rng(0).standard_normal(len(time)) * np.exp(-20 * (time % 0.5))
    fifth = 0.4 * np.tanh(8 * (np.sin(2 * np.pi * 110 * time) + np.sin(2 * np.pi * 165 * time)))
    samples = np.concatenate([chord, drum + fifth])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def use_pretended_engine():
    """From now on the add-on talks to an engine that answers at once (and does what files in the project say)."""
    from aimv.blender_addon import jobs, preferences

    jobs.stop_engine()
    preferences.engine_command = lambda: [sys.executable, str(PRETEND)]


def small_scene(width=96, height=64, fps=12):
    """The scene of a new file, for pictures that are made in no time."""
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.render.resolution_percentage = 100
    scene.render.fps, scene.render.fps_base = fps, 1.0
    return scene


def until(happened):
    """Does what Blender's clock does, until something is true."""
    from aimv.blender_addon import jobs

    end = time.monotonic() + LONG_ENOUGH
    while not happened():
        assert time.monotonic() < end, "this did not happen"
        if not jobs.pump():
            time.sleep(0.01)


def refusal(call):
    """The line with which something is refused, by an operator or by a function."""
    from aimv.blender_addon.errors import AddonError

    try:
        call()
    except (RuntimeError, AddonError) as error:
        return str(error)
    raise AssertionError("it was not refused")


def allow(project, steps):
    """Lets the pretended engine take so many steps of each request; None for as many as there are."""
    path = project / "allowed"
    if steps is None:
        path.unlink(missing_ok=True)
    else:
        part = path.with_suffix(".part")
        part.write_text(str(steps))
        part.replace(path)


def set_manner(project, manner):
    """How the pretended engine goes wrong at its next step; empty for not at all."""
    (project / "manner").write_text(manner)


def scene_markers(scene):
    from aimv.blender_addon import segments

    return segments.markers(scene)


def states(scene):
    """What the list of scenes shows."""
    from aimv.blender_addon import jobs

    return [jobs.state_of(scene, marker)[0] for marker in scene_markers(scene)]


def files(scene, index):
    """The files of the pictures of a scene, as its image strip has them."""
    from aimv.blender_addon import strips

    (strip,) = strips.of(scene, scene_markers(scene)[index].aimv.uid)
    return [element.filename for element in strip.elements]
