"""Cameras: on the kernel's V4L2, replayed from files, rendered for the simulated board."""
