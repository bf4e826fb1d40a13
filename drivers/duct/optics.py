"""What the camera does to the light of the duct, and what goes wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from drivers.duct.scene import Rgb, warmth
from drivers.duct.tiles import F32

AMBIENT = 2e-4  # of full LED power: what leaks into a duct that nothing lights
LARGEST_GAIN = 12.0  # automatic exposure gives up here: about what a small sensor can do before it shows only noise
AIM = 0.20  # mean level, linear, that automatic exposure aims at
BLACK = 0.012  # the sensor's black level, of full scale, on the scale of the square root


@dataclass(frozen=True, slots=True, kw_only=True)
class Optics:
    """The camera's state for one frame. The default is a sound camera with locked exposure."""

    exposure_ev: float = 0.0  # stops against the exposure set when the camera was installed
    metering: float = 0.0  # 0 is locked exposure, 1 is automatic: how far each frame is brought to the same level
    white_balance: Rgb = (1.0, 1.0, 1.0)  # gain of each channel, on top of the installed one
    noise: float = 0.012  # standard deviation, of full scale, on the scale of the square root, at gain 1
    defocus_px: float = 0.0  # standard deviation of the blur
    led: float = 1.0  # what is left of the LED ring: 0 is dead
    fog: float = 0.0  # 0..1, share of the contrast that is gone
    lens_dust: float = 0.0  # 0..1
    lens_dust_seed: int = 0  # the same seed is the same dust: it stays where it is from frame to frame
    cover: float = 0.0  # 0..1, how much of the view something in front of the lens takes


PYRAMID_VARIANCE = 0.92  # px^2: what halving and doubling once spreads a point by
LARGEST_ISO = 16.0  # gain beyond which noise grows no more: the rest of an exposure comes from time

FAULTS: dict[str, Optics] = {
    "camera-blind": Optics(cover=1.0),
    "led-dead": Optics(led=0.0),
    "lens-dust": Optics(lens_dust=0.9),
    "lens-fog": Optics(fog=0.9),
    "out-of-focus": Optics(defocus_px=8.0),
    "saturated": Optics(exposure_ev=6.0),
}


def random_optics(rng: np.random.Generator) -> Optics:
    """A sound camera as one meets them: any exposure that still shows the duct, some noise, not quite sharp."""
    return Optics(
        exposure_ev=float(rng.uniform(-1.3, 1.3)),
        metering=float(rng.choice([0.0, rng.uniform(0, 1), 1.0])),
        white_balance=warmth(rng, 0.07),
        noise=float(rng.uniform(0.004, 0.03)),
        defocus_px=float(rng.choice([0.0, rng.uniform(0, 1.2)])),
        lens_dust=float(rng.choice([0.0, rng.uniform(0, 0.35)], p=[0.8, 0.2])),
        lens_dust_seed=int(rng.integers(1 << 16)),
    )


def worn_optics(rng: np.random.Generator) -> Optics:
    """A camera that has got worse, in one way or more, and still shows something of the duct."""
    return replace(
        random_optics(rng),
        exposure_ev=float(rng.uniform(-2.2, 2.0)),
        noise=float(0.01 * 35 ** rng.uniform(0, 1)),
        defocus_px=float(rng.choice([rng.uniform(0, 1), rng.uniform(1, 4)])),
        fog=float(rng.choice([0.0, rng.uniform(0, 0.5)])),
        lens_dust=float(rng.choice([0.0, rng.uniform(0, 0.6)])),
    )


def blurred(planes: F32, sigma_px: float) -> F32:
    """Planes (n, height, width) out of focus: between two levels of a pyramid, so that any blur grows smoothly."""
    if sigma_px < 0.05:
        return planes
    variance = sigma_px**2
    levels = [planes]
    spread = [0.0]
    while spread[-1] < variance and min(levels[-1].shape[1:]) >= 8:
        levels.append(_halved(levels[-1]))
        spread.append(spread[-1] + PYRAMID_VARIANCE * 4 ** (len(levels) - 2))
    share = min(1.0, (variance - spread[-2]) / (spread[-1] - spread[-2]))
    image = levels[-1]
    for level in reversed(levels[:-1]):
        doubled = _doubled(image, level.shape[1], level.shape[2])
        image = doubled if share == 1.0 else doubled * np.float32(share) + level * np.float32(1 - share)
        share = 1.0
    return image


