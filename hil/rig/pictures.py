"""What a camera of the rig may look at: the simulated duct in any state, a photo, or no duct at all.

A look is drawn at the size it is asked for, once in a process: rendering a duct takes seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from drivers.camera.negotiate import Size
from drivers.duct.optics import Optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene

Rgb = NDArray[np.uint8]
Look = Callable[[Size], Rgb]
"""Draws (height, width, 3) of red, green, blue, without the sensor's noise. The result is not to be written to."""

DUCT = 34  # a galvanised duct of which the shipped model is sure either way
CLEAN_G_M2, DIRTY_G_M2 = 0.1, 8.0
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png"}
MOST_PHOTOS = 12  # in a menu, and drawn at the start
FULL_FOG = 0.95
TURNED = 0.1  # of the width
MOST_DRAWN = 24  # looks and sizes kept, up to 2.8 MB each
MOST_RENDERERS = 3  # some 60 MB at 1280x720

_drawing = threading.Lock()  # one at a time: the host's other core emulates the guest


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What is before the lens: `lit` in the LED's full light, `dark` without it."""

    lit: Look
    dark: Look

    def draw(self, sizes: Iterable[Size]) -> None:
        """Draw it now, so that no camera has to wait for it. Blocks for seconds."""
        for size in sizes:
            self.lit(size)
            self.dark(size)


def duct(*, seed: int = DUCT, g_m2: float, optics: Optics | None = None) -> Scene:
    """The simulated duct `seed` with so much deposit, seen through `optics`, the default being a sound camera's."""
    seen = Optics(noise=0.0) if optics is None else optics
    return Scene(
        lambda size: _rendered(seed, g_m2, seen, 1.0, size), lambda size: _rendered(seed, g_m2, seen, 0.0, size)
    )


def nudged(scene: Scene) -> Scene:
    """As a camera sees it that was turned a little to the right."""
    return Scene(partial(_turned, scene.lit), partial(_turned, scene.dark))


def photo(path: Path) -> Look:
    """A picture from a file, scaled and cut to the size and shape that the camera has."""
    return partial(_photo, path)


def photos(folder: Path, sizes: Sequence[Size]) -> dict[str, Scene]:
    """The photos in a folder, dark without the light, by their names; drawn. Raises OSError for a file that is none."""
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in PHOTO_SUFFIXES]
    if not 0 < len(files) <= MOST_PHOTOS:
        raise OSError(f"{folder}: {len(files)} photos. Use 1 to {MOST_PHOTOS}, named .jpg, .jpeg or .png.")
    scenes = {f"photo {file.stem}": Scene(lit=photo(file), dark=black) for file in files}
    for scene in scenes.values():
        scene.draw(sizes)
    return scenes


@lru_cache(MOST_DRAWN)
def _turned(look: Look, size: Size) -> Rgb:
    picture, columns = look(size), round(TURNED * size.width)
    return _read_only(np.pad(picture[:, columns:], ((0, 0), (0, columns), (0, 0)), mode="reflect"))


@lru_cache(MOST_DRAWN)
def black(size: Size) -> Rgb:
    return _read_only(np.zeros((size.height, size.width, 3), np.uint8))


@lru_cache(MOST_DRAWN)
def bars(size: Size) -> Rgb:
    """Colour bars at 75 %: no duct, and every camera's own test picture."""
    colours = [(r, g, b) for g in (191, 0) for r in (191, 0) for b in (191, 0)]  # white to black by brightness
    columns = np.arange(size.width) * len(colours) // size.width
    return _read_only(np.broadcast_to(np.array(colours, np.uint8)[columns], (size.height, size.width, 3)).copy())


CLEAN = duct(g_m2=CLEAN_G_M2)
DIRTY = duct(g_m2=DIRTY_G_M2)
FOGGED = duct(g_m2=CLEAN_G_M2, optics=Optics(noise=0.0, fog=FULL_FOG))
COVERED = duct(g_m2=CLEAN_G_M2, optics=Optics(noise=0.0, cover=1.0, led=0.0))
DUSTY_LENS = duct(g_m2=CLEAN_G_M2, optics=Optics(noise=0.0, lens_dust=0.9))
NUDGED = nudged(CLEAN)
BARS = Scene(lit=bars, dark=black)
SCENES = {
    "clean": CLEAN,
    "dirty": DIRTY,
    "fogged": FOGGED,
    "covered": COVERED,
    "dusty lens": DUSTY_LENS,
    "nudged": NUDGED,
    "bars": BARS,
}


def _rendered(seed: int, g_m2: float, optics: Optics, light: float, size: Size) -> Rgb:
    with _drawing:
        return _render(seed, g_m2, optics, light, size)


@lru_cache(MOST_DRAWN)
def _render(seed: int, g_m2: float, optics: Optics, light: float, size: Size) -> Rgb:
    renderer = _renderer(seed, size)
    return _read_only(renderer.render(mean_g_m2=g_m2, light=light, optics=optics, frame_seed=seed))


@lru_cache(MOST_RENDERERS)
def _renderer(seed: int, size: Size) -> Renderer:
    return Renderer(random_scene(seed), size.width, size.height)


@lru_cache(MOST_DRAWN)
def _photo(path: Path, size: Size) -> Rgb:
    from PIL import Image, ImageOps

    with Image.open(path) as image:
        fitted = ImageOps.fit(image.convert("RGB"), (size.width, size.height), Image.Resampling.LANCZOS)
    return _read_only(np.asarray(fitted))


def _read_only(picture: Rgb) -> Rgb:
    picture.flags.writeable = False
    return picture
