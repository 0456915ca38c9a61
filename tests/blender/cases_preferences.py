"""The preferences: what runs, setting it up, and how that looks; the set-up itself is a script that pretends."""

import os
import sys
import time
import warnings
from types import SimpleNamespace

import bpy
import harness

ENGINE = next((word[9:] for word in sys.argv if word.startswith("--engine=")), sys.executable)
LAUNCHER = """
import json, sys, time
print(json.dumps({"progress": {"stage": "Engine: fetching", "done": 1, "total": 4}}), flush=True)
print("arguments", sys.argv[1:], file=sys.stderr)
kind = open(__file__ + ".kind").read()
if kind == "slow":
    sys.stdin.read()
elif kind == "fails":
    print(json.dumps({"error": "Engine: the disk is full; make room and run again"}))
    sys.exit(1)
else:
    print(json.dumps({"result": {"python": "x"}}))
"""


class Layout:
    """A layout that remembers what was put into it."""

    def __init__(self, seen=None):
        self.seen = [] if seen is None else seen

    def __getattr__(self, name):
        if name in ("column", "row", "box"):
            return lambda **options: Layout(self.seen)
        if name in ("label", "progress"):
            return lambda text, **options: self.seen.append(text)
        if name == "operator":
            return lambda idname, **options: self.seen.append(idname) or SimpleNamespace()
        if name == "prop":
            return lambda data, name: self.seen.append(name)
        return lambda **options: None


def drawn():
    """All that the preferences show now, as one text."""
    from aimv.blender_addon import preferences

    view = SimpleNamespace(region_to_view=lambda x, y: (x, y))
    context = SimpleNamespace(region=SimpleNamespace(view2d=view, width=1200), preferences=bpy.context.preferences)
    layout = Layout()
    preferences.draw(preferences.get(), layout, context)
    return " ".join(layout.seen)


def own_home(folder, online=True):
    """A home without an engine, and no Python chosen; a Blender that may go online."""
    from aimv.aimv_engine import environment
    from aimv.blender_addon import preferences

    environment.CHECKOUT = harness.ROOT
    os.environ["AIMV_HOME"] = str(folder / "home")
    (folder / "home").mkdir()
    preferences.now.set_up, preferences.now.ready = None, (-1.0, None)
    preferences.get().engine_python = preferences.get().package_index = ""
    bpy.context.preferences.system.use_online_access = online
    return preferences


def pretend(folder, kind):
    """Has the set-up run a launcher that only pretends."""
    from aimv.aimv_engine import environment

    (folder / "aimv.py").write_text(LAUNCHER)
    (folder / "aimv.py.kind").write_text(kind)
    environment.CHECKOUT = folder


def raises(kind, call, words):
    """The call raises an error of that kind with these words in it."""
    said = None
    try:
        call()
    except kind as error:
        said = str(error)
    assert said is not None, f"no {kind.__name__}"
    assert words in said, said


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def case_without_an_engine_they_say_what_to_do(folder):
    preferences = own_home(folder)
    assert preferences.status().state == "MISSING"
    raises(preferences.AddonError, preferences.engine_command, "Set Up Engine")
    preferences.home().rmdir()  # a home that was chosen by AIMV_HOME is made by the set-up
    shown = drawn()
    assert "aimv.set_up_engine" in shown
    assert "free on its disk" in shown
    assert "Allow Online Access" not in shown


def case_offline_they_say_where_to_go_online(folder):
    preferences = own_home(folder, online=False)
    assert "Network > Allow Online Access" in drawn()
    assert not bpy.ops.aimv.set_up_engine.poll()
    raises(preferences.AddonError, preferences.begin_set_up, "Allow Online Access")


def case_a_set_up_goes_well(folder):
    preferences = own_home(folder)
    pretend(folder, "well")
    preferences.get().package_index = " file:///somewhere "
    assert bpy.ops.aimv.set_up_engine() == {"FINISHED"}
    assert preferences.now.set_up.state == "DONE"
    log = preferences.log("setup").read_text()
    assert "'setup', '--json', '--index', 'file:///somewhere'" in log


def case_a_set_up_fails_in_one_line(folder):
    preferences = own_home(folder)
    pretend(folder, "fails")
    raises(RuntimeError, bpy.ops.aimv.set_up_engine, "the disk is full; make room")
    assert preferences.status().state == "FAILED"
    shown = drawn()
    assert "the disk is full" in shown
    assert "aimv.set_up_engine" in shown


def case_a_set_up_shows_how_far_it_is_and_can_be_cancelled(folder):
    preferences = own_home(folder)
    pretend(folder, "slow")
    assert not bpy.ops.aimv.cancel_set_up.poll()
    preferences.begin_set_up()  # as the button does: without a window, Blender executes what it should invoke
    until(lambda: preferences.now.set_up.total == 4)
    assert preferences.status().text == "Engine: fetching"
    assert "1 of 4 aimv.cancel_set_up" in drawn()
    assert not bpy.ops.aimv.set_up_engine.poll()
    began = time.monotonic()
    bpy.ops.aimv.cancel_set_up()
    until(lambda: preferences.now.set_up.state == "CANCELLED")
    assert time.monotonic() - began < 2
    assert preferences.status().state == "MISSING"


def case_a_chosen_python_is_tried(folder):
    preferences = own_home(folder)
    choices = preferences.get()
    choices.engine_python = ENGINE
    assert preferences.status().state == "TRYING"
    until(lambda: preferences.status().state != "TRYING")
    assert preferences.status().state == "READY", preferences.status().text
    assert "runs in this Python" in drawn()
    assert preferences.engine_command()[0] == ENGINE

    choices.engine_python = str(folder / "python")
    assert preferences.status().state == "FAILED"
    assert "There is no Python" in drawn()
    raises(preferences.AddonError, preferences.engine_command, "choose another one")

    if os.name == "posix":
        (folder / "python").write_text("#!/bin/sh\necho no torch here >&2\nexit 1\n")
        (folder / "python").chmod(0o755)
        preferences.end_trial()
        until(lambda: preferences.status().state == "FAILED")
        assert "no torch here" in preferences.status().text


def case_a_python_chosen_relative_to_the_file_is_kept_as_absolute(folder):
    preferences = own_home(folder)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "some.blend"))
    with warnings.catch_warnings():  # later Blenders say that there are no such paths here; 4.2's browser gives them
        warnings.simplefilter("ignore")
        preferences.get().engine_python = "//bin/python"
    assert preferences.get().engine_python == str(folder / "bin" / "python")


def case_the_choice_of_compute_reaches_the_engine(folder):
    preferences = own_home(folder)
    for item in preferences.get().bl_rna.properties["compute"].enum_items:
        preferences.get().compute = item.identifier
        assert preferences.engine_variables()["AIMV_COMPUTE"] == item.identifier
        drawn()
    preferences.get().compute = "rocm"
    assert "address of another one" in drawn()
    preferences.get().compute = "auto"


def case_a_log_that_is_not_there_is_no_traceback(folder):
    own_home(folder)
    raises(RuntimeError, lambda: bpy.ops.aimv.open_log(which="engine"), "There is no engine.log yet")


def case_the_engine_is_ended_and_comes_back(folder):
    own_home(folder)
    assert bpy.ops.aimv.restart_engine() == {"FINISHED"}


def case_blenders_own_python_runs_the_launcher(folder):
    preferences = own_home(folder)
    assert preferences._own_python() == sys.executable


if __name__ == "__main__":
    harness.main(globals())
