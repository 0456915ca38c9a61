"""From a song to scenes on the timeline: importing, using what lies on the timeline already, and the storyboard."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event, Operator, Scene

from .. import compat, jobs, landing, requests, segments, sequencer
from ..errors import AddonError

SUFFIX = ".aimv"


# What is done --------------------------------------------------------------------------------------------------------


def project_beside(song: Path) -> Path:
    """Where the project of a song is kept unless somebody chooses another place: SONG.aimv."""
    return song.with_suffix(SUFFIX)


def can_keep(folder: Path) -> bool:
    """Whether a project can be kept in that folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def choose(scene: Scene, song: Path, project: Path, song_frame: float) -> None:
    """Makes this the scene's song. Raises AddonError when it can't be read, or its project can't be kept."""
    if not song.is_file():
        raise AddonError(f"The song is missing: {song}")
    if not can_keep(project):
        raise AddonError(f"The project can't be kept in {project}: choose another folder for it")
    own = scene.aimv
    requests.give_uid(scene)
    own.song, own.project = requests.kept(song), requests.kept(project)
    own.song_frame = song_frame
    own.show_overlay = True


def listen(scene: Scene, fit: bool, replace: bool) -> list[jobs.Job]:
    """Asks for the analysis and then for the storyboard. Raises AddonError when the song is missing."""
    asked = requests.common(scene)
    return [
        jobs.submit(scene, "analyze", "Analyze Song", asked, partial(landing.analysis, fit=fit)),
        jobs.submit(scene, "storyboard", "Write Storyboard", asked, partial(landing.storyboard, replace=replace)),
    ]


def is_empty(scene: Scene) -> bool:
    """Whether there is nothing on the timeline."""
    return not compat.strips(scene)


class Work:
    """What the operators here have in common: errors become reports, and only a script waits for the engine."""

    wait: BoolProperty(
        name="Wait",
        description="Return when all is done, as scripts like it",
        default=True,
        options={"HIDDEN", "SKIP_SAVE"},
    )

    def execute(self, context: Context) -> set[str]:
        try:
            asked = self.work(compat.sequencer_scene(context))
            for job in asked if self.wait else ():
                jobs.wait(job)
        except AddonError as error:
            jobs.state.error = str(error)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


# The operators -------------------------------------------------------------------------------------------------------


