"""AIMV inside Blender. Standard library and bpy only: the engine is another process with its own Python."""

from . import disk, handlers, jobs, lists, operators, overlay, panels, preferences, prompts, properties, repair, strips

# in the order of registering
MODULES = (
    preferences,
    properties,
    strips,
    repair,
    disk,
    prompts,
    jobs,
    handlers,
    operators,
    lists,
    panels,
    overlay,
)


def register() -> None:
    for module in MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
