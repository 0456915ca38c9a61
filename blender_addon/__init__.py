"""AIMV inside Blender. Standard library and bpy only: the engine is another process with its own Python."""

from . import disk, operators, preferences, prompts, properties, repair, strips

MODULES = (preferences, properties, strips, repair, disk, prompts, operators)  # in the order of registering


def register() -> None:
    for module in MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
