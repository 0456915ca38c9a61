"""Keyframes by Stable Diffusion and its kin, through the pipelines of diffusers."""
