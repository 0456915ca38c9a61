"""What a marker and a scene remember. The data lies in the .blend; here it gets names, types and limits."""

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    FloatVectorProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)
from bpy.types import PropertyGroup

from . import compat, looks, segments

CAMERAS = (
    ("auto", "Automatic", "Each sentence has a slow travel of its own"),
    ("still", "Still", "The camera does not move"),
    ("push in", "Push In", "The camera comes nearer"),
    ("pull out", "Pull Out", "The camera goes away"),
    ("pan left", "Pan Left", "The camera travels to the left"),
    ("pan right", "Pan Right", "The camera travels to the right"),
    ("rise", "Rise", "The camera rises"),
    ("sink", "Sink", "The camera sinks"),
)
TAGGERS = (
    ("MTT", "MagnaTagATune", "musicnn as it learned from MagnaTagATune: instruments, genres, moods"),
    ("MSD", "Million Song Dataset", "musicnn as it learned from the Million Song Dataset: genres, decades, moods"),
)
GENERATORS = (
    ("auto", "Automatic", "Diffusion if a model is chosen, else Paint"),
    ("paint", "Paint", "AIMV's own painter, which needs no model and no GPU"),
    ("diffusion", "Diffusion", "A diffusion model of your choice, best on a GPU"),
)
MODES = (
    ("auto", "Automatic", "Walk"),
    ("walk", "Walk", "Pictures turn into one another little by little, at the pace of the music"),
    ("feedback", "Feedback", "Each keyframe is made from the one before, as the camera moves on"),
    ("follow", "Follow", "Paints over other pictures: those of Paint, or yours"),
)
QUALITIES = (
    ("draft", "Draft", "At most 640 pixels wide: to judge scenes and timing"),
    ("final", "Final", "The size of the scene's output"),
)


def _tell_in_full(self: "AIMV_Scene", _context: bpy.types.Context) -> None:
    """Models lie apart from the film: a path seen from the .blend would be lost when that is saved elsewhere."""
    for name in ("diffusion_model", "follow"):
        if getattr(self, name).startswith("//"):
            setattr(self, name, bpy.path.abspath(getattr(self, name)))


class AIMV_Tag(PropertyGroup):
    """A word that the song was tagged with (its `name`), and how much it weighs."""

    weight: FloatProperty(name="Weight", min=0.0, max=1.0, subtype="FACTOR")


class AIMV_Candidate(PropertyGroup):
    """A sentence (its `name`) that the language model offers."""

    score: FloatProperty(name="Score", description="How well it is thought to fit; higher is better")


class AIMV_Marker(PropertyGroup):
    """What the scene that begins at a marker shows."""

    is_scene: BoolProperty(name="Scene", description="A scene of the music video begins at this marker")
    uid: StringProperty(name="Identity", description="Ties the marker to its image strip")
    cluster: StringProperty(name="Cluster", description="Parts of the song that sound alike share a letter")
    color: FloatVectorProperty(
        name="Color", description="Of the cluster", subtype="COLOR_GAMMA", min=0.0, max=1.0, default=(0.5, 0.5, 0.5)
    )
    energy: FloatProperty(name="Energy", description="How loud this part of the song is", min=0.0, max=1.0)
    sentence: StringProperty(name="Prompt", description="What is to be seen")
    negative: StringProperty(name="Negative Prompt", description="What is not to be seen")
    tags: CollectionProperty(type=AIMV_Tag, name="Tags")
    candidates: CollectionProperty(type=AIMV_Candidate, name="Candidates")
    look: EnumProperty(
        name="Look", description="How the pictures are painted", items=looks.items, default=looks.number("oil")
    )
    seed: IntProperty(name="Seed", description="Another seed gives other pictures of the same prompt", min=0)
    seed_locked: BoolProperty(name="Lock Seed", description="Shuffling and pasting leave the seed as it is")
    camera: EnumProperty(name="Camera", description="How the camera travels through the scene", items=CAMERAS)
    intensity: FloatProperty(
        name="Intensity",
        description="How much the music moves the picture: 1 as the look says, 0 not at all",
        default=1.0,
        min=0.0,
        max=2.0,
        subtype="FACTOR",
    )
    style: FloatProperty(
        name="Style Strength",
        description="How strongly the look's brush is applied: 1 as the look says, 0 not at all",
        default=1.0,
        min=0.0,
        max=2.0,
        subtype="FACTOR",
    )
    locked: BoolProperty(name="Lock Scene", description="Keep the pictures of this scene: nothing makes them anew")
    made: StringProperty(name="Made", description="The fingerprint of what the pictures were made of")
    made_size: StringProperty(name="Made Size", description="The size in which they were made, as 640x360")


