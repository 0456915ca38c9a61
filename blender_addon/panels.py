"""The sidebar tab "AIMV" of the Video Sequencer, from the first step to the output.

Everything here is drawn anew at every redraw: it reads what is known, and asks neither the disk nor the engine.
"""

import bpy
from bpy.types import Context, Panel, Scene, TimelineMarker, UILayout

from . import activity, compat, disk, files, jobs, lists, models, preferences, requests, segments, strips
from .errors import AddonError
from .layouts import clock, setting, size, units, width, wrapped
from .operators import generate


class Sidebar:
    """Where our panels are."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "AIMV"


class SongPanel(Sidebar):
    """A panel that there is once a song was imported."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(compat.sequencer_scene(context).aimv.song)


class ScenesPanel(Sidebar):
    """A panel that there is once there are scenes."""

    @classmethod
    def poll(cls, context: Context) -> bool:
        return bool(segments.markers(compat.sequencer_scene(context)))


def engine_is_set_up() -> bool:
    """Whether there is something to start."""
    try:
        preferences.engine_command()
    except AddonError:
        return False
    return True


def split(layout: UILayout) -> UILayout:
    """A column of settings, each with its name at the left. (What is not keyed needs no decorators.)"""
    column = layout.column()
    column.use_property_split = True
    column.use_property_decorate = False
    return column


# First steps


class AIMV_PT_first_steps(Sidebar, Panel):
    bl_label = "First Steps"

    @classmethod
    def poll(cls, context: Context) -> bool:
        scene = compat.sequencer_scene(context)
        return not engine_is_set_up() or not any(marker.aimv.made for marker in segments.markers(scene))

    def draw(self, context: Context) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        pixels = width(context)
        markers = segments.markers(scene)
        done = (engine_is_set_up(), bool(scene.aimv.song and markers))
        if self._step(layout, "Set up the engine", done[0], True):
            self._draw_engine(layout, pixels)
        if self._step(layout, "Import a song", done[1], done[0]):
            wrapped(layout, "It is analyzed, and a storyboard of scenes is laid out on the timeline.", pixels)
            if all(job.ended for job in jobs.of(scene)):
                column = layout.column(align=True)
                column.operator("aimv.import_song", icon="FILE_SOUND")
                column.operator("aimv.use_sound_strip", icon="SPEAKER")
        if self._step(layout, "Generate", False, all(done)):
            wrapped(layout, "Go through the scenes below, change what you like, and let them be painted.", pixels)
            operator = layout.operator("aimv.generate", text="Generate All Scenes", icon="RENDERLAYERS")
            operator.scope = "ALL"
        if not markers:
            activity.draw(layout, context, scene)

    @staticmethod
    def _draw_engine(layout: UILayout, pixels: float) -> None:
        status = preferences.status()
        if status.state == "SETTING_UP":
            wrapped(layout, status.text, pixels)
            row = layout.row(align=True)
            row.progress(factor=preferences.now.set_up.fraction)
            row.operator("aimv.cancel_set_up", text="", icon="X")
            return
        if status.state == "MISSING":
            wrapped(layout, "It listens to songs and paints pictures, apart from Blender. This is done once.", pixels)
        else:
            row = layout.row()
            row.alert = status.state == "FAILED"
            wrapped(row, status.text, pixels)
        layout.operator(
            "preferences.addon_show", text="Open Preferences", icon="PREFERENCES"
        ).module = preferences.PACKAGE

    @staticmethod
    def _step(layout: UILayout, title: str, done: bool, possible: bool) -> bool:
        """Heads a step. Returns whether it is the one to take now."""
        row = layout.row()
        row.active = possible and not done
        row.label(text=title, icon="CHECKMARK" if done else "RADIOBUT_ON" if possible else "RADIOBUT_OFF")
        return possible and not done


# Song


class AIMV_PT_song(SongPanel, Panel):
    bl_label = "Song"

    def draw(self, context: Context) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        own, pixels = scene.aimv, width(context)
        row = layout.row(align=True)
        wrapped(row, bpy.path.display_name_from_filepath(own.song), pixels - 30, icon="FILE_SOUND")
        row.operator("aimv.import_song", text="", icon="FILE_FOLDER")
        if files.song_is_missing(scene):
            box = layout.box()
            text = box.row()
            text.alert = True
            wrapped(text, f"The song is missing: {requests.absolute(own.song)}", pixels - 40, icon="ERROR")
            box.operator("aimv.find_song", icon="VIEWZOOM")
        facts = _facts(own)
        if facts:
            wrapped(layout, facts, pixels)
        if own.main_tags:
            tags = wrapped(layout, ", ".join(tag.name for tag in own.main_tags), pixels)
            tags.active = False
        column = layout.column(align=True)
        column.operator("aimv.show_overview", icon="IMAGE_DATA")
        column.operator("aimv.write_storyboard", icon="FILE_REFRESH")
        layout.prop(own, "show_overlay", text="Show Taggram on Timeline")


