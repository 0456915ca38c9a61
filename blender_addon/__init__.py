"""AIMV inside Blender. Standard library and bpy only: the engine is another process with its own Python."""

from . import properties


def register() -> None:
    properties.register()


def unregister() -> None:
    properties.unregister()
