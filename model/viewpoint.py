"""Whether a fixed camera still looks where it looked, and as clearly: its picture against what it has seen so far.

Phase correlation (Kuglin and Hines 1975): pictures of one view agree in the phases of their Fourier transforms, however
they are lit. If the view is shifted they agree best at that shift; another view agrees nowhere. The figures were found
on 80 rendered ducts: docs/adr/0010-views-are-learned.md.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from model.colour import Picture
from model.image_quality import halved
from model.types import Reason

LARGEST_SIDE = 64  # of what is compared: 40 for a picture of 160
FINEST, COARSEST = 20.0, 8.0  # periods across the picture that count: joints and edges, neither light nor noise
AROUND = 8  # the light around a spot is the mean over an eighth of the side, and so wide are the faded edges
FAINT = 8.0  # of 255: below it, differences in light are noise
SHIFTED_ABOVE = 0.015  # of width or height: dust and light make up to 0.007, a turn by 0.06 rad 0.025 and more
LIKE_ABOVE = 0.12  # the same view has 0.16 and more even if dirt comes or goes at once, nine in ten others have less
FOLLOWS = 0.25  # of what is known is new with each picture: it goes along with the dirt
KNOWN_AFTER = 8  # pictures of one view, before anything else is taken for a change
HAZIER_BY = 0.09  # of `Measures.veil`: dust that settles on walls makes less, and cleaning them in 358 of 360 ducts

Levels = npt.NDArray[np.float32]
Phases = npt.NDArray[np.complex64]


class Match(NamedTuple):
    """Where two pictures fit best, in shares of height and width, and how well: 1 for the same picture, 0 nowhere."""

    down: float
    right: float
    likeness: float


class Viewpoint:
    """What one camera looks at. A view is known once it has been seen `KNOWN_AFTER` times, with nothing else between.

    Then a picture of something else is one of a camera that has moved, but for at most `at_most` pictures in a row:
    after these the new view is learned in the place of the old one. So no camera has moved for ever, and one that
    shows another duct each time never has. How clearly it sees is measured against the clearest `KNOWN_AFTER` in a row.
    """

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._known: Phases | None = None
        self._clearest = 1.0
        self._veils: deque[float] = deque(maxlen=KNOWN_AFTER)
        self._elsewhere = 0

    def changed(self, picture: Picture, veil: float) -> Reason | None:
        """MOVED, HAZY, or None for a picture that is as before. Its view is learned from, unless it is another.

        `picture` is fit to be judged, and always of one size; `veil` is as in `model.image_quality.Measures`.
        """
        seen = phases(picture)
        if self._known is None or not is_same_view(match(self._known, seen)):
            return self._another_view(seen, veil)
        self._elsewhere = 0
        self._known += np.float32(FOLLOWS) * (seen - self._known)
        if self._is_sure and veil > self._clearest + HAZIER_BY:
            return Reason.HAZY
        self._see(veil)
        return None

    def see_anew(self) -> None:
        """The lens was wiped, or the walls are bright again: how clearly it sees this view counts from here on."""
        self._clearest = 1.0

    @property
    def _is_sure(self) -> bool:
        return len(self._veils) == KNOWN_AFTER

    def _another_view(self, seen: Phases, veil: float) -> Reason | None:
        if self._is_sure and self._elsewhere < self._at_most:
            self._elsewhere += 1
            return Reason.MOVED
        self._known, self._clearest, self._elsewhere = seen, 1.0, 0
        self._veils.clear()
        self._see(veil)
        return None

    def _see(self, veil: float) -> None:
        self._veils.append(veil)
        if self._is_sure:
            self._clearest = min(self._clearest, max(self._veils))


def is_same_view(found: Match) -> bool:
    return found.likeness >= LIKE_ABOVE and max(abs(found.down), abs(found.right)) <= SHIFTED_ABOVE


def match(known: Phases, seen: Phases) -> Match:
    """How far what is known has to be moved to lie on what is seen."""
    height, width = known.shape[0], 2 * (known.shape[1] - 1)
    surface = np.fft.irfft2(seen * known.conj(), s=(height, width)).astype(np.float32, copy=False)
    row, column = divmod(int(surface.argmax()), width)
    height_of_peak = float(surface[row, column]) * height * width
    return Match(
        down=_signed(row + _summit(surface[:, column], row), height),
        right=_signed(column + _summit(surface[row], column), width),
        likeness=height_of_peak / max(_energy(known) * _energy(seen), 1e-12) ** 0.5,
    )


def phases(picture: Picture) -> Phases:
    """The phases of a picture's edges: (height, width / 2 + 1) for at most `LARGEST_SIDE` both ways, width even."""
    levels = picture[..., 1].astype(np.float32)
    while max(levels.shape) > LARGEST_SIDE:
        levels = halved(levels)
    levels = levels[:, : levels.shape[1] // 2 * 2]
    relief = levels / (_around(levels, max(3, min(levels.shape) // AROUND | 1)) + np.float32(FAINT))
    relief -= relief.mean()
    relief *= _faded(levels.shape)
    spectrum = np.fft.rfft2(relief)
    spectrum *= _weights(levels.shape) / np.maximum(np.abs(spectrum), 1e-6)
    return spectrum.astype(np.complex64)


def _around(levels: Levels, size: int) -> Levels:
    """At each place the mean of `size` by `size`, an odd number."""
    height, width = levels.shape
    padded = np.pad(levels, size // 2, mode="edge")
    rows = padded[:height].copy()
    for shift in range(1, size):
        rows += padded[shift : shift + height]
    mean = rows[:, :width].copy()
    for shift in range(1, size):
        mean += rows[:, shift : shift + width]
    mean *= np.float32(1 / size**2)
    return mean


@lru_cache(maxsize=4)
def _faded(shape: tuple[int, int]) -> Levels:
    """1 in the middle, and down to 0 at the edges: a picture's left and right are no neighbours."""
    down, right = (np.minimum(1, np.minimum(at := np.arange(n) + 0.5, n - at) * AROUND / n) for n in shape)
    return np.outer(down, right).astype(np.float32)


@lru_cache(maxsize=4)
def _weights(shape: tuple[int, int]) -> Levels:
    """Of each frequency."""
    height, width = shape
    periods = np.hypot(np.fft.fftfreq(height, 1 / height)[:, None], np.fft.rfftfreq(width, 1 / width))
    power = (1 - np.exp(-((periods / COARSEST) ** 2))) * np.exp(-((periods / FINEST) ** 2))
    weights: Levels = np.sqrt(power).astype(np.float32)
    return weights


def _energy(half: Phases) -> float:
    """Of the whole spectrum, whose other half mirrors this one but for its first and last column."""
    squares = np.square(half.real) + np.square(half.imag)
    return float(2 * squares.sum() - squares[:, 0].sum() - squares[:, -1].sum())


def _summit(line: Levels, at: int) -> float:
    """How far the top of a parabola through the peak and its neighbours is from it, -0.5 to 0.5."""
    before, peak, after = (float(line[(at + step) % line.size]) for step in (-1, 0, 1))
    bend = before - 2 * peak + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0


def _signed(place: float, size: int) -> float:
    """A shift as a share of the side: the far half is a shift to the other side."""
    return (place - size if place > size / 2 else place) / size
