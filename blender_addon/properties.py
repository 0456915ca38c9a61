"""What a marker and a scene remember. The data lies in the .blend; here it gets names, types and limits."""

import bpy
from bpy.props import BoolProperty, CollectionProperty, FloatProperty, IntProperty, PointerProperty, StringProperty
from bpy.types import PropertyGroup

from . import compat


class AIMV_Tag(PropertyGroup):
    """A word that the song was tagged with (its `name`), and how much it weighs."""

    weight: FloatProperty(name="Weight", min=0.0, max=1.0, subtype="FACTOR")


class AIMV_Marker(PropertyGroup):
    """What the scene that begins at a marker shows."""

    is_scene: BoolProperty(name="Scene", description="A scene of the music video begins at this marker")
    cluster: StringProperty(name="Cluster", description="Parts of the song that sound alike share a letter")
    sentence: StringProperty(name="Prompt", description="What is to be seen")
    negative: StringProperty(name="Negative Prompt", description="What is not to be seen")
    look: StringProperty(name="Look", description="The preset that says how the pictures are painted")
    seed: IntProperty(name="Seed", description="Another seed gives other pictures of the same prompt", min=0)
    tags: CollectionProperty(type=AIMV_Tag, name="Tags")


class AIMV_Scene(PropertyGroup):
    """Where a scene's music video comes from."""

    uid: StringProperty(name="Identity", description="Finds this scene again after undo, renaming and reloading")
    project: StringProperty(name="Project", description="Folder of the song's analysis and pictures", **compat.FOLDER)


CLASSES = (AIMV_Tag, AIMV_Marker, AIMV_Scene)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    bpy.types.TimelineMarker.aimv = PointerProperty(type=AIMV_Marker)
    bpy.types.Scene.aimv = PointerProperty(type=AIMV_Scene)


def unregister() -> None:
    del bpy.types.Scene.aimv
    del bpy.types.TimelineMarker.aimv
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
