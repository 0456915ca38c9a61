"""AIMV, the Blender extension: the repository itself is the package.

Nothing is imported until Blender registers it, so that tools may look at this folder without Blender.
"""


def register() -> None:
    from . import blender_addon

    blender_addon.register()


def unregister() -> None:
    from . import blender_addon

    blender_addon.unregister()
