"""Effects of the music on the whole picture, and how the film is rendered."""

import bpy
from bpy.props import BoolProperty
from bpy.types import Context, Operator, Scene

from .. import compat, effects, jobs, requests, segments, sequencer, strips
from ..errors import AddonError
from .work import Work


def request(scene: Scene) -> tuple[requests.Params, int, int]:
    """What the engine is asked for, and the film's first frame and the one after its last. Raises AddonError."""
    film = requests.shown(scene)
    if not film:
        raise AddonError("There are no scenes yet: import a song, or let the storyboard be written")
    first, last = film[0].first, film[-1].last
    start, fps = requests.song_seconds(scene, first), segments.fps(scene)
    own = scene.aimv
    params = {
        **requests.common(scene),
        "look": film[0].marker.aimv.look,
        "fps": [fps.numerator, fps.denominator],
        "start": [start.numerator, start.denominator],
        "frame_count": last - first,
        **{name: round(getattr(own, name), 4) for name in ("pulse", "flash", "saturation", "strobe")},
    }
    return params, first, last


class AIMV_OT_apply_effects(Work, Operator):
    bl_idname = "aimv.apply_effects"
    bl_label = "Apply Effects"
    bl_description = (
        "Let the beats move the picture, by keys on an adjustment strip above all others. "
        "Applying again replaces only these keys"
    )

    def work(self, scene: Scene) -> list[jobs.Job]:
        params, first, last = request(scene)

        def land(scene: Scene, result: requests.Params) -> None:
            effects.apply(scene, result["curves"], first, last)

        return [jobs.submit(scene, "effects", self.bl_label, params, land)]


class AIMV_OT_remove_effects(Operator):
    bl_idname = "aimv.remove_effects"
    bl_label = "Remove Effects"
    bl_description = "Delete the adjustment strip with the effects of the music, and its keys"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(effects.of(compat.sequencer_scene(context)))

    def execute(self, context: Context) -> set[str]:
        effects.remove(compat.sequencer_scene(context))
        return {"FINISHED"}


class AIMV_OT_cross_fades(Operator):
    bl_idname = "aimv.cross_fades"
    bl_label = "Add Cross-Fades"
    bl_description = "Fade from each scene to the next where their pictures overlap, also where a fade was deleted"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("Generate scenes first: fades join their pictures")
        return bool(strips.pictures(compat.sequencer_scene(context)))

    def execute(self, context: Context) -> set[str]:
        made = strips.cross_fades(compat.sequencer_scene(context), again=True)
        self.report({"INFO"}, f"Cross-fades added: {made}" if made else "Scenes that overlap fade already")
        return {"FINISHED"}


class AIMV_OT_use_h264(Operator):
    bl_idname = "aimv.use_h264"
    bl_label = "Use H.264 Output Settings"
    bl_description = "Render the timeline as an MP4 file with sound. Frame rate, resolution and range stay as they are"
    bl_options = {"REGISTER", "UNDO"}

    plain_colors: BoolProperty(
        name="Standard View Transform",
        description="Show pictures as they are: they are finished, and any other view transform changes their colors",
        default=True,
    )

    def execute(self, context: Context) -> set[str]:
        scene = compat.sequencer_scene(context)
        sequencer.use_movie_output(scene)
        if self.plain_colors:
            sequencer.use_plain_colors(scene)
        return {"FINISHED"}


CLASSES = (AIMV_OT_apply_effects, AIMV_OT_remove_effects, AIMV_OT_cross_fades, AIMV_OT_use_h264)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
