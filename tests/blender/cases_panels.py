"""The sidebar: what is drawn in which state of things, that all it names exists, and that no text is cut.

Without a window Blender has no layouts. The one here takes down what is drawn, and refuses names that Blender does not
know. How it looks is seen in tests/ui.
"""

from types import SimpleNamespace

import bpy
import harness
from cases_segments import make_all, storyboard

NARROW, WIDE = 240, 520  # pixels of a sidebar
ICONS = bpy.types.UILayout.bl_rna.functions["label"].parameters["icon"].enum_items


class Settings:
    """The properties of an operator's button: only those that the operator has can be set."""

    def __init__(self, kind):
        object.__setattr__(self, "known", kind.properties.keys())

    def __setattr__(self, name, value):
        assert name in self.known, name


class Layout:
    """Takes down what is drawn: texts, and operators by their names."""

    def __init__(self, drawn=None):
        self.drawn = drawn or SimpleNamespace(texts=[], operators=[], properties=[])

    def row(self, align=False):
        return Layout(self.drawn)

    def column(self, align=False):
        return Layout(self.drawn)

    def box(self):
        return Layout(self.drawn)

    def split(self, factor=0.0, align=False):
        assert 0 < factor < 1
        return Layout(self.drawn)

    def separator(self):
        pass

    def label(self, text="", icon="NONE", translate=True):
        assert icon in ICONS, icon
        self.drawn.texts.append(text)

    def progress(self, text="", factor=0.0, type="BAR"):
        assert 0 <= factor <= 1
        self.drawn.texts.append(text)

    def prop(self, data, name, text=None, icon="NONE", **_):
        assert name in data.bl_rna.properties, name
        assert icon in ICONS, icon
        self.drawn.properties.append(name)

    def textbox(self, data, name, initial_visible_lines=0):
        self.prop(data, name)

    def operator(self, name, text=None, icon="NONE", emboss=True):
        assert icon in ICONS, icon
        module, function = name.split(".")
        self.drawn.operators.append(name)
        return Settings(getattr(getattr(bpy.ops, module), function).get_rna_type())

    def menu(self, name, text=None, icon="NONE"):
        getattr(bpy.types, name).draw(SimpleNamespace(layout=self), None)

    def template_list(self, list_type, list_id, data, name, active_data, active_name, rows):
        assert hasattr(active_data, active_name)
        kind = getattr(bpy.types, list_type)
        for marker in getattr(data, name):
            if marker.aimv.is_scene:
                kind.draw_item(None, self.context, self, data, marker, 0, active_data, active_name)


def length(text, points):
    """The width of a text in pixels."""
    import blf  # which there is once bpy was imported

    blf.size(0, points)
    return blf.dimensions(0, text)[0]


class Shown:
    """What a panel's draw() sees as itself."""

    def __init__(self, panel, layout):
        self.panel, self.layout = panel, layout

    def __getattr__(self, name):
        return getattr(self.panel, name)


def sidebar(pixels=WIDE):
    """Draws all panels that show themselves. Returns their names, and all that was drawn."""
    from aimv.blender_addon import layouts, panels

    scene = bpy.context.scene
    context = SimpleNamespace(
        scene=scene,
        sequencer_scene=scene,
        preferences=bpy.context.preferences,
        region=SimpleNamespace(width=pixels, view2d=SimpleNamespace(region_to_view=lambda x, y: (x, y))),
    )
    Layout.context = context
    shown = [panel for panel in panels.CLASSES if panel.poll(context)]
    layout = Layout()
    for panel in shown:
        panel.draw(Shown(panel, layout), context)
    room = layouts.width(context)
    points = bpy.context.preferences.ui_styles[0].widget.points * layouts.scale()
    for text in layout.drawn.texts:
        assert length(text, points) <= room, text
    return [panel.__name__.removeprefix("AIMV_PT_") for panel in shown], layout.drawn


