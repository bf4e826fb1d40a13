"""A sheet of rendered ducts to look at: `python -m model.training.sheet docs/rendered-ducts.jpg`.

A column is one duct, which gets dirtier downwards: `SHOWN_G_M2`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.camera.jpeg import encode_jpeg
from drivers.duct.optics import random_optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from model.training.rendered_set import HELD_OUT

SHOWN_G_M2: Final = (0.1, 1.5, 5.0, 15.0)
DUCTS: Final = 6
SIZE: Final = (320, 240)
GAP_PX: Final = 4


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m model.training.sheet", description="A sheet of rendered ducts.")
    parser.add_argument("out", type=Path, metavar="FILE.jpg")
    parser.add_argument("--first", type=int, default=HELD_OUT, metavar="N", help="first duct (default: %(default)s)")
    options = parser.parse_args(arguments)
    columns = [column(scene) for scene in range(options.first, options.first + DUCTS)]
    options.out.write_bytes(encode_jpeg(np.concatenate(columns, axis=1)))


def column(scene: int) -> npt.NDArray[np.uint8]:
    """The duct at each degree, as the same camera takes it."""
    rng = np.random.default_rng([scene, 7])
    duct, optics = Renderer(random_scene(scene), *SIZE), random_optics(rng)
    pictures = [
        duct.render(mean_g_m2=grams, light=1.0, optics=optics, frame_seed=number)
        for number, grams in enumerate(SHOWN_G_M2)
    ]
    framed = [np.pad(one, ((0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=255) for one in pictures]
    return np.concatenate(framed, axis=0)


if __name__ == "__main__":
    main(sys.argv[1:])
