"""The engine itself: setting it up, starting it anew, reading what it said."""

import time

import bpy
from bpy.props import EnumProperty
from bpy.types import Context, Event, Operator

from .. import jobs, preferences
from ..errors import AddonError


class AIMV_OT_set_up_engine(Operator):
    bl_idname = "aimv.set_up_engine"
    bl_label = "Set Up Engine"
    bl_description = "Make or mend the environment that the engine runs in: it fetches packages, which takes minutes"

    @classmethod
    def poll(cls, context: Context) -> bool:
        if preferences.is_setting_up():
            cls.poll_message_set("The engine is being set up already")
        elif jobs.unfinished():
            cls.poll_message_set("The engine is at work; cancel that first, or wait")
        elif not bpy.app.online_access:
            cls.poll_message_set(preferences.OFFLINE)
        else:
            return True
        return False

    def invoke(self, context: Context, event: Event) -> set[str]:
        jobs.stop_engine()  # on Windows, what it has open could not be replaced
        try:
            preferences.begin_set_up()
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    def execute(self, context: Context) -> set[str]:
        if self.invoke(context, None) == {"CANCELLED"}:
            return {"CANCELLED"}
        set_up = preferences.now.set_up
        while set_up.state == "RUNNING":
            time.sleep(0.1)
        if set_up.state != "DONE":
            self.report({"ERROR"}, set_up.error or "The set-up was cancelled")
            return {"CANCELLED"}
        return {"FINISHED"}


class AIMV_OT_cancel_set_up(Operator):
    bl_idname = "aimv.cancel_set_up"
    bl_label = "Cancel Set-Up"
    bl_description = "Stop setting up the engine; what was fetched is kept for the next try"

    @classmethod
    def poll(cls, context: Context) -> bool:
        return preferences.is_setting_up()

    def execute(self, context: Context) -> set[str]:
        preferences.now.set_up.cancel()
        return {"FINISHED"}


class AIMV_OT_restart_engine(Operator):
    bl_idname = "aimv.restart_engine"
    bl_label = "Restart Engine"
    bl_description = "End the engine and what it is doing; the next job starts another one. Finished pictures are kept"

    def execute(self, context: Context) -> set[str]:
        jobs.stop_engine()
        preferences.end_trial()
        return {"FINISHED"}


class AIMV_OT_open_log(Operator):
    bl_idname = "aimv.open_log"
    bl_label = "Open Log"
    bl_description = "Show what the engine, or its set-up, has said, in the system's viewer of text files"

    which: EnumProperty(
        name="Log",
        items=(("engine", "Engine", "Of the engine at work"), ("setup", "Set-Up", "Of setting up the engine")),
    )

    def execute(self, context: Context) -> set[str]:
        log = preferences.log(self.which)
        if not log.is_file():
            self.report({"ERROR"}, f"There is no {log.name} yet")
            return {"CANCELLED"}
        return bpy.ops.wm.path_open(filepath=str(log))


CLASSES = (AIMV_OT_set_up_engine, AIMV_OT_cancel_set_up, AIMV_OT_restart_engine, AIMV_OT_open_log)


def register() -> None:
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister() -> None:
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
