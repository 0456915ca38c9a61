"""What a person does to the scene under the playhead: its place, its prompt, its tags, its seed."""

import random
from typing import Any

import bpy
from bpy.props import FloatProperty, IntProperty, StringProperty
from bpy.types import Context, Event, Operator, Scene, TimelineMarker

from .. import compat, jobs, plain, prompts, requests, segments, strips
from ..errors import AddonError
from .work import Work

SETTINGS = frozenset({"sentence", "negative", "tags", "look", "seed", "camera", "intensity", "style"})
SEEDS = 2**31

_copied: dict[str, Any] = {}  # the settings of the scene that was copied


class OnScene:
    """Greyed out, and saying why, where there is no scene under the playhead or it is locked."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        try:
            cls.marker(context)
        except AddonError as error:
            cls.poll_message_set(str(error))
            return False
        return True

    @classmethod
    def marker(cls, context: Context) -> TimelineMarker:
        """The scene to work on. Raises AddonError."""
        marker = segments.current(compat.sequencer_scene(context))
        if marker is None:
            raise AddonError("There is no scene under the playhead")
        if marker.aimv.locked:
            raise AddonError(f"Scene {marker.name} is locked")
        return marker

    def execute(self, context: Context) -> set[str]:
        try:
            self.change(compat.sequencer_scene(context), self.marker(context))
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


# Place ---------------------------------------------------------------------------------------------------------------


class AIMV_OT_split_scene(OnScene, Operator):
    bl_idname = "aimv.split_scene"
    bl_label = "Split Scene"
    bl_description = "Begin another scene at the playhead, which shows the same until you change it"

    @classmethod
    def marker(cls, context: Context) -> TimelineMarker:
        marker = super().marker(context)
        scene = compat.sequencer_scene(context)
        segments.check_split(scene, marker, scene.frame_current)
        return marker

    def change(self, scene: Scene, _marker: TimelineMarker) -> None:
        segments.split(scene, scene.frame_current)
        segments.follow_playhead(scene)


class AIMV_OT_remove_scene(OnScene, Operator):
    bl_idname = "aimv.remove_scene"
    bl_label = "Remove Scene"
    bl_description = "Take the scene and its pictures off the timeline. The scene before it lasts as long as both did"

    def change(self, scene: Scene, marker: TimelineMarker) -> None:
        for strip in strips.of(scene, marker.aimv.uid):
            compat.siblings(scene, strip).remove(strip)  # fades go with what they join
        segments.remove(scene, marker)
        segments.follow_playhead(scene)


class AIMV_OT_make_scene(Operator):
    bl_idname = "aimv.make_scene"
    bl_label = "Make Scenes of Markers"
    bl_description = "Begin a scene at each selected marker, which shows the same as the scene that it lies in"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("Select markers that are no scenes yet")
        return bool(cls.ordinary(compat.sequencer_scene(context)))

    @staticmethod
    def ordinary(scene: Scene) -> list[TimelineMarker]:
        return [marker for marker in scene.timeline_markers if marker.select and not marker.aimv.is_scene]

    def execute(self, context: Context) -> set[str]:
        scene = compat.sequencer_scene(context)
        refused = []
        for marker in self.ordinary(scene):
            try:
                segments.adopt(scene, marker)
            except AddonError as error:
                refused.append(str(error))
        if refused:
            self.report({"WARNING"}, "; ".join(refused))
        segments.follow_playhead(scene)
        return {"FINISHED"}


# Settings ------------------------------------------------------------------------------------------------------------


class AIMV_OT_copy_scene(Operator):
    bl_idname = "aimv.copy_scene"
    bl_label = "Copy Scene Settings"
    bl_description = "Remember prompt, tags, look, seed and camera of this scene"

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("There is no scene under the playhead")
        return segments.current(compat.sequencer_scene(context)) is not None

    def execute(self, context: Context) -> set[str]:
        marker = segments.current(compat.sequencer_scene(context))
        _copied.clear()
        _copied.update(plain.read(marker.aimv, SETTINGS))
        return {"FINISHED"}


class AIMV_OT_paste_scene(OnScene, Operator):
    bl_idname = "aimv.paste_scene"
    bl_label = "Paste Scene Settings"
    bl_description = "Take over prompt, tags, look, seed and camera of the scene that was copied. A locked seed stays"

    @classmethod
    def marker(cls, context: Context) -> TimelineMarker:
        if not _copied:
            raise AddonError("Copy the settings of a scene first")
        return super().marker(context)

    def change(self, _scene: Scene, marker: TimelineMarker) -> None:
        plain.write(marker.aimv, _copied, SETTINGS - ({"seed"} if marker.aimv.seed_locked else set()))


class AIMV_OT_shuffle_seed(OnScene, Operator):
    bl_idname = "aimv.shuffle_seed"
    bl_label = "Shuffle Seed"
    bl_description = "Another seed: other pictures of the same prompt"

    @classmethod
    def marker(cls, context: Context) -> TimelineMarker:
        marker = super().marker(context)
        if marker.aimv.seed_locked:
            raise AddonError(f"The seed of scene {marker.name} is locked")
        return marker

    def change(self, _scene: Scene, marker: TimelineMarker) -> None:
        marker.aimv.seed = random.randrange(SEEDS)


# Prompt --------------------------------------------------------------------------------------------------------------


class AIMV_OT_edit_prompt(OnScene, Operator):
    bl_idname = "aimv.edit_prompt"
    bl_label = "Edit Prompt as Text"
    bl_description = "Open the prompt in a Text Editor, where it has room. What you write there is taken over"

    def change(self, scene: Scene, marker: TimelineMarker) -> None:
        prompts.show(prompts.text_of(scene, marker))


class AIMV_OT_apply_prompt(Operator):
    bl_idname = "aimv.apply_prompt"
    bl_label = "Apply Prompt"
    bl_description = "Take over now what was written in Text Editors"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, _context: Context) -> bool:
        cls.poll_message_set("No prompt is being edited as a text")
        return any(prompts.is_prompt(text) for text in bpy.data.texts)

    def execute(self, _context: Context) -> set[str]:
        prompts.take_over()
        return {"FINISHED"}


class AIMV_OT_rewrite(Work, OnScene, Operator):
    bl_idname = "aimv.rewrite"
    bl_label = "Rewrite"
    bl_description = "Let the language model suggest other prompts for this scene"
    bl_options = {"REGISTER"}

    @classmethod
    def marker(cls, context: Context) -> TimelineMarker:
        if not compat.sequencer_scene(context).aimv.song:
            raise AddonError("Import a song first: its tags tell the language model what to write about")
        return super().marker(context)

    def work(self, scene: Scene) -> list[jobs.Job]:
        marker = segments.current(scene)
        own, uid = marker.aimv, marker.aimv.uid
        params = {
            **requests.common(scene),
            "tags": [[tag.name, round(tag.weight, 4)] for tag in own.tags],
            "cluster": own.cluster or "A",
            "energy": round(own.energy, 4),
            "seed": random.randrange(SEEDS),
            "avoid": [text for text in (own.sentence, *(item.name for item in own.candidates)) if text],
        }

        def land(scene: Scene, result: dict[str, Any]) -> None:
            if not result["candidates"]:
                raise AddonError("The language model has no other prompt for this scene: change its tags, or try again")
            if (marker := segments.by_uid(scene, uid)) is not None:
                segments.offer(marker, result["candidates"])

        requests.give_uid(scene)
        return [jobs.submit(scene, "rewrite", f"Rewrite {marker.name}", params, land)]


class AIMV_OT_use_candidate(OnScene, Operator):
    bl_idname = "aimv.use_candidate"
    bl_label = "Use Suggestion"
    bl_description = "Make this the prompt of the scene"

    index: IntProperty(name="Index", description="Of the suggestion", min=0)

    def change(self, _scene: Scene, marker: TimelineMarker) -> None:
        if self.index >= len(marker.aimv.candidates):
            raise AddonError(f"Scene {marker.name} has no suggestion {self.index + 1}")
        marker.aimv.sentence = marker.aimv.candidates[self.index].name


# Tags ----------------------------------------------------------------------------------------------------------------


class AIMV_OT_add_tag(OnScene, Operator):
    bl_idname = "aimv.add_tag"
    bl_label = "Add Tag"
    bl_description = "Add a word that colors the pictures and what is suggested"

    tag: StringProperty(name="Tag", options={"SKIP_SAVE"})
    weight: FloatProperty(name="Weight", default=0.5, min=0.0, max=1.0, subtype="FACTOR")

    def invoke(self, context: Context, _event: Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def change(self, _scene: Scene, marker: TimelineMarker) -> None:
        name = " ".join(self.tag.split())
        if not name:
            raise AddonError("A tag needs a name")
        tags = marker.aimv.tags
        tag = next((tag for tag in tags if tag.name.lower() == name.lower()), None) or tags.add()
        tag.name, tag.weight = name, self.weight


class AIMV_OT_remove_tag(OnScene, Operator):
    bl_idname = "aimv.remove_tag"
    bl_label = "Remove Tag"
    bl_description = "Take this word away"

    index: IntProperty(name="Index", description="Of the tag", min=0)

    def change(self, _scene: Scene, marker: TimelineMarker) -> None:
        if self.index >= len(marker.aimv.tags):
            raise AddonError(f"Scene {marker.name} has no tag {self.index + 1}")
        marker.aimv.tags.remove(self.index)


CLASSES = (
    AIMV_OT_split_scene,
    AIMV_OT_remove_scene,
    AIMV_OT_make_scene,
    AIMV_OT_copy_scene,
    AIMV_OT_paste_scene,
    AIMV_OT_shuffle_seed,
    AIMV_OT_edit_prompt,
    AIMV_OT_apply_prompt,
    AIMV_OT_rewrite,
    AIMV_OT_use_candidate,
    AIMV_OT_add_tag,
    AIMV_OT_remove_tag,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
