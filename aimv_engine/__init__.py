"""The engine: turns a song into a storyboard, keyframes and frames. Never imports bpy."""

__version__ = "0.1.0"
