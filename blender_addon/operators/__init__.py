"""What a person can do: one module for each thing that it is done to."""

from . import disk, effects, engine, generate, scenes, song

MODULES = (engine, song, generate, scenes, effects, disk)


def register() -> None:
    for module in MODULES:
        module.register()


def unregister() -> None:
    for module in reversed(MODULES):
        module.unregister()
