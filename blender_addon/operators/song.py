"""From a song to scenes on the timeline: importing, using what lies on the timeline already, and the storyboard."""

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty
from bpy.types import Context, Event, Operator, Scene, UILayout

from .. import compat, jobs, requests, segments, sequencer, songs
from ..errors import AddonError
from .work import Work

REPLACE = BoolProperty(
    name="Replace the Song",
    description="Take the song that is there off the timeline, with its scenes and their pictures. Files stay on disk",
    options={"SKIP_SAVE"},
)


def ask(operator: Operator, context: Context, song: Path) -> set[str]:
    """The dialog before a song is used: where its project shall be, and that another song is replaced."""
    if not operator.project:
        beside = songs.project_beside(song)
        operator.project = str(beside if songs.can_keep(beside.parent) else Path.home() / beside.name)
    there = songs.to_replace(compat.sequencer_scene(context), song)
    if not there:
        return context.window_manager.invoke_props_dialog(operator, width=500)
    operator.replace = True
    return context.window_manager.invoke_props_dialog(
        operator, width=500, title=f"Replace {there}?", confirm_text="Replace"
    )


def draw_question(operator: Operator, scene: Scene) -> UILayout:
    """What both dialogs show. Returns the column of settings."""
    column = operator.layout.column()
    if operator.replace:
        told = f"{Path(scene.aimv.song).name} goes from the timeline, with its scenes and their pictures."
        column.label(text=told, icon="ERROR", translate=False)
        column.label(text="The files stay on the disk, and undo brings all back.", icon="BLANK1")
        column.separator()
    column.use_property_split = True
    column.use_property_decorate = False
    column.prop(operator, "project")
    return column


class SongFile:
    """An operator for which a person chooses a sound, or a movie with sound, in the file browser."""

    filepath: StringProperty(name="Song", subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_sound: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})


# The operators -------------------------------------------------------------------------------------------------------


class AIMV_OT_import_song(Work, SongFile, Operator):
    bl_idname = "aimv.import_song"
    bl_label = "Import Song"
    bl_description = "Put a song on the timeline, listen to it, and write a storyboard for it"
    bl_options = {"UNDO"}

    project: StringProperty(
        name="Project",
        description="Folder for the song's analysis and pictures; empty for one beside the song",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    replace: REPLACE
    fit: BoolProperty(
        name="Fit the Timeline to the Song",
        description="Let the scene end where the song does",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.wait = False
        if self.filepath:
            return self._ask(context)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def _ask(self, context: Context) -> set[str]:
        scene, song = compat.sequencer_scene(context), requests.absolute(self.filepath)
        if not self.properties.is_property_set("fit"):
            self.fit = self._usually_fits(scene, song)
        return ask(self, context, song)

    @staticmethod
    def _usually_fits(scene: Scene, song: Path) -> bool:
        return songs.is_empty(scene) or (bool(songs.to_replace(scene, song)) and songs.ends_with_song(scene))

    def execute(self, context: Context) -> set[str]:
        if self._must_ask(compat.sequencer_scene(context)):
            more = {"fit": self.fit} if self.properties.is_property_set("fit") else {}
            bpy.ops.aimv.import_song("INVOKE_DEFAULT", filepath=self.filepath, **more)
            return {"CANCELLED"}  # that one goes on
        return super().execute(context)

    def _must_ask(self, scene: Scene) -> bool:
        """Whether the person, who has only chosen a song yet, has to say where the project shall be, or what shall
        become of another song."""
        song = requests.absolute(self.filepath)
        open_question = not bpy.data.filepath or not songs.can_keep(song.parent) or songs.to_replace(scene, song)
        return not self.wait and not self.project and song.is_file() and bool(open_question)

    def work(self, scene: Scene) -> list[jobs.Job]:
        song = requests.absolute(self.filepath)
        project = requests.absolute(self.project) if self.project else songs.project_beside(song)
        fit = self.fit if self.properties.is_property_set("fit") else self._usually_fits(scene, song)
        songs.check_song(scene, song, self.replace)
        songs.check_place(song, project)
        if songs.to_replace(scene, song):
            songs.take_away(scene)
        elif segments.markers(scene):
            self.report({"INFO"}, "The scenes that are there are kept; Write Storyboard writes new ones")
        if scene.aimv.song and songs.has_strip(scene, song):
            songs.choose(scene, song, project, scene.aimv.song_frame)
        else:
            songs.choose(scene, song, project, scene.frame_start)
            sequencer.lay_song(scene, song, scene.frame_start)
        return songs.listen(scene, fit, replace=False)

    def draw(self, context: Context) -> None:
        draw_question(self, compat.sequencer_scene(context)).prop(self, "fit")


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
    replace: REPLACE

    @classmethod
    def poll(cls, context: Context) -> bool:
        editor = compat.sequencer_scene(context).sequence_editor
        strip = editor.active_strip if editor else None
        cls.poll_message_set("Select a sound strip first")
        return strip is not None and strip.type == "SOUND"

    def invoke(self, context: Context, _event: Event) -> set[str]:
        self.wait = False
        scene = compat.sequencer_scene(context)
        song = requests.absolute(scene.sequence_editor.active_strip.sound.filepath)
        if bpy.data.filepath and songs.can_keep(song.parent) and not songs.to_replace(scene, song):
            return self.execute(context)
        return ask(self, context, song)

    def work(self, scene: Scene) -> list[jobs.Job]:
        strip = scene.sequence_editor.active_strip
        if strip.sound.packed_file:
            raise AddonError("This sound is packed into the .blend: unpack it first (File, External Data)")
        song = requests.absolute(strip.sound.filepath)
        project = requests.absolute(self.project) if self.project else songs.project_beside(song)
        songs.check_song(scene, song, self.replace)
        songs.check_place(song, project)
        start = compat.sound_start(strip, float(segments.fps(scene)))
        if songs.to_replace(scene, song):
            songs.take_away(scene)
        songs.choose(scene, song, project, start)
        return songs.listen(scene, fit=False, replace=False)

    def draw(self, context: Context) -> None:
        draw_question(self, compat.sequencer_scene(context))


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
        return songs.listen(scene, fit=False, replace=self.replace)


class AIMV_OT_find_song(SongFile, Operator):
    bl_idname = "aimv.find_song"
    bl_label = "Find Song"
    bl_description = "Say where the song's file is now. Nothing is analyzed anew"
    bl_options = {"UNDO"}

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
