"""What can go wrong in a way that a person can mend."""


class AimvError(Exception):
    """One clear line: what is wrong and what to do. Both doors show it without a traceback."""


class Cancelled(Exception):  # noqa: N818  (not an error: somebody asked for it)
    """The person who started the work wants it to stop. What is finished stays."""
