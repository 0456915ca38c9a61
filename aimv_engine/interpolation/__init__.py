"""In-betweens: which moment a frame shows, and how neighbouring keyframes turn into each other on the way there."""

from aimv_engine.interpolation.pool import InbetweenPool

__all__ = ["InbetweenPool"]
