"""Draws a training set of simulated ducts, as the board would see them: through JPEG and the deployed decode path."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from drivers.camera.jpeg import QUALITY, encode_jpeg
from drivers.duct.deposit import THICKEST_G_M2
from drivers.duct.optics import Optics, random_optics, worn_optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from model.tensors import Decoder, jpeg_frame
from model.training.data.progress import Progress
from model.training.sources import digest_of
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2

FRAMES_PER_SCENE = 12
LEAST_QUALITY = 5  # of a JPEG by a worn camera, on a bad link: up to 90
WORN = 0.3  # share of the pictures that a worn camera took
SIZES = ((640, 360), (640, 480))  # of cameras as they are: 16:9 and 4:3, both twice the input or more
NEXT_TO_NOTHING_G_M2 = 0.03  # less than can be seen: one clean duct in six shows nothing at all
MAP = 80  # side of a map: what networks see in their cells is taken from it, so many of them fit into it
NICE = 10

Job = TypeVar("Job")
Drawn = TypeVar("Drawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """`rgb` (n, side, side, 3) as the board decodes them; `coverage_g_m2` (n,), of the whole duct;
    `cells_g_m2` (n, cells, cells), of what each part of the picture shows."""

    rgb: npt.NDArray[np.uint8]
    coverage_g_m2: npt.NDArray[np.float32]
    cells_g_m2: npt.NDArray[np.float32]

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for array in (self.coverage_g_m2, self.cells_g_m2, self.rgb):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """Snapshots before a network's size is chosen. `maps_g_m2` (n, MAP, MAP): the coverage that each part shows."""

    jpegs: tuple[bytes, ...]
    coverage_g_m2: npt.NDArray[np.float32]
    maps_g_m2: npt.NDArray[np.float16]

    def decoded(self, side: int, cells: int) -> Pictures:
        decoder = Decoder(side, side)
        return Pictures(
            rgb=np.stack([decoder.decode(jpeg_frame(jpeg, "rendered")) for jpeg in self.jpegs]),
            coverage_g_m2=self.coverage_g_m2,
            cells_g_m2=np.stack([means(one.astype(np.float32), cells) for one in self.maps_g_m2]),
        )


def draw(scenes: Iterable[int], *, folder: Path) -> Drawings:
    """Draw `FRAMES_PER_SCENE` snapshots of each scene, or take those that are in `folder` from an earlier time.

    The same scenes give the same snapshots, in the same order. 60 kB of a folder each. Those that another version of
    the renderer has drawn are drawn anew.
    """
    folder.mkdir(parents=True, exist_ok=True)
    renderer = digest_of(["model.training.render"])
    drawn = list(in_all_processes(_draw_scene, [(seed, folder, renderer) for seed in scenes]))
    return Drawings(
        jpegs=tuple(jpeg for part in drawn for jpeg in part.jpegs),
        coverage_g_m2=np.concatenate([part.coverage_g_m2 for part in drawn]),
        maps_g_m2=np.concatenate([part.maps_g_m2 for part in drawn]),
    )


def in_all_processes(draw_one: Callable[[Job], Drawn], jobs: Sequence[Job]) -> Iterator[Drawn]:
    """What is drawn for each job, in their order, by one process a processor; stderr says how far that is."""
    progress = Progress("drawing ducts", len(jobs))
    # spawned, not forked: the parent may already run TensorFlow's threads
    with get_context("spawn").Pool(os.cpu_count() or 1, initializer=os.nice, initargs=(NICE,)) as pool:
        for number, drawn in enumerate(pool.imap(draw_one, jobs, chunksize=2), start=1):
            yield drawn
            progress(number)
    progress.end()


