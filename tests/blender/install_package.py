"""Runs inside a Blender with an empty profile: installs the extension as a person does.

    install_package.py ZIP                          from the file
    install_package.py ZIP SONG ENGINE FILM.mp4     and makes FILM.mp4 with it, by Blender's own render
    install_package.py INDEX.json                   from the repository whose index that is

ENGINE is the Python that is chosen in the preferences.
"""

import os
import sys
import traceback
from pathlib import Path

import bpy


def main(words):
    source = Path(words[0]).absolute()
    repository = install_file(source) if source.suffix == ".zip" else install_from_repository(source)
    package = f"bl_ext.{repository}.aimv"
    preferences = bpy.context.preferences.addons[package].preferences
    user = Path(bpy.utils.extension_path_user(package))
    assert not list(user.rglob("*")), "enabling it wrote files"
    if words[1:]:
        song, preferences.engine_python, film = words[1:]
        make_film(song, film)
    bpy.ops.preferences.addon_disable(module=package)
    assert not hasattr(bpy.types.Scene, "aimv")
    bpy.ops.preferences.addon_enable(module=package)
    assert hasattr(bpy.types.Scene, "aimv")


def install_file(package):
    bpy.ops.extensions.package_install_files(filepath=str(package), repo="user_default", enable_on_install=True)
    return "user_default"


def install_from_repository(index):
    bpy.context.preferences.system.use_online_access = True  # asked for even where the repository is a file
    repository = bpy.context.preferences.extensions.repos.new(
        name="Own", module="own", remote_url=index.as_uri(), custom_directory=""
    )
    here = {"repo_directory": repository.directory}
    bpy.ops.extensions.repo_sync(**here)
    bpy.ops.extensions.package_install(**here, pkg_id="aimv", enable_on_install=True)
    return "own"


def make_film(song, film):
    bpy.ops.wm.read_homefile(app_template="Video_Editing", use_factory_startup=True, load_ui=False)
    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 128, 72
    scene.render.fps = 12
    scene.aimv.quality = "final"
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(film).with_suffix(".blend")))
    bpy.ops.aimv.import_song(filepath=song)
    scene.frame_end = 36
    bpy.ops.aimv.generate(scope="ALL")
    bpy.ops.aimv.apply_effects()
    bpy.ops.aimv.use_h264()
    scene.render.filepath = film
    bpy.ops.wm.save_mainfile()
    bpy.ops.render.render(animation=True)


if __name__ == "__main__":
    try:
        main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)  # leaving the ordinary way, bpy 4.5 can hang and 4.2 can crash