def a_song():
    """The three scenes of a song."""
    scene = storyboard()
    scene.aimv.uid, scene.aimv.song, scene.aimv.duration, scene.aimv.tempo = "scene", "//A Night Train.ogg", 6.0, 92.34
    scene.aimv.key = "A minor"
    for name in ("guitar", "slow", "strings", "female vocal", "ambient", "soft"):
        scene.aimv.main_tags.add().name = name
    return scene


def case_a_new_file_shows_the_first_steps_only(folder):
    panels, drawn = sidebar(NARROW)
    assert panels == ["first_steps"]
    assert "aimv.import_song" in drawn.operators
    assert "preferences.addon_show" not in drawn.operators


def case_without_an_engine_the_way_to_the_preferences_is_shown(folder):
    from aimv.blender_addon import preferences

    engine = preferences.get().engine_python
    harness.use_engine(str(folder / "python"))
    try:
        panels, drawn = sidebar(NARROW)
    finally:
        harness.use_engine(engine)
    assert panels == ["first_steps"]
    assert drawn.operators == ["preferences.addon_show"]


def case_markers_of_others_are_no_scenes(folder):
    bpy.context.scene.timeline_markers.new("chorus", frame=10)
    assert sidebar()[0] == ["first_steps"]


def case_all_panels_are_drawn_narrow_and_wide(folder):
    a_song()
    for pixels in (NARROW, WIDE):
        panels, drawn = sidebar(pixels)
        assert panels[0] == "generate"
        assert panels[-1] == "output"
        assert "0:06, 92.3 BPM, A minor" in drawn.texts
        assert {"aimv.rewrite", "aimv.use_candidate", "aimv.remove_tag", "aimv.clean_up"} <= set(drawn.operators)
        assert {"sentence", "negative", "look", "seed", "camera", "intensity", "style"} <= set(drawn.properties)
        assert not any("Render" in text for text in drawn.texts)


def case_the_first_steps_go_when_a_scene_is_made(folder):
    scene = a_song()
    assert sidebar()[0][0] == "generate"
    for marker in scene.timeline_markers:
        marker.aimv.made = ""
    assert sidebar()[0][0] == "first_steps"


def case_before_the_first_scene_there_is_none_to_edit(folder):
    scene = a_song()
    scene.frame_start = scene.frame_current = -20
    _, drawn = sidebar(NARROW)
    assert any(
        "before the first scene" in " ".join(drawn.texts[index : index + 3]) for index in range(len(drawn.texts))
    )


def case_trouble_and_work_are_said(folder):
    from aimv.blender_addon import jobs, segments

    scene = a_song()
    uid = segments.markers(scene)[1].aimv.uid
    running = jobs.Job("scene", "generate", "Generate B1", {}, print, state="RUNNING", making={uid: ("x", "64x64")})
    running.stage, running.done, running.total, running.eta, running.fractions = "keyframes", 3, 7, 130.0, {uid: 0.43}
    waiting = jobs.Job("scene", "rewrite", "Rewrite A1", {}, print)
    jobs._jobs[:] = [running, waiting]
    jobs.state.error, jobs.state.engine_ended = "The disk is full: make room", True
    try:
        _, drawn = sidebar(WIDE)
        assert {"Generate B1", "3 of 7", "Keyframes, 2 min left", "Rewrite A1", "Making 43 %"} <= set(drawn.texts)
        assert drawn.operators.count("aimv.cancel") == 2
        assert {"The disk is full: make room"} <= set(drawn.texts)
        assert {"aimv.dismiss_error", "aimv.restart_engine", "aimv.open_log"} <= set(drawn.operators)
    finally:
        jobs._jobs.clear()
        jobs.dismiss_error()


