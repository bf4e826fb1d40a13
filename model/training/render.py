"""Draws a training set of simulated ducts, as the board would see them: through JPEG and the deployed decode path."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt

from drivers.camera.jpeg import encode_jpeg
from drivers.duct.deposit import THICKEST_G_M2
from drivers.duct.optics import random_optics
from drivers.duct.render import Renderer
from drivers.duct.scene import random_scene
from model.tensors import Decoder, jpeg_frame
from model.training.targets import CLEAN_G_M2, DIRTY_G_M2

FRAMES_PER_SCENE = 12
SIZES = ((640, 360), (640, 480))  # of cameras as they are: 16:9 and 4:3, both twice the input or more
CELL_PX = 32  # what one element of the network's last layer looks at first of all
NICE = 10
REPORT_SCENES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """`rgb` (n, side, side, 3) as the board decodes them; `coverage_g_m2` (n,), of the whole duct;
    `cells_g_m2` (n, side / 32, side / 32), of what each part of the picture shows."""

    rgb: npt.NDArray[np.uint8]
    coverage_g_m2: npt.NDArray[np.float32]
    cells_g_m2: npt.NDArray[np.float32]

    def sha256(self) -> str:
        digest = hashlib.sha256()
        for array in (self.coverage_g_m2, self.cells_g_m2, self.rgb):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def draw(scenes: Iterable[int], side: int, *, processes: int, progress: Callable[[str], None]) -> Pictures:
    """Draw `FRAMES_PER_SCENE` pictures of each scene. The same scenes give the same pictures, in the same order."""
    jobs = [(seed, side) for seed in scenes]
    # spawned, not forked: the parent may already run TensorFlow's threads
    with get_context("spawn").Pool(processes, initializer=_be_nice) as pool:
        drawn = []
        for done, part in enumerate(pool.imap(_draw_scene, jobs, chunksize=4), start=1):
            drawn.append(part)
            if done % REPORT_SCENES == 0:
                progress(f"drawn {done} of {len(jobs)} ducts")
    return Pictures(
        rgb=np.concatenate([part.rgb for part in drawn]),
        coverage_g_m2=np.concatenate([part.coverage_g_m2 for part in drawn]),
        cells_g_m2=np.concatenate([part.cells_g_m2 for part in drawn]),
    )


class Camera:
    """A camera in one scene, met by chance: each picture with other optics, as if it were another camera."""

    def __init__(self, seed: int, size: tuple[int, int]) -> None:
        self._rng = np.random.default_rng([seed, 7])
        self._renderer = Renderer(random_scene(seed), *size)

    def jpeg(self, coverage_g_m2: float) -> bytes:
        optics, frame_seed = random_optics(self._rng), int(self._rng.integers(1 << 31))
        picture = self._renderer.render(mean_g_m2=coverage_g_m2, light=1.0, optics=optics, frame_seed=frame_seed)
        return encode_jpeg(picture)

    def cells_g_m2(self, coverage_g_m2: float, cells: int) -> npt.NDArray[np.float32]:
        """The mean coverage of what each of `cells` x `cells` parts of the picture shows."""
        coverage = self._renderer.coverage_g_m2(coverage_g_m2)
        rows, columns = (np.linspace(0, size, cells, endpoint=False).astype(np.intp) for size in coverage.shape)
        sums = np.add.reduceat(np.add.reduceat(coverage, rows, axis=0), columns, axis=1)
        mean: npt.NDArray[np.float32] = sums * np.float32(cells * cells / coverage.size)
        return mean


def _be_nice() -> None:
    os.nice(NICE)


def _draw_scene(job: tuple[int, int]) -> Pictures:
    seed, side = job
    rng = np.random.default_rng([seed, 3])
    coverages = [_coverage_g_m2(rng) for _ in range(FRAMES_PER_SCENE)]
    size = SIZES[int(rng.integers(len(SIZES)))]
    camera, decoder = Camera(seed, size), Decoder(side, side)
    return Pictures(
        rgb=np.stack([decoder.decode(jpeg_frame(camera.jpeg(coverage), "rendered")) for coverage in coverages]),
        coverage_g_m2=np.array(coverages, np.float32),
        cells_g_m2=np.stack([camera.cells_g_m2(coverage, side // CELL_PX) for coverage in coverages]),
    )


def _coverage_g_m2(rng: np.random.Generator) -> float:
    """Two in five clean, two in five dirty, one between."""
    kind = rng.random()
    if kind < 0.4:
        return float(rng.uniform(0, CLEAN_G_M2))
    if kind < 0.8:
        return float(np.exp(rng.uniform(np.log(DIRTY_G_M2), np.log(THICKEST_G_M2))))
    return float(np.exp(rng.uniform(np.log(CLEAN_G_M2), np.log(DIRTY_G_M2))))