class AIMV_Scene(PropertyGroup):
    """The music video of a scene: where it comes from, and what was chosen for it."""

    uid: StringProperty(name="Identity", description="Finds this scene again after undo, renaming and reloading")
    project: StringProperty(name="Project", description="Folder of the song's analysis and pictures", **compat.FOLDER)
    song: StringProperty(name="Song", description="The file that the project was made from", **compat.FILE)
    song_frame: FloatProperty(name="Song Start", description="The frame at which the song's first sample is heard")

    # what the engine heard
    duration: FloatProperty(name="Duration", description="Of the song", subtype="TIME_ABSOLUTE")
    tempo: FloatProperty(name="Tempo", description="Beats a minute; 0 without a steady beat")
    key: StringProperty(name="Key")
    main_tags: CollectionProperty(type=AIMV_Tag, name="Main Tags")

    # how it is asked
    tagger: EnumProperty(name="Tagger", description="What musicnn was trained on", items=TAGGERS)
    hop: FloatProperty(
        name="Hop", description="Seconds between two rows of the taggram", default=1.0, min=0.1, max=30.0
    )
    clusters: IntProperty(
        name="Clusters", description="How many different scenes; 0 for as many as the music has", min=0, max=26
    )
    look: EnumProperty(name="Look", description="Of new scenes", items=looks.items_with_automatic)
    artist: StringProperty(name="Artist", description="In whose manner all scenes are painted: by Albert Bierstadt")
    seed: IntProperty(name="Seed", description="Another number, another film", min=0)
    writer: StringProperty(
        name="Writer",
        description="Folder or name of a language model of your own; empty for the embedded one",
    )
    clip: StringProperty(
        name="CLIP", description="Folder of a CLIP model that ranks the sentences; empty for MiniLM", **compat.FOLDER
    )
    keyframe_rate: FloatProperty(
        name="Keyframe Rate",
        description="Keyframes a second; the frames between are interpolated",
        default=6.0,
        min=0.5,
    )
    quality: EnumProperty(name="Quality", items=QUALITIES)

    # what pictures are made with
    generator: EnumProperty(name="Generator", description="What makes the keyframes", items=GENERATORS)
    diffusion_model: StringProperty(
        name="Model",
        description="A preset's name, a folder of diffusers, a .safetensors file, or owner/model of the hub",
        update=_tell_in_full,
        **compat.FILE,
    )
    mode: EnumProperty(name="Mode", description="How one keyframe leads to the next", items=MODES)
    follow: StringProperty(
        name="Pictures",
        description="What is painted over: a folder of images, or a movie; empty for the pictures of Paint",
        update=_tell_in_full,
        **compat.FILE,
    )
    steps: IntProperty(name="Steps", description="Of denoising; 0 for as many as the model wants", min=0, max=150)
    guidance: FloatProperty(
        name="Guidance",
        description="How strictly prompts are heeded; -1 for what the model wants",
        default=-1.0,
        min=-1.0,
        max=30.0,
    )
    best_of: IntProperty(
        name="Best Of",
        description="So many first keyframes are made of each scene, and CLIP chooses one",
        default=1,
        min=1,
        max=16,
    )

    # effects
    pulse: FloatProperty(name="Pulse", description="How far beats zoom the picture", default=1.0, min=0.0, soft_max=2.0)
    flash: FloatProperty(name="Flash", description="How bright beats light up", default=1.0, min=0.0, soft_max=2.0)
    saturation: FloatProperty(
        name="Saturation", description="How far energy saturates the colors", default=0.0, min=0.0, soft_max=2.0
    )
    strobe: FloatProperty(
        name="Strobe",
        description="Flashes on every beat of loud parts. Fast flashes can harm people with photosensitive epilepsy",
        default=0.0,
        min=0.0,
        soft_max=2.0,
    )

    # what is shown
    active: IntProperty(name="Scene", description="Of the list of scenes", update=segments.go_to_active)
    show_overlay: BoolProperty(name="Taggram", description="Draw tags, beats and energy over the timeline")


CLASSES = (AIMV_Tag, AIMV_Candidate, AIMV_Marker, AIMV_Scene)


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
