"""AIMV inside Blender. Standard library and bpy only: the engine is another process with its own Python."""

from . import disk, operators, preferences, properties, repair

MODULES = (preferences, properties, repair, disk, operators)  # in the order in which they are registered


def register() -> None:
    for module in MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
