"""Which programs made an image, for whoever builds it again and gets another one.

They are beside the image and not in its key: most versions make no difference, and a rig whose host was updated would
build anew an image that is right. Two hosts that are to make the same image need the same tools: docs/board-image.md.
"""

from __future__ import annotations

import platform
from importlib.metadata import version

from hil.image.shell import run

TOOLS = {  # how each is asked; mkfs.vfat tells its version only where it is to write
    "bmaptool": "bmaptool --version",
    "cpio": "cpio --version",
    "dpkg-deb": "dpkg-deb --version",
    "kmod": "depmod --version",
    "mkfs.ext4": "mkfs.ext4 -V 2>&1",
    "mkfs.vfat": "mkfs.vfat /dev/null",
    "mksquashfs": "mksquashfs -version",
    "mmdebstrap": "mmdebstrap --version",
    "mtools": "mcopy --version",
    "sfdisk": "sfdisk --version",
    "tar": "tar --version",
    "zstd": "zstd --version",
}


def tool_versions() -> dict[str, str]:
    """The first line that each says of itself. Raises `shell.Failed`."""
    said = {name: run("sh", "-c", f"{{ {command} || true; }} | head -n 1").strip() for name, command in TOOLS.items()}
    return said | {"python": platform.python_version()} | {name: version(name) for name in ("pip", "setuptools")}
