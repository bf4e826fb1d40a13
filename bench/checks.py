"""What the checks of the picture find on rendered ducts, and what they wrongly refuse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from bench.results import Bar, Chart, Goal, Result, Row, Setup
from drivers.camera.jpeg import encode_jpeg
from drivers.duct.optics import Optics, random_optics
from drivers.duct.render import Renderer
from drivers.duct.scene import Scene, random_scene
from firmware.plan import load_classifier
from model.colour import Picture
from model.image_quality import measure as measures_of
from model.image_quality import unfit
from model.shipped import shipped_bundle
from model.tensors import Decoder, jpeg_frame
from model.types import Reason
from model.viewpoint import KNOWN_AFTER, Viewpoint

FIRST_SCENE = 6_000_000  # nothing was tuned on these
SIZE = (640, 480)
DEPOSITS_G_M2 = (0.1, 1.3, 5.0, 15.0)
GROWING_G_M2 = (0.02, 0.1, 0.2, 0.4, 0.8, 1.3, 2.2, 3.5, 5.0, 8.0, 11.0, 15.0)
FOG, DUST = (0.1, 0.3, 0.5, 0.7, 0.9), (0.5, 0.7, 0.9)
TURN = 0.06  # radians
LASTS = 5  # snapshots: [snapshot] moved_at_most

SOUND_EACH = 5  # cameras on each deposit
SOUND, NEW = "sound pictures of a camera each", "a camera, newly fitted"
GROWING, CLEANED = "a camera, while dust settles", "and then cleaned at once"
REFUSED_AT_MOST = 1 / 200

HOW = (
    "Rendered ducts of 0.1 to 15 g/m2 through JPEG and the decode path, with random exposure, noise, focus and white "
    "balance. `fog` and `dust` are the renderer's, 0 to 1, on pictures that are otherwise sound. The first rows judge "
    "each picture by itself; from `a camera` on they are compared with what the camera saw before, on a clean duct."
)


class Counts:
    """Of each kind of picture: how many there were, and how many had each reason."""

    def __init__(self) -> None:
        self._seen: dict[str, list[tuple[Reason, ...]]] = {}

    def add(self, kind: str, reasons: Iterable[Reason | None]) -> None:
        self._seen.setdefault(kind, []).append(tuple(reason for reason in reasons if reason is not None))

    def share(self, kind: str, *wanted: Reason) -> float:
        """Of the pictures that have one of these reasons, or any."""
        seen = self._seen[kind]
        return sum(bool(set(reasons) & set(wanted or Reason)) for reasons in seen) / len(seen)

    def rows(self) -> tuple[Row, ...]:
        columns = ((), (Reason.FOGGED,), (Reason.BLURRED,), (Reason.HAZY,), (Reason.MOVED,))
        return tuple(
            Row(kind, (len(seen), *(100 * self.share(kind, *wanted) for wanted in columns)))
            for kind, seen in self._seen.items()
        )


def measure(setup: Setup) -> Result:
    scenes = setup.choose(60, 4)
    limits = load_classifier(setup.model or shipped_bundle()).manifest.image_limits
    counts = Counts()
    for number in range(scenes):
        if number % 10 == 0:
            setup.progress(f"duct {number} of {scenes}")
        eye = _Eye(random_scene(FIRST_SCENE + number))
        for kind, picture in eye.strangers():
            counts.add(kind, unfit(measures_of(picture), limits))
        eye.watch(counts)
    refused, judged = counts.share(SOUND), 1 - min(counts.share(f"fog {fog:g}") for fog in FOG if fog >= 0.5)
    return Result(
        name="checks",
        title="Pictures that are not judged",
        how=HOW,
        columns=("pictures", "not judged %", "fogged %", "blurred %", "hazy %", "moved %"),
        rows=counts.rows(),
        chart=Chart(
            unit="% not judged",
            bars=tuple(Bar(label=row.label, value=float(row.values[1] or 0)) for row in counts.rows()),
        ),
        goals=(
            Goal(what="sound pictures refused", value=refused, at_most=REFUSED_AT_MOST, unit="of all"),
            Goal(what="judged through fog of 0.5 and more", value=judged, at_most=0.0, unit="of all"),
        ),
        details={"scenes": scenes},
    )


class _Eye:
    """Cameras in one duct."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._rng = np.random.default_rng([scene.seed, 21])
        self._renderer = Renderer(scene, *SIZE)
        self._decoder = Decoder(160, 160)

    def strangers(self) -> Iterable[tuple[str, Picture]]:
        """Each picture by another camera."""
        for g_m2 in DEPOSITS_G_M2:
            for _ in range(SOUND_EACH):
                yield SOUND, self.photo(g_m2, random_optics(self._rng))
            for fog in FOG:
                yield f"fog {fog:g}", self.photo(g_m2, replace(random_optics(self._rng), fog=fog))

    def watch(self, counts: Counts) -> None:
        """One camera from the day that it was fitted, its lens clean."""
        optics = replace(random_optics(self._rng), lens_dust=0.0, lens_dust_seed=int(self._rng.integers(1 << 16)))
        viewpoint = Viewpoint(LASTS)

        def see(kind: str, picture: Picture) -> None:
            counts.add(kind, [viewpoint.changed(picture, measures_of(picture).veil)])

        for _ in range(KNOWN_AFTER):
            see(NEW, self.photo(GROWING_G_M2[0], optics))
        for dust in DUST:
            see(f"a camera, dust {dust:g}", self.photo(0.1, replace(optics, lens_dust=dust)))
        see("a camera, fog 0.1", self.photo(0.1, replace(optics, fog=0.1)))
        for turned in self._turned():
            see(f"a camera, turned by {TURN:g}", turned.photo(0.1, optics))
        for g_m2 in (*GROWING_G_M2, *[GROWING_G_M2[-1]] * KNOWN_AFTER):
            see(GROWING, self.photo(g_m2, optics))
        see(CLEANED, self.photo(0.1, optics))

    def _turned(self) -> Sequence[_Eye]:
        camera = self._scene.camera
        return [
            _Eye(replace(self._scene, camera=replace(camera, yaw=camera.yaw + yaw, pitch=camera.pitch + pitch)))
            for yaw, pitch in ((TURN, 0.0), (0.0, TURN))
        ]

    def photo(self, g_m2: float, optics: Optics) -> Picture:
        """In a light and an exposure of its own."""
        rgb = self._renderer.render(
            mean_g_m2=g_m2,
            light=float(self._rng.uniform(0.8, 1)),
            optics=replace(optics, exposure_ev=float(optics.exposure_ev * 0.7 + self._rng.uniform(-0.4, 0.4))),
            frame_seed=int(self._rng.integers(1 << 31)),
        )
        return self._decoder.decode(jpeg_frame(encode_jpeg(rgb), "rendered"))