def case_diffusion_shows_its_choices_only_when_it_is_used(folder):
    own = a_song().aimv
    fields = {"mode", "steps", "guidance", "best_of"}
    for generator, model, shown in (
        ("auto", "", set()),
        ("paint", "sdxl", set()),
        ("auto", "sdxl", fields),
        ("diffusion", "", fields),
        ("diffusion", str(folder / "a model with a long name.safetensors"), fields),
    ):
        own.generator, own.diffusion_model = generator, model
        for pixels in (NARROW, WIDE):
            panels, drawn = sidebar(pixels)
            assert panels[:2] == ["generate", "generator"]
            assert fields & set(drawn.properties) == shown, (generator, model)
            assert ("aimv.use_model" in drawn.operators) == (generator != "paint")
    own.mode = "follow"
    assert "follow" in sidebar(WIDE)[1].properties
    own.diffusion_model = "sd-turbo"
    assert "Licence: Stability AI Community (commercial use: stability.ai/license)" in " ".join(sidebar(WIDE)[1].texts)


def case_a_model_that_is_not_here_can_be_downloaded(folder):
    from aimv.blender_addon import jobs
    from aimv.blender_addon.operators import generate

    a_song()
    asked = {"settings": {"diffusion_model": "sd-turbo"}}
    failed = jobs.Job("scene", "generate", "Generate B1", asked, print, state="FAILED")
    failed.error = jobs.state.error = "the model isn't on this computer; add --download to have it downloaded once"
    jobs._jobs[:] = [failed]
    bpy.context.preferences.system.use_online_access = False
    try:
        for pixels in (NARROW, WIDE):
            _, drawn = sidebar(pixels)
            told = " ".join(drawn.texts)
            assert "SD-Turbo is not on this computer, or not all of it. 2.6 GB to download." in told
            assert "Blender is kept offline" in told
            assert "--download" not in told
            assert "aimv.download_model" in drawn.operators
        bpy.context.preferences.system.use_online_access = True
        assert "Blender is kept offline" not in " ".join(sidebar(WIDE)[1].texts)
        layout = Layout()
        question = SimpleNamespace(layout=layout, model="sd-turbo")
        generate.AIMV_OT_download_model.draw(question, None)
        assert "2.6 GB to download. Licence: Stability AI Community" in " ".join(layout.drawn.texts)
        jobs.state.error = "the disk is full"
        assert "aimv.download_model" not in sidebar(WIDE)[1].operators
    finally:
        bpy.context.preferences.system.use_online_access = False
        jobs._jobs.clear()
        jobs.dismiss_error()


def case_the_generator_makes_stale_only_when_a_model_draws(folder):
    from aimv.blender_addon import segments

    scene = a_song()
    make_all(scene)
    own, before = scene.aimv, segments.states(scene)
    own.mode, own.steps, own.guidance, own.best_of, own.follow = "feedback", 4, 3.0, 2, "elsewhere"
    assert segments.states(scene) == before  # paint has no use for them
    own.generator, own.diffusion_model = "paint", "sdxl"
    assert segments.states(scene) == before
    own.generator = "auto"
    assert "READY" not in segments.states(scene).values()
    make_all(scene)
    for name, value in {"diffusion_model": "sd15", "mode": "walk", "steps": 5, "guidance": 4.0, "best_of": 3}.items():
        was = getattr(own, name)
        setattr(own, name, value)
        assert "READY" not in segments.states(scene).values(), name
        setattr(own, name, was)
    own.follow = "somewhere"  # which only the mode Follow looks at
    assert segments.states(scene) == before


