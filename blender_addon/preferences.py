"""What a person chooses once for all files: above all, what runs. No .blend file has a say in that."""

import bpy
from bpy.props import StringProperty
from bpy.types import AddonPreferences

PACKAGE = __package__.rpartition(".")[0]  # the extension's: it has another name when it is installed


class AIMV_Preferences(AddonPreferences):
    bl_idname = PACKAGE

    engine_python: StringProperty(
        name="Python",
        description="A Python that has AIMV's engine; empty for the environment that Set Up Engine makes",
        subtype="FILE_PATH",
    )


def get() -> AIMV_Preferences:
    """The choices of this Blender."""
    return bpy.context.preferences.addons[PACKAGE].preferences


def register() -> None:
    bpy.utils.register_class(AIMV_Preferences)


def unregister() -> None:
    bpy.utils.unregister_class(AIMV_Preferences)
