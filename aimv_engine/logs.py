"""Where what happens is written down."""

import logging


def log_to(handler: logging.Handler) -> logging.Handler:
    """Has all that is logged go to the handler too."""
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return handler


def log_file() -> str | None:
    """The file that is written to: the log of the project at hand."""
    handlers = [handler for handler in logging.getLogger().handlers if isinstance(handler, logging.FileHandler)]
    return handlers[0].baseFilename if handlers else None
