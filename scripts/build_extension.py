"""Builds the extension's zip and the index of a self-hosted extension repository around it. `aimv.py build` runs it.

It runs inside Blender, because Blender brings the tool that builds and checks extensions:

    python build_extension.py FOLDER                                    where that Python has the bpy module
    blender --background --factory-startup --python build_extension.py -- FOLDER

FOLDER then holds the zip, index.json and index.html. Put on any web server, the address of its index.json is what
Blender's Preferences > Get Extensions > Repositories > Add Remote Repository asks for.
"""

import os
import subprocess
import sys
from pathlib import Path

import bpy

ROOT = Path(__file__).resolve().parents[1]
TOOL = Path("addons_core", "bl_pkg", "cli", "blender_ext.py")


def main(words: list[str]) -> int:
    """The exit status: that of the first step that goes wrong, or 0."""
    folder = Path(words[0] if words else "dist").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    steps = (
        ["validate", str(ROOT)],
        ["build", f"--source-dir={ROOT}", f"--output-dir={folder}"],
        ["server-generate", f"--repo-dir={folder}", "--html"],
    )
    tool = str(Path(bpy.utils.system_resource("SCRIPTS"), TOOL))
    for step in steps:
        status = subprocess.run([sys.executable, tool, *step], check=False).returncode
        if status != 0:
            return status
    return 0


if __name__ == "__main__":
    status = main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:])
    sys.stdout.flush()
    os._exit(status)  # leaving the ordinary way, bpy 4.5 can hang and 4.2 can crash
