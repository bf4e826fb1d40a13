"""Pictures of a simulated duct, frame by frame: the same duct whatever its degree of soiling."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drivers.duct.deposit import THICKEST_G_M2, clump_share, coverage
from drivers.duct.optics import AIM, AMBIENT, LARGEST_GAIN, Optics, blurred, expose, lens_dust, ring_glow
from drivers.duct.scene import Scene
from drivers.duct.shading import BAND_ROWS, draw
from drivers.duct.tiles import F32

PIPED_HALF_G_M2 = 4.0  # dust on all walls halves the light that they pass on
RELIEF_FULL_G_M2 = 5.0  # from here on the deposit's humps show fully
METER_STEP = 8  # automatic exposure looks at each eighth element, each way


class Renderer:
    """Draws one scene at one size. Layers that do not change are drawn once, here."""

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        if not (8 <= width <= 4096 and 8 <= height <= 4096):
            raise ValueError(f"a picture is 8 to 4096 elements wide and high, not {width}x{height}")
        self.scene = scene
        self.width = width
        self.height = height
        self._layers = draw(scene, width, height)
        self._noise = _noise(width * height)
        self._gain = self._installed_gain()

    def render(self, *, mean_g_m2: float, light: float, optics: Optics, frame_seed: int) -> NDArray[np.uint8]:
        """The picture, RGB, (height, width, 3).

        `mean_g_m2` is the mean coverage of the walls within the light's reach, 0 (spotless) to `THICKEST_G_M2`;
        `light` the LED level 0..1; `frame_seed` draws the frame's noise: the same arguments give the same picture.
        """
        if not 0 <= mean_g_m2 <= THICKEST_G_M2:
            raise ValueError(f"coverage is 0 to {THICKEST_G_M2:g} g/m2, not {mean_g_m2}")
        led = light * optics.led
        planes = self._before_the_lens(mean_g_m2, led + AMBIENT)
        planes = blurred(planes, optics.defocus_px + 2.5 * optics.fog)
        self._through_the_lens(planes, led, optics)
        iso = 2.0**optics.exposure_ev * self._metered(planes, optics)
        return expose(planes, gain=self._gain * iso, iso=iso, optics=optics, noise=self._noise, frame_seed=frame_seed)

    def coverage_g_m2(self, mean_g_m2: float) -> F32:
        """The coverage at each picture element, (height, width): the ground truth of `render`."""
        return coverage(self.scene, self._layers.film, self._layers.clumps, mean_g_m2)

    @property
    def area_m2(self) -> F32:
        """The wall that each picture element shows, 0 beyond the light's reach: what the mean is weighted by."""
        return self._layers.area_m2

    def _before_the_lens(self, mean_g_m2: float, light: float) -> F32:
        """Radiance (3, height, width), drawn in bands that fit the processor's cache."""
        layers = self._layers
        planes = np.empty((3, self.height, self.width), np.float32)
        piping = np.float32(1 - 0.5 ** (mean_g_m2 / PIPED_HALF_G_M2))
        share = clump_share(self.scene, mean_g_m2)
        film, clumps = np.float32(-mean_g_m2 * (1 - share)), np.float32(-mean_g_m2 * share)
        for top in range(0, self.height, 2 * BAND_ROWS):
            rows = slice(top, top + 2 * BAND_ROWS)
            cover = layers.film[rows] * film
            cover += layers.clumps[rows] * clumps
            relief = np.minimum(cover * np.float32(-1 / RELIEF_FULL_G_M2), 1)
            relief *= layers.relief[rows]
            relief *= np.float32(0.75)
            relief += 1
            cover *= layers.thickness[rows]
            bare = np.exp(cover, out=cover)
            lit = layers.piped[rows] * -piping
            lit += 1
            lit *= np.float32(light)
            dusty = (1 - bare) * relief
            dusty *= lit
            bare *= lit
            for channel in range(3):
                np.multiply(layers.clean[channel, rows], bare, out=planes[channel, rows])
                planes[channel, rows] += layers.dusty[channel, rows] * dusty
        self._drop_crumbs(planes, mean_g_m2, light)
        return planes

    def _drop_crumbs(self, planes: F32, mean_g_m2: float, light: float) -> None:
        layers = self._layers
        settled = np.clip((np.float32(mean_g_m2) - layers.crumb_from_g_m2) * 2, 0, 1)
        cover = layers.crumb * settled
        radiance = layers.crumb_radiance * np.float32(light) * cover
        for plane in planes.reshape(3, -1):
            plane[layers.crumb_at] = plane[layers.crumb_at] * (1 - cover) + radiance

    def _through_the_lens(self, planes: F32, led: float, optics: Optics) -> None:
        """What lies between: fog, dust on the lens, something that covers it. Changes `planes`."""
        back = np.float32(led / self._gain)  # the LED's light as thrown back to the lens, at the picture's level
        if optics.fog:
            planes *= np.float32((1 - optics.fog) ** 1.5)
            planes += ring_glow(self.width, self.height) * (back * np.float32(0.35 * optics.fog))
        if optics.lens_dust:
            shade, scattered = lens_dust(optics.lens_dust_seed, self.width, self.height)
            planes *= 1 - shade * np.float32(optics.lens_dust)
            planes += scattered * (back * np.float32(0.5 * optics.lens_dust))
        if optics.cover:
            planes *= np.float32(1 - optics.cover)
            planes += ring_glow(self.width, self.height) * (back * np.float32(0.02 * optics.cover))

    def _metered(self, planes: F32, optics: Optics) -> float:
        """The gain of automatic exposure, 1 when locked."""
        level = float(planes[:, ::METER_STEP, ::METER_STEP].clip(0, 1 / self._gain).mean()) * self._gain
        return float(min(AIM / max(level, 1e-6), LARGEST_GAIN) ** optics.metering)

    def _installed_gain(self) -> float:
        """The exposure locked when the camera was installed: on this duct, lightly soiled, LED ring at full power."""
        planes = self._before_the_lens(1.0, 1.0)[:, ::METER_STEP, ::METER_STEP]
        gain = 1.0
        for _ in range(8):  # what burns out counts as white, so the gain follows in steps
            gain *= AIM / float(np.minimum(planes * gain, 1).mean())
        return gain


@lru_cache(maxsize=2)
def _noise(elements: int) -> F32:
    """Standard normal values, enough that frames and channels start at different places in it."""
    store = np.random.default_rng(1).standard_normal(elements + elements // 2 + 1, dtype=np.float32)
    softened: F32 = (store + 0.35 * np.roll(store, 1)).astype(np.float32)  # as demosaicing leaves it
    softened.flags.writeable = False
    return softened
