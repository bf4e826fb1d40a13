"""A folder of rendered ducts with labels and degrees: photos for those who have none yet, and what models are
measured on. Nothing here has to do with a real duct."""

from __future__ import annotations

import csv
import json
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from drivers.duct.deposit import THICKEST_G_M2
from model.errors import NoPlace
from model.tensors import Decoder, jpeg_frame
from model.training.data.whole_file import write_whole
from model.training.measurements import BETWEEN
from model.training.render import Camera, in_all_processes
from model.training.sources import digest_of
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2

TUNED = 1_000_000  # scenes from here on are for calibrating scores and choosing limits: below, for learning from
HELD_OUT = 2_000_000  # from here on nothing is learned or fitted, but networks and recipes are compared
SIZE = (640, 480)
LEAST_G_M2: Final = 0.05
DEGREES, DRAWN = "degrees.csv", "drawn.json"
SCHEMA: Final = "ductwatch.drawn/1"  # of `DRAWN`, by which a folder of ours is known again
CLEAN, DIRTY = "clean", "dirty"


def main(arguments: Namespace) -> int:
    """`ductwatch model render`. Raises `NoPlace`."""
    first: int = arguments.first
    drawn = render_set(arguments.out, range(first, first + arguments.ducts))
    print(f"{len(drawn.pictures)} pictures of {arguments.ducts} ducts in {arguments.out}")
    return 0


@dataclass(frozen=True, slots=True)
class Rendered:
    """A picture in the folder: its name there, and the mean coverage of its duct."""

    name: str
    g_m2: float

    @property
    def kind(self) -> str:
        return self.name.split("/")[0]


@dataclass(frozen=True, slots=True)
class RenderedSet:
    folder: Path
    pictures: tuple[Rendered, ...]

    @property
    def g_m2(self) -> npt.NDArray[np.float32]:
        return np.array([each.g_m2 for each in self.pictures], np.float32)

    def jpeg(self, picture: Rendered) -> bytes:
        return (self.folder / picture.name).read_bytes()

    def decoded(self, side: int) -> npt.NDArray[np.uint8]:
        """(n, side, side, 3), as the board decodes them."""
        decoder = Decoder(side, side)
        return np.stack([decoder.decode(jpeg_frame(self.jpeg(each), each.name)) for each in self.pictures])


def render_set(folder: Path, scenes: Iterable[int]) -> RenderedSet:
    """Five pictures of each duct, each as another sound camera would take it: two clean, two dirty, one between.

    Writes clean/, dirty/, between/ and degrees.csv (`picture`, `g_m2`), the same for the same scenes; 60 kB a picture.
    What is there already is not drawn again, and keeps its rows. Raises `NoPlace`, as `drawn_before` does.
    """
    scenes = list(scenes)
    known = sorted(drawn_before(folder).union(scenes))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / DRAWN, _marker(known))
        for kind in (CLEAN, BETWEEN, DIRTY):
            (folder / kind).mkdir(exist_ok=True)
        drawn = [one for of_duct in in_all_processes(_draw, [(scene, folder) for scene in scenes]) for one in of_duct]
        there = [one for scene in known for one in _pictures(scene) if (folder / one.name).exists()]
        write_whole(folder / DEGREES, _table(there))
    except OSError as error:
        raise NoPlace(f"{folder}: {error.strerror}", remedy="Choose another folder, or make room") from error
    return RenderedSet(folder, tuple(drawn))


def drawn_before(folder: Path) -> set[int]:
    """The scenes that `render_set` has drawn there. Raises `NoPlace` where there is anything that it would not draw."""
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return set()
        marker = json.loads((folder / DRAWN).read_bytes())
    except (FileNotFoundError, ValueError):
        marker = None
    except OSError as error:
        raise NoPlace(f"{folder}: {error.strerror}", remedy="Choose another folder") from error
    if not isinstance(marker, dict) or marker.get("schema") != SCHEMA:
        problem = f"{folder}: holds other things than drawn ducts, or ducts that an earlier version drew"
        raise NoPlace(problem, remedy="Choose a new or an empty folder")
    scenes = marker.get("scenes")
    if not isinstance(scenes, list) or not all(isinstance(scene, int) for scene in scenes):
        raise NoPlace(f"{folder / DRAWN}: does not say which ducts are there", remedy="Choose a new folder")
    if marker.get("renderer") != _renderer():
        problem = f"{folder}: another version of the renderer drew the ducts that are there"
        raise NoPlace(problem, remedy="Choose a new folder, or remove this one")
    return set(scenes)


def _marker(scenes: Sequence[int]) -> str:
    return json.dumps({"schema": SCHEMA, "renderer": _renderer(), "scenes": scenes}) + "\n"


def _renderer() -> str:
    return digest_of(["model.training.rendered_set"])


def _draw(job: tuple[int, Path]) -> list[Rendered]:
    scene, folder = job
    drawn = _pictures(scene)
    if all((folder / one.name).exists() for one in drawn):
        return drawn
    camera = Camera(scene, SIZE)
    for one in drawn:
        new = folder / f"{one.name}.new"
        new.write_bytes(camera.jpeg(one.g_m2))
        new.replace(folder / one.name)
    return drawn


def _pictures(scene: int) -> list[Rendered]:
    """Of this duct, as they are named."""
    degrees = _degrees(np.random.default_rng([scene, 21]))
    return [Rendered(f"{kind}/duct-{scene}-{number}.jpg", g_m2) for number, (kind, g_m2) in enumerate(degrees)]


def _degrees(rng: np.random.Generator) -> Iterator[tuple[str, float]]:
    """Each degree about as often as another on a logarithmic scale, within its kind."""
    ranges = {CLEAN: (LEAST_G_M2, CLEAN_G_M2), BETWEEN: (CLEAN_G_M2, DIRTY_G_M2), DIRTY: (DIRTY_G_M2, THICKEST_G_M2)}
    for kind in (CLEAN, CLEAN, BETWEEN, DIRTY, DIRTY):
        low, high = ranges[kind]
        yield kind, round(float(np.exp(rng.uniform(np.log(low), np.log(high)))), 4)


def _table(drawn: Iterable[Rendered]) -> str:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("picture", "g_m2"))
    writer.writerows((one.name, one.g_m2) for one in drawn)
    return text.getvalue()