def _facts(own: bpy.types.PropertyGroup) -> str:
    """What was heard, in a line. Empty before the analysis."""
    if not own.duration:
        return ""
    tempo = f"{own.tempo:.1f} BPM" if own.tempo else "no steady beat"
    return ", ".join(fact for fact in (clock(own.duration), tempo, own.key) if fact)


class AIMV_PT_song_settings(SongPanel, Panel):
    bl_label = "Settings"
    bl_parent_id = "AIMV_PT_song"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        own = compat.sequencer_scene(context).aimv
        column = split(self.layout)
        column.prop(own, "look")
        setting(column, context, own, "artist")
        column.prop(own, "seed")
        column.separator()
        setting(column, context, own, "tagger")
        column.prop(own, "hop")
        column.prop(own, "clusters")
        column.separator()
        setting(column, context, own, "writer")
        setting(column, context, own, "clip")
        column.separator()
        column.prop(own, "keyframe_rate", text="Keyframes")


# Scenes


class AIMV_PT_scenes(SongPanel, Panel):
    bl_label = "Scenes"

    def draw(self, context: Context) -> None:
        lists.draw_scenes(self.layout, compat.sequencer_scene(context))


class AIMV_PT_scene(ScenesPanel, Panel):
    bl_label = "Scene"

    def draw(self, context: Context) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        marker = segments.current(scene)
        if marker is None:
            wrapped(layout, "The playhead is before the first scene.", width(context))
            return
        own = marker.aimv
        row = layout.row(align=True)
        row.prop(marker, "name", text="", icon=compat.color_icon(strips.color_tag(marker)))
        row.prop(own, "locked", text="", icon="LOCKED" if own.locked else "UNLOCKED")
        self._draw_state(layout, scene, marker)
        self._draw_words(layout, context, marker)
        column = split(layout)
        column.prop(own, "look")
        row = column.row(align=True)
        row.prop(own, "seed")
        row.prop(own, "seed_locked", text="", icon="LOCKED" if own.seed_locked else "UNLOCKED")
        row.operator("aimv.shuffle_seed", text="", icon="FILE_REFRESH")
        column.prop(own, "camera")
        column.prop(own, "intensity")
        column.prop(own, "style", text="Style")

    @staticmethod
    def _draw_state(layout: UILayout, scene: Scene, marker: TimelineMarker) -> None:
        first, last = segments.bounds(scene, marker)
        times = " – ".join(clock(segments.seconds(scene, frame)) for frame in (first, last))
        row = layout.row()
        row.label(text=times)
        state = row.row()
        state.alignment = "RIGHT"
        lists.draw_state(state, *jobs.state_of(scene, marker), briefly=False)

    @staticmethod
    def _draw_words(layout: UILayout, context: Context, marker: TimelineMarker) -> None:
        own, pixels = marker.aimv, width(context)
        column = layout.column(align=True)
        column.label(text="Prompt")
        if not compat.text_box(column, own, "sentence", 5):
            wrapped(column, own.sentence, pixels)
        row = column.row(align=True) if units(context) > 15 else column
        row.operator("aimv.rewrite", icon="FILE_REFRESH")
        row.operator("aimv.edit_prompt", icon="TEXT")
        column = layout.column(align=True)
        column.label(text="Negative Prompt")
        compat.text_box(column, own, "negative", 2)


class AIMV_PT_candidates(ScenesPanel, Panel):
    bl_label = "Suggestions"
    bl_parent_id = "AIMV_PT_scene"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        marker = segments.current(scene)
        if marker is None or not marker.aimv.candidates:
            wrapped(layout, "Rewrite offers sentences to choose from.", width(context))
            return
        for index, candidate in enumerate(marker.aimv.candidates):
            chosen = candidate.name == marker.aimv.sentence
            row = layout.box().row()
            wrapped(row, candidate.name, width(context) - 45)
            icon = "RADIOBUT_ON" if chosen else "RADIOBUT_OFF"
            row.operator("aimv.use_candidate", text="", icon=icon, emboss=False).index = index


