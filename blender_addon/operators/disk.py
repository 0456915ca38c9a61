"""Cleaning up: what a project's pictures take on the disk, and deleting those that nobody needs."""

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event, Operator, Scene, UILayout

from .. import compat, disk, jobs, requests
from ..errors import AddonError
from ..layouts import size
from .work import Work

MOST = 6  # names of files that a dialog shows


def check(scene: Scene) -> None:
    """Raises AddonError when nothing can be cleaned up now."""
    folder = str(requests.project(scene))
    if any(job.params.get("project") == folder and job.kind != "usage" for job in jobs.unfinished()):
        raise AddonError("Pictures of this project are being worked on: wait until that is done, or cancel it")
    if any(job.params.get("project") == folder for job in jobs.undelivered()):
        raise AddonError("Pictures of this project wait for the .blend that asked for them: open that first")


def ask(scene: Scene, land: jobs.Land) -> jobs.Job:
    """Asks the engine what the project's pictures take, and which of them nobody needs."""
    requests.give_uid(scene)
    params = {"project": str(requests.project(scene)), "keep": disk.keep(scene)}
    return jobs.submit(scene, "usage", "Look for Unused Pictures", params, land, only_looks=True)


def clean(scene: Scene, forget: list[str], land: jobs.Land) -> jobs.Job:
    """Asks the engine to delete pictures that neither this file needs nor any other, but for those to forget."""
    check(scene)
    params = {"project": str(requests.project(scene)), "keep": disk.keep(scene), "forget": forget}
    return jobs.submit(scene, "clean", "Clean Up", params, land, only_looks=True)


def gone(found: dict[str, Any]) -> list[str]:
    """The .blend files that use pictures and are not there any more."""
    return [other["blend"] for other in found["others"] if not other["there"]]


class AIMV_OT_clean_up(Work, Operator):
    bl_idname = "aimv.clean_up"
    bl_label = "Clean Up"
    bl_description = "See what the pictures take on the disk, and delete those that no scene uses"

    forget: BoolProperty(
        name="Forget Missing Files",
        description="Delete also what only .blend files use that are not there any more",
        options={"SKIP_SAVE"},
    )
    asked: StringProperty(options={"HIDDEN", "SKIP_SAVE"})  # uid of the scene that the engine was asked about

    @classmethod
    def poll(cls, context: Context) -> bool:
        try:
            check(compat.sequencer_scene(context))
        except AddonError as error:
            cls.poll_message_set(str(error))
            return False
        return True

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.wait = False
        if self.asked:
            self.found = disk.known(requests.project(jobs.scene_of(self.asked)))
            return context.window_manager.invoke_props_dialog(self, width=420, confirm_text="Delete Unused Pictures")
        try:
            ask(compat.sequencer_scene(context), _show_dialog)
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def work(self, scene: Scene) -> list[jobs.Job]:
        if self.asked:
            scene = jobs.scene_of(self.asked)
            if scene is None:
                raise AddonError("The scene whose pictures were looked at is not there any more")
        if self.wait:
            check(scene)
            jobs.wait(ask(scene, _keep_found))
            self.found = disk.known(requests.project(scene))
        forget = gone(self.found) if self.forget else []
        return [clean(scene, forget, self._tell if self.wait else _show_outcome)]

    def _tell(self, scene: Scene, result: dict[str, Any]) -> None:
        _keep_rest(scene, result)
        self.report({"INFO"}, _outcome(result))

    def draw(self, _context: Context) -> None:
        found = self.found
        column = self.layout.column()
        column.label(text=f"All pictures take {size(found['bytes'])} ({found['count']:,} files)", icon="DISK_DRIVE")
        if found["unused_count"]:
            unused = f"{size(found['unused_bytes'])} of that ({found['unused_count']:,} files) is not used"
            column.label(text=unused, icon="TRASH")
        else:
            column.label(text="Every one of them is used", icon="CHECKMARK")
        missing = gone(found)
        here = bpy.data.filepath
        _draw_files(column, "Kept for these files too", _there(found, here))
        _draw_files(column, "These files use pictures and are missing", missing)
        if missing:
            column.prop(self, "forget")


def _there(found: dict[str, Any], here: str) -> list[str]:
    return [other["blend"] for other in found["others"] if other["there"] and Path(other["blend"]) != Path(here)]


def _draw_files(column: UILayout, title: str, files: list[str]) -> None:
    if not files:
        return
    column.separator()
    column.label(text=f"{title}:")
    for path in files[:MOST]:
        column.label(text=path, icon="FILE_BLEND", translate=False)
    if len(files) > MOST:
        column.label(text=f"and {len(files) - MOST} more")


def _keep_found(scene: Scene, result: dict[str, Any]) -> None:
    disk.learn(requests.project(scene), result)


def _show_dialog(scene: Scene, result: dict[str, Any]) -> None:
    """Asks the person what to do, in a window that shows the scene."""
    _keep_found(scene, result)
    for window in () if bpy.app.background else bpy.context.window_manager.windows:
        with bpy.context.temp_override(window=window):
            if compat.sequencer_scene(bpy.context) == scene:
                bpy.ops.aimv.clean_up("INVOKE_DEFAULT", asked=scene.aimv.uid)
                return


def _keep_rest(scene: Scene, result: dict[str, Any]) -> None:
    """Makes what is known fit what was deleted."""
    found = dict(disk.known(requests.project(scene)))
    if found:
        for name in ("bytes", "count"):
            found[name] -= result[name]
            found[f"unused_{name}"] = 0
    disk.learn(requests.project(scene), found)


def _show_outcome(scene: Scene, result: dict[str, Any]) -> None:
    _keep_rest(scene, result)
    windows = bpy.context.window_manager.windows
    if windows and not bpy.app.background:
        with bpy.context.temp_override(window=windows[0]):
            bpy.context.window_manager.popup_menu(
                lambda menu, _: menu.layout.label(text=_outcome(result)), icon="TRASH"
            )


def _outcome(result: dict[str, Any]) -> str:
    return f"Deleted {result['count']:,} pictures, {size(result['bytes'])}"


CLASSES = (AIMV_OT_clean_up,)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
