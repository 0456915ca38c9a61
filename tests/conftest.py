"""What tests share: the Blenders that `aimv.py test` hands over."""

import json
import os
import signal

import pytest

# where the tests run in the background Ctrl-C may be ignored, and would be by every process that they start
signal.signal(signal.SIGINT, signal.default_int_handler)

# version -> the command that runs a script in that Blender, up to the script's name
BLENDERS: dict[str, list[str]] = json.loads(os.environ.get("AIMV_TEST_BLENDERS", "{}"))
NO_BLENDER = pytest.param(None, id="none", marks=pytest.mark.skip(reason="no Blender: run this by aimv.py test"))


@pytest.fixture(params=BLENDERS.values() or [NO_BLENDER], ids=list(BLENDERS) or None, scope="session")
def blender(request: pytest.FixtureRequest) -> list[str]:
    """The command of one Blender; a test that asks for it runs once in each."""
    return list(request.param)


@pytest.fixture(scope="session")
def newest_blender() -> list[str]:
    """The command of the newest Blender, for tests that are about something else."""
    if not BLENDERS:
        pytest.skip("no Blender: run this by aimv.py test")
    return BLENDERS[max(BLENDERS)]
