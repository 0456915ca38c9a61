"""The extension as a person gets it: built, looked into, offered by a repository, installed in empty Blenders."""

import ast
import hashlib
import json
import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from aimv_engine.song.demo import compose
from tests.test_blender import SCRIPTS, command, run

ROOT = Path(__file__).resolve().parents[1]
INSTALL = SCRIPTS / "install_package.py"
LARGEST = 2_000_000  # bytes


@pytest.fixture(scope="session")
def built(newest_blender: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with what `aimv.py build` makes."""
    folder = tmp_path_factory.mktemp("extension") / "für alle"
    done = run(newest_blender, ROOT / "scripts" / "build_extension.py", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "arning" not in done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def package(built: Path) -> Path:
    (package,) = built.glob("*.zip")
    return package


def install(blender: list[str], profile: Path, *arguments: object) -> str:
    """Runs install_package.py in a Blender whose settings and extensions lie in `profile`. Returns what it printed."""
    profile.mkdir()
    hidden = ("AIMV_HOME", "PYTHONPATH")  # it must do without this checkout
    variables = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run(
        command(blender, INSTALL, *arguments),
        env={**variables, "BLENDER_USER_RESOURCES": str(profile)},
        cwd=profile,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_manifest_says_what_reviewers_ask_for() -> None:
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert manifest["version"] == project["version"]
    assert manifest["permissions"].keys() == {"files", "network"}
    for text in (*manifest["permissions"].values(), manifest["tagline"]):
        assert len(text) <= 64
        assert text[-1].isalnum()


def test_the_zip_holds_the_packages_and_nothing_else(package: Path) -> None:
    packages = ("aimv_engine", "blender_addon", "presets", "requirements")
    single = {"__init__.py", "aimv.py", "blender_manifest.toml", "LICENSE"}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for name in packages
        for path in (ROOT / name).rglob("*")
        if path.suffix in (".py", ".toml", ".txt")
    }
    with zipfile.ZipFile(package) as archive:
        assert set(archive.namelist()) == wanted | single
    assert package.stat().st_size < LARGEST


def test_the_index_offers_the_zip_that_lies_beside_it(built: Path, package: Path) -> None:
    (offer,) = json.loads((built / "index.json").read_text(encoding="utf-8"))["data"]
    assert (offer["id"], offer["archive_url"]) == ("aimv", f"./{package.name}")
    assert offer["archive_hash"] == "sha256:" + hashlib.sha256(package.read_bytes()).hexdigest()
    assert package.name in (built / "index.html").read_text(encoding="utf-8")


def test_the_add_on_keeps_to_itself() -> None:
    """Imports are relative, and nobody changes where Python looks for modules."""
    foreign = {"bpy", "bpy_extras", "bl_ui", "blf", "gpu", "gpu_extras", "mathutils", "numpy"}
    for path in [ROOT / "__init__.py", *(ROOT / "blender_addon").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules = {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = {str(node.module).partition(".")[0]}
            else:
                changes_path = isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.path"
                assert not changes_path or path.name == "headless.py", path  # that one is a script of its own
                continue
            assert modules <= sys.stdlib_module_names | foreign, path


def test_it_installs_in_an_empty_blender(blender: list[str], package: Path, tmp_path: Path) -> None:
    assert "arning" not in install(blender, tmp_path / "profile", package)


def test_it_installs_from_the_repository(newest_blender: list[str], built: Path, tmp_path: Path) -> None:
    install(newest_blender, tmp_path / "profile", built / "index.json")


def test_what_was_installed_makes_a_film(newest_blender: list[str], package: Path, tmp_path: Path) -> None:
    song, film = tmp_path / "Lied.wav", tmp_path / "Film.mp4"
    compose(song, 10.0)
    install(newest_blender, tmp_path / "profile", package, song, sys.executable, film)
    frames = imageio_ffmpeg.read_frames(film)
    about = next(frames)
    assert (about["size"], about["codec"], about["audio_codec"]) == ((128, 72), "h264", "aac")
    pictures = [np.frombuffer(frame, np.uint8) for frame in frames]
    assert len(pictures) == 36
    assert all(picture.std() > 5 for picture in pictures)
    assert not np.array_equal(pictures[0], pictures[12])
    installed = tmp_path / "profile" / "extensions" / "user_default" / "aimv"
    with zipfile.ZipFile(package) as archive:
        written = {path for path in installed.rglob("*") if path.is_file() and path.suffix != ".pyc"}
        assert {path.relative_to(installed).as_posix() for path in written} == set(archive.namelist())
