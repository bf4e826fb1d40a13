"""What is wrong with what the firmware was given."""

from __future__ import annotations


class ConfigError(Exception):
    """Something that was configured cannot be used. The message says which file and line, what is wrong, what to do."""


class ConfigMissing(ConfigError):
    """There is no such file: a board with factory settings is content with that."""
