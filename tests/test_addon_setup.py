"""The add-on's set-up of the engine: the launcher in a child process, for real but with tiny packages."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.checkouts import ROOT, Checkout, add_slow_package, copy_launcher, processes_in_group
from tests.modules import load

link = load("addon_setup", ROOT / "blender_addon" / "setup.py")
POSIX = pytest.mark.skipif(os.name != "posix", reason="process groups")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return copy_launcher(tmp_path)


def begin(checkout: Checkout, *more: str, **variables: str) -> Any:
    command = [sys.executable, str(checkout.folder / "aimv.py"), "setup", "--json", *more]
    return link.SetUp(command, checkout.variables(**variables), checkout.home / "setup.log")


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def test_it_says_how_far_it_is_and_when_it_is_done(checkout: Checkout) -> None:
    setup = begin(checkout)
    seen = set()

    def over() -> bool:
        seen.add(setup.stage)
        assert 0.0 <= setup.fraction <= 1.0
        return bool(setup.state != "RUNNING")

    until(over)
    assert (setup.state, setup.error) == ("DONE", "")
    assert any(stage.startswith("Engine: ") for stage in seen)
    assert (checkout.packages / "needed").is_dir()


@POSIX
def test_cancel_ends_it_within_a_second_and_the_next_try_goes_on(checkout: Checkout) -> None:
    flag = add_slow_package(checkout)
    setup = begin(checkout, WAIT_WHILE=str(flag))
    until(lambda: (checkout.home / "setup.log").is_file() and "slow-1.0" in checkout.log)
    began = time.monotonic()
    setup.cancel()
    assert time.monotonic() - began < 0.1
    until(lambda: setup.state == "CANCELLED", 5)
    until(lambda: not processes_in_group(setup._process.pid), 5)
    flag.unlink()
    setup = begin(checkout, WAIT_WHILE=str(flag))
    until(lambda: setup.state != "RUNNING")
    assert setup.state == "DONE", setup.error


def test_cancel_at_once(checkout: Checkout) -> None:
    setup = begin(checkout)
    setup.cancel()
    until(lambda: setup.state == "CANCELLED", 10)


@POSIX
def test_a_child_that_does_not_listen_is_killed_with_its_own(tmp_path: Path) -> None:
    code = "import signal, subprocess, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    code += 'print(\'{"progress": {"stage": "deaf", "done": 1, "total": 2}}\', flush=True)\n'
    code += "subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
    setup = link.SetUp([sys.executable, "-c", code], os.environ, tmp_path / "setup.log")
    until(lambda: setup.stage == "deaf")
    assert setup.fraction == 0.5
    setup.cancel()
    until(lambda: setup.state == "CANCELLED", 5)
    until(lambda: not processes_in_group(setup._process.pid), 5)


def test_what_went_wrong_is_one_line_that_names_the_log(checkout: Checkout) -> None:
    checkout.require("engine.txt", "absent==1.0")
    setup = begin(checkout)
    until(lambda: setup.state != "RUNNING")
    assert setup.state == "FAILED"
    assert "No matching distribution found for absent==1.0" in setup.error
    assert setup.error.count(str(checkout.home / "setup.log")) == 1


@pytest.mark.parametrize(
    ("code", "says"),
    [("print('{]'); print(7); exit(3)", "status 3"), ("print('{\"result\": 1}'); exit(4)", "status 4")],
)
def test_a_child_that_ends_without_a_result_has_failed(code: str, says: str, tmp_path: Path) -> None:
    setup = link.SetUp([sys.executable, "-c", code], os.environ, tmp_path / "setup.log")
    until(lambda: setup.state != "RUNNING")
    assert setup.state == "FAILED"
    assert says in setup.error


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    setup = link.SetUp([str(tmp_path / "python")], os.environ, tmp_path / "logs" / "setup.log")
    until(lambda: setup.state != "RUNNING")
    assert setup.state == "FAILED"
    assert "can't be started" in setup.error
    setup.cancel()
