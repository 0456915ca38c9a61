"""What can go wrong in a way that a person can mend."""


class AddonError(Exception):
    """One clear line: what is wrong and what to do. Operators report it, panels show it."""
