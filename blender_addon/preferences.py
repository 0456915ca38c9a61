"""What a person chooses once for all files: above all, what runs. No .blend file has a say in that."""

import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import bpy
from bpy.props import EnumProperty, StringProperty
from bpy.types import AddonPreferences, Context, UILayout

from ..aimv_engine import environment
from .engine import Ended, Engine, Ready
from .errors import AddonError
from .layouts import WIDGET, size, width, wrapped
from .setup import SetUp

PACKAGE = __package__.rpartition(".")[0]  # the extension's: it has another name when it is installed
OFFLINE = "Blender is kept offline: Preferences > System > Network > Allow Online Access lets the set-up fetch packages"
FOLLOW = 0.2  # seconds between two redraws while something goes on


def _engine_changed(self: "AIMV_Preferences", context: Context) -> None:
    """The next job gets an engine of the new choice; one that works just now goes on."""
    from . import jobs  # which itself needs this module

    absolute = bpy.path.abspath(self.engine_python)
    if absolute != self.engine_python:  # the file browser gives paths relative to the open .blend, and this is for all
        self.engine_python = absolute
    elif not jobs.unfinished():
        jobs.stop_engine()


class AIMV_Preferences(AddonPreferences):
    bl_idname = PACKAGE

    engine_python: StringProperty(
        name="Existing Python",
        description="A Python that has what AIMV's engine needs; empty for the one that Set Up Engine makes",
        subtype="FILE_PATH",
        update=_engine_changed,
    )
    compute: EnumProperty(
        name="Compute On",
        description="What computes the frames between keyframes, and a language model of your own",
        items=(
            ("auto", "Automatic", "The best that this machine and the engine's build of torch have"),
            ("cuda", "CUDA", "An NVIDIA GPU"),
            ("rocm", "ROCm", "An AMD GPU, which needs another build of torch"),
            ("mps", "Apple GPU", "The GPU of Apple silicon"),
            ("cpu", "CPU", "The processor alone"),
        ),
        update=_engine_changed,
    )
    package_index: StringProperty(
        name="Package Index",
        description=(
            "Where another build of torch lies: the address behind --index-url in the command that torch's own "
            "page Get Started shows. Empty for the usual build. Set up the engine again after a change"
        ),
    )

    def draw(self, context: Context) -> None:
        draw(self, self.layout, context)


def get() -> AIMV_Preferences:
    """The choices of this Blender."""
    return bpy.context.preferences.addons[PACKAGE].preferences


# what runs -----------------------------------------------------------------------------------------------------------


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
    python = Path(chosen) if chosen else _ready_python()
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


def log(which: Literal["engine", "setup"]) -> Path:
    """What the engine says beside the protocol, or what was said when it was set up."""
    return home() / f"{which}.log"


def new_engine() -> Engine:
    """An engine, not started yet. Raises AddonError when there is none to start."""
    return Engine(engine_command(), engine_variables(), home(), log("engine"))


# what goes on --------------------------------------------------------------------------------------------------------


@dataclass
class Trial:
    """A chosen Python, tried out."""

    python: str
    engine: Engine | None
    verdict: Ready | Ended | None = None  # None while nobody knows


@dataclass
class Now:
    """What goes on, and what was found out a moment ago."""

    set_up: SetUp | None = None  # the last one of this session
    trial: Trial | None = None
    ready: tuple[float, Path | None] = (-1.0, None)  # until when that holds, and the engine's own Python


now = Now()


@dataclass(frozen=True)
class Status:
    """What there is to say about the engine."""

    state: Literal["MISSING", "SETTING_UP", "TRYING", "READY", "FAILED"]
    text: str


def status() -> Status:
    """Whether there is an engine to start. Quick enough to be asked at every redraw."""
    chosen = get().engine_python
    if chosen:
        return _tried(chosen)
    if is_setting_up():
        return Status("SETTING_UP", now.set_up.stage)
    if now.set_up is not None and now.set_up.state == "FAILED":
        return Status("FAILED", now.set_up.error)
    if _ready_python() is None:
        return Status("MISSING", "The engine is not set up yet")
    taken = environment.engine_bytes(home())
    return Status("READY", f"The engine is set up and takes {size(taken)}" if taken else "The engine is set up")


def is_setting_up() -> bool:
    """Whether a set-up is under way."""
    return now.set_up is not None and now.set_up.state == "RUNNING"


def begin_set_up() -> SetUp:
    """Starts to set up the engine, or to mend it. Raises AddonError when that can't be."""
    if is_setting_up():
        raise AddonError("The engine is being set up already")
    if not bpy.app.online_access:
        raise AddonError(OFFLINE)
    arguments = ["setup", "--json", "--index", get().package_index.strip()]
    command = [_own_python(), str(environment.CHECKOUT / "aimv.py"), *arguments]
    now.set_up = SetUp(command, environment.clean_variables(home()), log("setup"))
    now.ready = (-1.0, None)
    follow()
    return now.set_up