class AIMV_OT_import_song(Work, Operator):
    bl_idname = "aimv.import_song"
    bl_label = "Import Song"
    bl_description = "Put a song on the timeline, listen to it, and write a storyboard for it"
    bl_options = {"UNDO"}

    filepath: StringProperty(name="Song", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_sound: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    project: StringProperty(
        name="Project",
        description="Folder for the song's analysis and pictures; empty for one beside the song",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    fit: BoolProperty(
        name="Fit the Timeline to the Song",
        description="Let the scene end where the song does",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.wait = False
        if not self.properties.is_property_set("fit"):
            self.fit = is_empty(compat.sequencer_scene(context))
        if self.filepath:
            return self._ask_for_folder(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def _ask_for_folder(self, context: Context) -> set[str]:
        if not self.project:
            beside = project_beside(Path(self.filepath))
            self.project = str(beside if can_keep(beside.parent) else Path.home() / beside.name)
        return context.window_manager.invoke_props_dialog(self, width=500)

    def execute(self, context: Context) -> set[str]:
        if self._must_ask():
            bpy.ops.aimv.import_song("INVOKE_DEFAULT", filepath=self.filepath, fit=self.fit)
            return {"CANCELLED"}  # that one goes on
        return super().execute(context)

    def _must_ask(self) -> bool:
        """Whether the person, who has only chosen a song yet, has to say where the project shall be."""
        song = Path(self.filepath)
        unsaved = not bpy.data.filepath
        return not self.wait and not self.project and song.is_file() and (unsaved or not can_keep(song.parent))

    def work(self, scene: Scene) -> list[jobs.Job]:
        song = requests.absolute(self.filepath)
        project = requests.absolute(self.project) if self.project else project_beside(song)
        empty = is_empty(scene)
        fit = self.fit if self.properties.is_property_set("fit") else empty
        if segments.markers(scene):
            self.report({"INFO"}, "The scenes that are there are kept; Write Storyboard writes new ones")
        choose(scene, song, project, scene.frame_start)
        sequencer.lay_song(scene, song, scene.frame_start)
        return listen(scene, fit, replace=False)

    def draw(self, _context: Context) -> None:
        column = self.layout.column()
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(self, "project")
        column.prop(self, "fit")


class AIMV_OT_use_sound_strip(Work, Operator):
    bl_idname = "aimv.use_sound_strip"
    bl_label = "Use Sound Strip"
    bl_description = "Listen to the active sound strip, and write a storyboard for it. The strip stays as it is"
    bl_options = {"UNDO"}

    project: StringProperty(
        name="Project",
        description="Folder for the song's analysis and pictures; empty for one beside the song",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Context) -> bool:
        editor = compat.sequencer_scene(context).sequence_editor
        strip = editor.active_strip if editor else None
        cls.poll_message_set("Select a sound strip first")
        return strip is not None and strip.type == "SOUND"

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.wait = False
        scene = compat.sequencer_scene(context)
        beside = project_beside(requests.absolute(scene.sequence_editor.active_strip.sound.filepath))
        if bpy.data.filepath and can_keep(beside.parent):
            return self.execute(context)
        self.project = str(beside if can_keep(beside.parent) else Path.home() / beside.name)
        return context.window_manager.invoke_props_dialog(self, width=500)

    def work(self, scene: Scene) -> list[jobs.Job]:
        strip = scene.sequence_editor.active_strip
        if strip.sound.packed_file:
            raise AddonError("This sound is packed into the .blend: unpack it first (File, External Data)")
        song = requests.absolute(strip.sound.filepath)
        project = requests.absolute(self.project) if self.project else project_beside(song)
        choose(scene, song, project, compat.sound_start(strip, float(segments.fps(scene))))
        return listen(scene, fit=False, replace=False)


class AIMV_OT_write_storyboard(Work, Operator):
    bl_idname = "aimv.write_storyboard"
    bl_label = "Write Storyboard"
    bl_description = "Listen again with these settings, and write what each part of the song shows"

    replace: BoolProperty(
        name="Replace the Scenes",
        description="Write new prompts over those that are there; locked scenes stay as they are",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("Import a song first")
        return bool(compat.sequencer_scene(context).aimv.song)

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.wait = False
        if not any(marker.aimv.sentence for marker in segments.markers(compat.sequencer_scene(context))):
            return self.execute(context)
        self.replace = True
        return context.window_manager.invoke_confirm(
            self,
            _event,
            title="Write the Storyboard Again?",
            message="New prompts take the place of those that are there. Locked scenes stay as they are",
        )

    def work(self, scene: Scene) -> list[jobs.Job]:
        requests.give_uid(scene)
        return listen(scene, fit=False, replace=self.replace)


class AIMV_OT_find_song(Operator):
    bl_idname = "aimv.find_song"
    bl_label = "Find Song"
    bl_description = "Say where the song's file is now. Nothing is analyzed anew"
    bl_options = {"UNDO"}

    filepath: StringProperty(name="Song", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_sound: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: Context, _event: Event) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: Context) -> set[str]:
        scene = compat.sequencer_scene(context)
        path = requests.absolute(self.filepath)
        if not path.is_file():
            self.report({"ERROR"}, f"There is no file {path}")
            return {"CANCELLED"}
        old = requests.absolute(scene.aimv.song)
        scene.aimv.song = requests.kept(path)
        for sound in bpy.data.sounds:
            if requests.absolute(sound.filepath) == old:
                sound.filepath = scene.aimv.song
        jobs.dismiss_error()
        return {"FINISHED"}


class AIMV_OT_show_overview(Operator):
    bl_idname = "aimv.show_overview"
    bl_label = "Show Overview"
    bl_description = "Show tags, energy, beats and scenes of the whole song as a picture"

    @classmethod
    def poll(cls, context: Context) -> bool:
        cls.poll_message_set("Import a song first")
        return bool(compat.sequencer_scene(context).aimv.song)

    def execute(self, context: Context) -> set[str]:
        try:
            path = requests.project(compat.sequencer_scene(context)) / "overview.png"
            if not path.is_file():
                raise AddonError("There is no overview yet: let the song be analyzed first")
            _show(path)
        except AddonError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


def _show(path: Path) -> None:
    """Opens a picture in a window of its own, where there are windows."""
    image = bpy.data.images.load(str(path), check_existing=True)
    image.reload()
    if bpy.app.background:
        return
    bpy.ops.wm.window_new()
    area: Any = bpy.context.window_manager.windows[-1].screen.areas[0]
    area.type = "IMAGE_EDITOR"
    area.spaces.active.image = image


CLASSES = (
    AIMV_OT_import_song,
    AIMV_OT_use_sound_strip,
    AIMV_OT_write_storyboard,
    AIMV_OT_find_song,
    AIMV_OT_show_overview,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
