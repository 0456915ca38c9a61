"""What a person chooses once for all files: above all, what runs. No .blend file has a say in that."""

import os
from pathlib import Path

import bpy
from bpy.props import EnumProperty, StringProperty
from bpy.types import AddonPreferences, Context

from ..aimv_engine import environment
from .engine import Engine
from .errors import AddonError

PACKAGE = __package__.rpartition(".")[0]  # the extension's: it has another name when it is installed


def _make_absolute(self: "AIMV_Preferences", context: Context) -> None:
    """Blender's file browser gives paths relative to the open .blend; the choice is for all files."""
    absolute = bpy.path.abspath(self.engine_python)
    if absolute != self.engine_python:
        self.engine_python = absolute


class AIMV_Preferences(AddonPreferences):
    bl_idname = PACKAGE

    engine_python: StringProperty(
        name="Python",
        description="A Python that has AIMV's engine; empty for the environment that Set Up Engine makes",
        subtype="FILE_PATH",
        update=_make_absolute,
    )
    compute: EnumProperty(
        name="Compute On",
        description="What computes the in-betweens and a language model of your own",
        items=(
            ("auto", "Automatic", "The best that this machine and the engine's build of torch have"),
            ("cuda", "CUDA", "An NVIDIA GPU"),
            ("rocm", "ROCm", "An AMD GPU; needs a build of torch for it"),
            ("mps", "Apple GPU", "The GPU of Apple silicon"),
            ("cpu", "CPU", "The processor alone"),
        ),
    )


def get() -> AIMV_Preferences:
    """The choices of this Blender."""
    return bpy.context.preferences.addons[PACKAGE].preferences


def home() -> Path:
    """The folder of the engine's environment, its caches and logs: the environment variable AIMV_HOME, or where
    Blender keeps what belongs to the extension."""
    if os.environ.get("AIMV_HOME"):
        return environment.default_home()
    try:
        return Path(bpy.utils.extension_path_user(PACKAGE, path="engine", create=True))
    except ValueError:  # a checkout that is no installed extension
        return environment.default_home()


def engine_command() -> list[str]:
    """What starts the engine. Raises AddonError when there is none."""
    chosen = get().engine_python
    python = Path(chosen) if chosen else environment.engine_python(home())
    if python is None:
        raise AddonError("The engine is not set up yet: Preferences > Add-ons > AIMV > Set Up Engine")
    if not python.is_file():
        raise AddonError(f"There is no Python {python}: choose another one in AIMV's preferences")
    return [str(python), "-P", "-m", "aimv_engine.cli", "serve"]


def engine_variables() -> dict[str, str]:
    """The environment variables that the engine runs with."""
    variables = {**environment.clean_variables(home()), "AIMV_COMPUTE": get().compute}
    if get().engine_python:
        variables["PYTHONPATH"] = str(environment.CHECKOUT)  # the Python needs to have what the engine needs, no more
    return variables


def engine_log() -> Path:
    """What the engine says beside the protocol."""
    return home() / "engine.log"


def new_engine() -> Engine:
    """An engine, not started yet. Raises AddonError when there is none to start."""
    return Engine(engine_command(), engine_variables(), home(), engine_log())


def register() -> None:
    bpy.utils.register_class(AIMV_Preferences)


def unregister() -> None:
    bpy.utils.unregister_class(AIMV_Preferences)