@lru_cache(maxsize=2)  # cameras on one board
def lens_dust(seed: int, width: int, height: int) -> tuple[F32, F32]:
    """Dust on the lens, far out of focus: what it takes from the view (0..1), and what it scatters back of the LED."""
    rng = np.random.default_rng([seed, 5])
    small_width, small_height = -(-width // 4), -(-height // 4)
    y, x = np.mgrid[0:small_height, 0:small_width].astype(np.float32) / np.float32(small_width)
    shade, glow = np.zeros_like(x), np.zeros_like(x)
    for _ in range(int(rng.integers(25, 60))):
        away = np.hypot(x - rng.uniform(0, 1), y - rng.uniform(0, small_height / small_width))
        spot = 1 / (1 + np.exp(np.minimum((away - rng.uniform(0.006, 0.05)) * 200, 30)))
        shade = 1 - (1 - shade) * (1 - spot * rng.uniform(0.2, 0.9))
        glow = glow + spot * rng.uniform(0, 0.5)
    haze = 0.25 * np.ones_like(x)
    return _grown(1 - (1 - shade) * (1 - haze), width, height), _grown(glow + 0.15 * haze, width, height)


@lru_cache(maxsize=2)
def ring_glow(width: int, height: int) -> F32:
    """The LED ring's light thrown back from right before the lens: brightest in the middle, 0..1."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x / width - 0.47, (y - height / 2) / width - 0.03)
    near: F32 = np.exp(-((away / np.float32(0.55)) ** 2)).astype(np.float32)
    return near


def expose(planes: F32, *, gain: float, iso: float, optics: Optics, noise: F32, frame_seed: int) -> NDArray[np.uint8]:
    """From radiance (3, height, width) to the picture (height, width, 3), 8 bits as a camera delivers it.

    Works on the square root of the light, where shot noise is the same at every level.
    `gain` is for the level, `iso` for the noise: how much the sensor amplifies, 1 as installed.
    `noise` is a store of standard normal values, from which each frame and channel takes a stretch of its own.
    """
    _, height, width = planes.shape
    picture = np.empty((height, width, 3), np.uint8)
    rng = np.random.default_rng([frame_seed, 9])
    amplitude = np.float32(optics.noise * min(iso, LARGEST_ISO) ** 0.5)
    for channel in range(3):
        start = int(rng.integers(noise.size - height * width + 1))
        level = planes[channel] * np.float32(gain * optics.white_balance[channel])
        np.sqrt(np.maximum(level, 0, out=level), out=level)
        level += noise[start : start + height * width].reshape(height, width) * amplitude
        level += np.float32(BLACK)
        np.clip(level, 0, 1, out=level)
        level *= np.float32(1.22) - np.float32(0.22) * level  # shoulder: about the curve of sRGB, softer at the top
        level *= np.float32(255)
        level += np.float32(0.5)
        picture[..., channel] = level
    return picture


def _halved(planes: F32) -> F32:
    _, height, width = planes.shape
    if height % 2 or width % 2:
        planes = np.pad(planes, ((0, 0), (0, height % 2), (0, width % 2)), mode="edge")
    rows = planes[:, 0::2] + planes[:, 1::2]
    half: F32 = (rows[:, :, 0::2] + rows[:, :, 1::2]) * np.float32(0.25)
    return half


def _doubled(planes: F32, height: int, width: int) -> F32:
    """Twice the size by straight lines between the centres, cut to height and width."""
    return _doubled_rows(_doubled_rows(planes).swapaxes(1, 2)).swapaxes(1, 2)[:, :height, :width]


def _doubled_rows(planes: F32) -> F32:
    count, height, width = planes.shape
    near = planes * np.float32(0.75)
    far = planes * np.float32(0.25)
    double = np.empty((count, 2 * height, width), np.float32)
    double[:, 0] = planes[:, 0]
    double[:, -1] = planes[:, -1]
    np.add(near[:, 1:], far[:, :-1], out=double[:, 2::2])
    np.add(near[:, :-1], far[:, 1:], out=double[:, 1:-1:2])
    return double


def _grown(small: F32, width: int, height: int) -> F32:
    """Four times the size."""
    planes = small[None].astype(np.float32)
    middle = _doubled(planes, 2 * small.shape[0], 2 * small.shape[1])
    return np.ascontiguousarray(_doubled(middle, height, width)[0])
