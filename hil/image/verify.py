"""Is an image the same when it is built again, from nothing and elsewhere?"""

from __future__ import annotations

import shutil

from hil.image.build import CHANGED, Image, Steps, build_image
from hil.image.shell import Failed


def unlike(image: Image, steps: Steps, *, pinned: bool) -> list[str]:
    """Parts that a second build makes differently. Raises `shell.Failed`."""
    first = build_image(image, steps, pinned=pinned)
    again = Image(board=image.board, out=image.out / "again")
    shutil.rmtree(again.out, ignore_errors=True)
    second = build_image(again, steps, pinned=pinned)
    if not first.key == second.key != CHANGED:
        raise Failed("the source has changed between the two builds: verify in a clone that nobody works in")
    different = [name for name, value in first.sha256.items() if second.sha256[name] != value]
    if not different:  # else there is something to look at
        shutil.rmtree(again.out)
    return different