class AIMV_PT_tags(ScenesPanel, Panel):
    bl_label = "Tags"
    bl_parent_id = "AIMV_PT_scene"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        marker = segments.current(scene)
        if marker is None:
            return
        column = layout.column(align=True)
        for index, tag in enumerate(marker.aimv.tags):
            row = column.row(align=True)
            row.prop(tag, "weight", text=tag.name, slider=True, translate=False)
            row.operator("aimv.remove_tag", text="", icon="X").index = index
        layout.operator("aimv.add_tag", icon="ADD")


# Generate


class AIMV_PT_generate(ScenesPanel, Panel):
    bl_label = "Generate"

    def draw(self, context: Context) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        _draw_generate_buttons(layout, scene, width(context))
        activity.draw(layout, context, scene)


def _draw_generate_buttons(layout: UILayout, scene: Scene, pixels: float) -> None:
    layout.row().prop(scene.aimv, "quality", expand=True)
    try:
        stale = len(generate.wanted(scene, "STALE"))
    except AddonError as error:
        wrapped(layout, str(error), pixels, icon="ERROR")
        return
    column = layout.column(align=True)
    for scope, text, icon in (
        ("SCENE", "This Scene", "SEQUENCE"),
        ("STALE", f"Stale Scenes ({stale})", "FILE_REFRESH"),
        ("ALL", "All Scenes", "RENDERLAYERS"),
    ):
        row = column.row(align=True)
        row.enabled = scope != "STALE" or stale > 0
        row.operator("aimv.generate", text=text, icon=icon).scope = scope


class AIMV_PT_generator(ScenesPanel, Panel):
    bl_label = "Generator"
    bl_parent_id = "AIMV_PT_generate"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        layout, own = self.layout, compat.sequencer_scene(context).aimv
        column = split(layout)
        setting(column, context, own, "generator")
        if own.generator == "paint":
            return
        row = column.row(align=True)
        setting(row, context, own, "diffusion_model")
        row.menu("AIMV_MT_models", text="", icon="DOWNARROW_HLT")
        if not models.is_diffusion(own):
            return
        setting(column, context, own, "mode")
        if own.mode == "follow":
            setting(column, context, own, "follow")
        column.prop(own, "steps")
        column.prop(own, "guidance")
        column.prop(own, "best_of")
        if card := models.card(own.diffusion_model):
            wrapped(layout, f"{card.title}. {card.note}", width(context))
            plural = "" if card.steps == 1 else "s"
            needs = f"By itself {card.steps} step{plural}, guidance {card.guidance:g}; {card.memory_gb:g} GB of a GPU"
            wrapped(layout, needs, width(context))
            wrapped(layout, f"Licence: {card.licence}", width(context))
        elif not own.diffusion_model:
            wrapped(layout, "Choose a model: the arrow offers some.", width(context), icon="INFO")


# Effects and output


class AIMV_PT_effects(ScenesPanel, Panel):
    bl_label = "Effects"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        layout, own = self.layout, compat.sequencer_scene(context).aimv
        column = split(layout)
        for name in ("pulse", "flash", "saturation", "strobe"):
            column.prop(own, name)
        if own.strobe:
            note = "Fast flashes can harm people with photosensitive epilepsy."
            wrapped(layout, note, width(context), icon="ERROR")
        column = layout.column(align=True)
        column.operator("aimv.apply_effects", icon="CHECKMARK")
        column.operator("aimv.remove_effects", icon="X")
        layout.operator("aimv.cross_fades", icon="ARROW_LEFTRIGHT")


class AIMV_PT_output(ScenesPanel, Panel):
    bl_label = "Output"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Context) -> None:
        layout, scene = self.layout, compat.sequencer_scene(context)
        layout.operator("aimv.use_h264", icon="OUTPUT")
        found = disk.known(requests.project(scene)) if scene.aimv.project else {}
        if found:
            unused = f", {size(found['unused_bytes'])} of that unused" if found["unused_count"] else ""
            wrapped(layout, f"Pictures take {size(found['bytes'])}{unused}", width(context), icon="DISK_DRIVE")
        layout.operator("aimv.clean_up", icon="TRASH")


# In the order in which they are shown: what is being done, and what went wrong, is never scrolled away
CLASSES = (
    AIMV_PT_first_steps,
    AIMV_PT_generate,
    AIMV_PT_generator,
    AIMV_PT_scenes,
    AIMV_PT_scene,
    AIMV_PT_candidates,
    AIMV_PT_tags,
    AIMV_PT_effects,
    AIMV_PT_song,
    AIMV_PT_song_settings,
    AIMV_PT_output,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
