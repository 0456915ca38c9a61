"""A real engine process, spoken to over pipes."""

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

PATIENCE = 60  # seconds; only a test that fails waits so long


class EngineProcess:
    """`aimv serve`, or another server script, in a process group of its own."""

    def __init__(self, *command, log=None):
        command = command or (sys.executable, "-P", "-m", "aimv_engine.cli", "serve")
        variables = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}
        self.log = Path(log) if log else None
        with self.log.open("wb") if self.log else Path(os.devnull).open("wb") as stderr:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=variables,
                start_new_session=True,
            )
        self.notices = []  # what was notified of the job that was waited for last, in order
        self._messages = queue.Queue()
        self._asked = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self._messages.put(json.loads(line))
        self._messages.put(None)

    def send(self, line):
        self.process.stdin.write(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def ask(self, method, **params):
        """Sends a request; its id."""
        self._asked += 1
        self.send({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": params})
        return self._asked

    def cancel(self, request):
        self.send({"jsonrpc": "2.0", "method": "cancel", "params": {"id": request}})

    def receive(self):
        """The next message that isn't a heartbeat; None after the last one."""
        while (message := self._messages.get(timeout=PATIENCE)) is not None:
            assert message["jsonrpc"] == "2.0"
            if message.get("method") != "alive":
                return message
        return None

    def until(self, wanted):
        """Waits for a notification that `wanted` is true of."""
        while not ("method" in (message := self.receive()) and wanted(message["method"], message["params"])):
            assert "method" in message, message

    def answer(self, request=None):
        """The answer to a request (the last one), with the notifications of its job in `notices`."""
        request = request or self._asked
        self.notices = []
        while "method" in (message := self.receive()) or message["id"] != request:
            if "method" in message and message["params"]["id"] == request:
                self.notices.append((message["method"], message["params"]))
        return message

    def result(self, method, **params):
        """Asks, and waits for the result."""
        answer = self.answer(self.ask(method, **params))
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method, **params):
        """Asks, and waits for the error."""
        return self.answer(self.ask(method, **params))["error"]

    def close(self):
        with suppress(OSError):
            self.process.stdin.close()
        self.process.wait(10)