class Camera:
    """A camera in one scene, met by chance: each picture with other optics, as if it were another camera."""

    def __init__(self, seed: int, size: tuple[int, int]) -> None:
        self._rng = np.random.default_rng([seed, 7])
        self._renderer = Renderer(random_scene(seed), *size)

    def jpeg(self, coverage_g_m2: float) -> bytes:
        """As a sound camera takes it."""
        return self._taken(coverage_g_m2, random_optics(self._rng), QUALITY)

    def worn_jpeg(self, coverage_g_m2: float) -> bytes:
        """As one takes it that has seen years in a duct: noisy, out of focus, fogged or dusty, or all of that."""
        return self._taken(coverage_g_m2, worn_optics(self._rng), round(LEAST_QUALITY * 18 ** self._rng.uniform()))

    def map_g_m2(self, coverage_g_m2: float, side: int = MAP) -> npt.NDArray[np.float32]:
        """The mean coverage of what each of `side` x `side` parts of the picture shows."""
        return means(self._renderer.coverage_g_m2(coverage_g_m2), side)

    def _taken(self, coverage_g_m2: float, optics: Optics, quality: int) -> bytes:
        picture = self._renderer.render(
            mean_g_m2=coverage_g_m2, light=1.0, optics=optics, frame_seed=int(self._rng.integers(1 << 31))
        )
        return encode_jpeg(picture, quality=quality)


def means(values: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """The means of `side` x `side` parts of a picture (height, width), which need not divide it."""
    edges = [np.linspace(0, size, side + 1).astype(np.intp) for size in values.shape]
    sums = np.add.reduceat(np.add.reduceat(values, edges[0][:-1], axis=0), edges[1][:-1], axis=1)
    elements = np.outer(np.diff(edges[0]), np.diff(edges[1]))
    mean: npt.NDArray[np.float32] = (sums / elements).astype(np.float32)
    return mean


def _draw_scene(job: tuple[int, Path, str]) -> Drawings:
    seed, folder, renderer = job
    place = folder / f"{seed}.npz"
    if (kept := _kept(place, renderer)) is not None:
        return kept
    rng = np.random.default_rng([seed, 3])
    coverages = [_coverage_g_m2(rng) for _ in range(FRAMES_PER_SCENE)]
    size = SIZES[int(rng.integers(len(SIZES)))]
    camera = Camera(seed, size)
    drawn = Drawings(
        jpegs=tuple(camera.worn_jpeg(one) if rng.random() < WORN else camera.jpeg(one) for one in coverages),
        coverage_g_m2=np.array(coverages, np.float32),
        maps_g_m2=np.stack([camera.map_g_m2(one) for one in coverages]).astype(np.float16),
    )
    _write(place, drawn, renderer)
    return drawn


def _write(path: Path, drawn: Drawings, renderer: str) -> None:
    """Whole or not at all."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        np.savez(
            file,
            renderer=renderer,
            jpegs=np.frombuffer(b"".join(drawn.jpegs), np.uint8),
            lengths=np.array([len(jpeg) for jpeg in drawn.jpegs]),
            coverage_g_m2=drawn.coverage_g_m2,
            maps_g_m2=drawn.maps_g_m2,
        )
    new.replace(path)


def _kept(path: Path, renderer: str) -> Drawings | None:
    """None where there is nothing that this renderer drew."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        if "renderer" not in kept or str(kept["renderer"]) != renderer:
            return None
        return Drawings(
            jpegs=_cut(kept["jpegs"].tobytes(), kept["lengths"].tolist()),
            coverage_g_m2=kept["coverage_g_m2"],
            maps_g_m2=kept["maps_g_m2"],
        )


def _cut(content: bytes, lengths: Sequence[int]) -> tuple[bytes, ...]:
    return tuple(content[start:end] for start, end in pairwise(np.cumsum([0, *lengths])))


def _coverage_g_m2(rng: np.random.Generator) -> float:
    """Two in five clean, two in five dirty, one between; within each, no degree more often than another."""
    kind = rng.random()
    if kind < 0.4:
        low, high = NEXT_TO_NOTHING_G_M2, CLEAN_G_M2
    elif kind < 0.8:
        low, high = DIRTY_G_M2, THICKEST_G_M2
    else:
        low, high = CLEAN_G_M2, DIRTY_G_M2
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