def case_what_is_known_of_files_is_shown(folder):
    from aimv.blender_addon import disk, files, jobs, requests, segments

    scene = a_song()
    scene.aimv.project = "//A Night Train.aimv"
    files._songs.clear()
    _, drawn = sidebar(NARROW)
    assert "aimv.find_song" in drawn.operators
    (folder / "song.ogg").touch()
    scene.aimv.song = str(folder / "song.ogg")
    assert "aimv.find_song" not in sidebar()[1].operators
    disk.learn(requests.project(scene), {"bytes": 3_400_000, "unused_bytes": 1_200_000, "unused_count": 2})
    files._incomplete["scene", segments.markers(scene)[0].aimv.uid] = 3
    jobs.state.error, jobs.state.engine_ended = "The engine was killed (log: /some/where/engine.log)", True
    try:
        _, drawn = sidebar(WIDE)
        assert {"Pictures take 3.4 MB, 1.2 MB of that unused", "Missing", "The engine was killed"} <= set(drawn.texts)
        jobs.state.engine_ended = False
        jobs.state.error = "Bad (log: it)"
        assert "Bad (log: it)" in sidebar(WIDE)[1].texts
    finally:
        jobs.dismiss_error()
        files.forget(scene)
        disk.learn(requests.project(scene), None)


def case_a_resolution_that_cannot_be_made_is_said(folder):
    scene = a_song()
    scene.aimv.quality = "final"
    scene.render.resolution_x = 60000
    _, drawn = sidebar(WIDE)
    assert any("can't be made" in text for text in drawn.texts)


def case_the_list_is_in_time_and_holds_our_markers_only(folder):
    from aimv.blender_addon import lists

    scene = bpy.context.scene
    for name, frame, ours in (("B1", 50, True), ("chorus", 20, False), ("A1", 1, True), ("A2", 90, True)):
        marker = scene.timeline_markers.new(name, frame=frame)
        marker.aimv.is_scene = ours
        marker.aimv.sentence = "A Lighthouse" if name == "A2" else "A hill"
    search = SimpleNamespace(bitflag_filter_item=1, filter_name="")
    flags, places = lists.AIMV_UL_scenes.filter_items(search, None, scene, "timeline_markers")
    assert flags == [1, 0, 1, 1]
    assert places == [2, 1, 0, 3]
    search.filter_name = "lighthouse"
    assert lists.AIMV_UL_scenes.filter_items(search, None, scene, "timeline_markers")[0] == [0, 0, 0, 1]


def case_broken_text_fits_and_loses_nothing(folder):
    from aimv.blender_addon import layouts

    text = "A lighthouse in the snow (log: /home/somebody/with/a/very/long/folder/name/that/has/no/spaces/engine.log)"
    for pixels in (40.0, 90.0, 180.0, 900.0):
        lines = layouts.lines(text, pixels, 11.0)
        assert all(length(line, 11.0) <= pixels for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert layouts.lines("", 90.0, 11.0) == ("",)
    assert layouts.lines("one\ntwo", 900.0, 11.0) == ("one", "two")


def case_times_and_sizes_read_as_people_say_them(folder):
    from aimv.blender_addon import layouts

    assert [layouts.clock(seconds) for seconds in (0, 59.7, 208, -3)] == ["0:00", "1:00", "3:28", "-0:03"]
    assert [layouts.remaining(seconds) for seconds in (1, 42, 130, 7200)] == [
        "5 s left",
        "40 s left",
        "2 min left",
        "2.0 h left",
    ]
    assert [layouts.size(count) for count in (12, 3_400_000, 5.25e9)] == ["12 bytes", "3.4 MB", "5.2 GB"]


def case_stale_scenes_are_counted_on_the_button(folder):
    from aimv.blender_addon import segments
    from aimv.blender_addon.operators import generate

    scene = a_song()
    first, second, third = segments.markers(scene)
    first.aimv.seed += -1
    second.aimv.locked = True
    second.aimv.made = ""
    assert [segment.marker for segment in generate.wanted(scene, "STALE")] == [first]
    make_all(scene)
    third.aimv.made_size = "2x2"
    first.aimv.made_size = f"{scene.render.resolution_x}x{scene.render.resolution_y}"
    scene.aimv.quality = "final"
    assert [segment.marker for segment in generate.wanted(scene, "STALE")] == [third]


if __name__ == "__main__":
    harness.main(globals())