def follow() -> None:
    """Has what goes on be seen: redraws until it is over."""
    if not bpy.app.timers.is_registered(_redraw):
        bpy.app.timers.register(_redraw, first_interval=FOLLOW, persistent=True)


def _redraw() -> float | None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("PREFERENCES", "SEQUENCE_EDITOR"):
                area.tag_redraw()
    return FOLLOW if status().state in ("SETTING_UP", "TRYING") else None


def _ready_python() -> Path | None:
    """The Python of the engine's own environment; panels ask for it many times a second."""
    until, python = now.ready
    if time.monotonic() > until:
        python = environment.engine_python(home())
        now.ready = (time.monotonic() + 1.0, python)
    return python


def _own_python() -> str:
    """A Python to run the launcher: Blender's own, or the system's where Blender has none."""
    own = sys.executable or ""
    python = own if Path(own).name.startswith("python") else shutil.which("python3") or shutil.which("python")
    if python is None:
        raise AddonError("This Blender has no Python to set up the engine with: install Python 3.11 or newer")
    return python


def _tried(python: str) -> Status:
    """What came of trying out a chosen Python: an engine was started by it, and ended again."""
    if now.trial is None or now.trial.python != python:
        end_trial()
        try:
            now.trial = Trial(python, new_engine())
        except AddonError as error:
            now.trial = Trial(python, None, Ended(str(error)))
        else:
            now.trial.engine.start()
            follow()
    trial = now.trial
    if trial.verdict is None:
        trial.verdict = next((word for word in trial.engine.poll() if isinstance(word, Ready | Ended)), None)
        if trial.verdict is not None:
            trial.engine.stop()
    if trial.verdict is None:
        return Status("TRYING", "Trying this Python")
    if isinstance(trial.verdict, Ended):
        return Status("FAILED", trial.verdict.text)
    said = trial.verdict
    return Status("READY", f"AIMV {said.version} runs in this Python {said.python}, {said.device}")


def end_trial() -> None:
    """Forgets what came of trying out a Python."""
    if now.trial is not None and now.trial.engine is not None:
        now.trial.engine.stop()
    now.trial = None


# how it looks --------------------------------------------------------------------------------------------------------

ICONS = {"MISSING": "INFO", "SETTING_UP": "TIME", "TRYING": "TIME", "READY": "CHECKMARK", "FAILED": "ERROR"}


def draw(choices: AIMV_Preferences, layout: UILayout, context: Context) -> None:
    """The preferences: how the engine is, what to do about it, and the choices."""
    pixels = width(context) - 6 * WIDGET * context.preferences.system.ui_scale  # the frames of the list of add-ons
    known = status()
    column = layout.column()
    wrapped(column, known.text, pixels, ICONS[known.state])
    if not choices.engine_python:
        _draw_set_up(column, known, pixels)
    layout.separator()
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(choices, "compute")
    if not choices.engine_python:
        column.prop(choices, "package_index")
        needs_build = choices.compute == "rocm" or (choices.compute == "cuda" and sys.platform == "win32")
        if needs_build and not choices.package_index:
            wrapped(column, "The usual build of torch can't do that here: give the address of another one", pixels)
    column.prop(choices, "engine_python")
    layout.separator()
    row = layout.row()
    row.operator("aimv.restart_engine", icon="FILE_REFRESH")
    row.operator("aimv.open_log", text="Open Engine Log", icon="TEXT").which = "engine"


def _draw_set_up(layout: UILayout, known: Status, pixels: float) -> None:
    row = layout.row()
    if known.state == "SETTING_UP":
        row.progress(text=f"{now.set_up.done} of {now.set_up.total}", factor=now.set_up.fraction)
        row.operator("aimv.cancel_set_up", text="Cancel", icon="X")
    else:
        text = "Set Up Engine" if known.state == "MISSING" else "Set Up Again"
        row.operator("aimv.set_up_engine", text=text, icon="IMPORT")
    row.operator("aimv.open_log", text="Open Log", icon="TEXT").which = "setup"
    if known.state == "MISSING":
        wrapped(layout, "It is kept apart from Blender and takes 3 to 10 GB, depending on the build of torch", pixels)
    there = next(folder for folder in (home(), *home().parents) if folder.is_dir())  # the set-up makes the rest
    wrapped(layout, f"{size(shutil.disk_usage(there).free)} free on its disk", pixels)
    if not bpy.app.online_access:
        wrapped(layout, f"{OFFLINE}. Or choose an existing Python", pixels, "INTERNET_OFFLINE")


def register() -> None:
    bpy.utils.register_class(AIMV_Preferences)


def unregister() -> None:
    if bpy.app.timers.is_registered(_redraw):
        bpy.app.timers.unregister(_redraw)
    if now.set_up is not None:
        now.set_up.cancel()
    end_trial()
    bpy.utils.unregister_class(AIMV_Preferences)
