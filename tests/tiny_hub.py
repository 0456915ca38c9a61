"""A hub of models on this computer, which speaks as much of the Hugging Face hub's language as a download takes."""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

REVISION = "0123456789abcdef0123456789abcdef01234567"


class TinyHub:
    """Offers the models in a folder: `folder/owner/name/...`. `refusals` are models that need an accepted licence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.refusals: set[str] = set()
        self.served: list[str] = []  # the files that were sent whole, in order
        self.delays: dict[str, float] = {}  # seconds before a file is sent
        self.pretended: dict[str, int] = {}  # sizes that are told instead of the real ones


@contextmanager
def opened(hub: TinyHub) -> Iterator[TinyHub]:
    """The hub while it is to be reached at `hub.url`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/\w+)?", path):
                self._model(match[1])
            elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/\w+/(.+)", path):
                self._file(match[1], match[2])
            else:
                self._answer(404, b"")

        def _model(self, model: str) -> None:
            if self._allowed(model):
                folder = hub.folder / model
                names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
                files = [
                    {"rfilename": name, "size": hub.pretended.get(name, (folder / name).stat().st_size)}
                    for name in names
                ]
                self._answer(200, json.dumps({"id": model, "sha": REVISION, "siblings": files}).encode())

        def _file(self, model: str, name: str) -> None:
            path = hub.folder / model / name
            if not self._allowed(model):
                return
            if not path.is_file():
                self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})
                return
            content = path.read_bytes()
            if self.command == "GET":
                time.sleep(hub.delays.get(name, 0))
            headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": REVISION}
            self._answer(200, content, headers)
            if self.command == "GET":
                hub.served.append(name)

        def _allowed(self, model: str) -> bool:
            if model in hub.refusals:
                self._answer(403, b"", {"X-Error-Code": "GatedRepo"})
            elif not (hub.folder / model).is_dir():
                self._answer(404, b"", {"X-Error-Code": "RepoNotFound"})
            else:
                return True
            return False

        def _answer(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
