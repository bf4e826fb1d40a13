"""Makes the bundles that `make bench ARGS=delta` measures on: `python -m bench.delta_pairs`. Needs TensorFlow.

A network of the shipped kind learns from rendered ducts, by fewer steps than the shipped one. From there it goes on
three times: only its head, its top blocks, all of it; and once another one learns from ImageNet's weights anew, by
another seed. Each is exported as a release would be, calibrated and with golden pictures. About 20 minutes of two
shared cores, and 5 more where no ducts are drawn yet.
"""

from __future__ import annotations

import argparse
import io
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.training.bundle import Golden, write_bundle
from model.training.calibrate import fit_line
from model.training.render import Drawings, Pictures, draw
from model.training.strangers import strangers
from model.training.targets import DIRTY_G_M2, as_input, is_obvious, target
from model.training.train import RECIPE, SHIPPED, quiet_and_nice, timed_lines
from model.types import Label

FOLDER: Final = Path("build/delta")
BASE: Final = "base"
PAIRS: Final = {
    "head": "only the head, 100 steps",
    "top": "the top blocks, 200 steps",
    "all": "the whole network, 300 steps",
    "anew": "trained anew from ImageNet's weights, by another seed",
}
SCENES, ASIDE = 100, 15  # ducts, 12 pictures each; the last are not learned from, but calibrated on
CROP_STEPS, WHOLE_STEPS = 600, 300
HEAD_RATE, TOP_RATE, ALL_RATE = 1e-3, 3e-4, 3e-4
TOP_LAYERS: Final = 7  # convolutions: the last two blocks, and the widening after them
BATCH: Final = 32
GOLDEN_EACH: Final = 2


def main(arguments: list[str]) -> None:
    options = _options(arguments)
    quiet_and_nice()
    say = timed_lines()
    drawn = draw(range(SCENES), folder=options.drawn)
    from model.training.architectures import ARCHITECTURES
    from model.training.network import train

    architecture = ARCHITECTURES[SHIPPED]
    plan = replace(architecture.plan, crop_steps=CROP_STEPS, whole_steps=WHOLE_STEPS)
    architecture = replace(architecture, plan=plan)
    pictures = drawn.decoded(architecture.side, architecture.cells)
    learned, aside = _parted(pictures)
    strange = strangers(BATCH, architecture.side, 0)
    golden = _golden(drawn)
    options.out.mkdir(parents=True, exist_ok=True)

    def export(network: Any, name: str, version: int) -> None:
        content = _bundle(network, learned, aside, golden, version)
        (options.out / f"{name}.tar").write_bytes(content)
        say(f"{name}.tar: {len(content)} bytes")

    network = train(learned, strange, architecture, seed=0, progress=say)
    export(network, BASE, 0)
    weights = network.get_weights()
    for version, (name, rate, steps, taught) in enumerate(
        (
            ("head", HEAD_RATE, 100, _head(network)),
            ("top", TOP_RATE, 200, [*_body_layers(network)[-TOP_LAYERS:], *_head(network)]),
            ("all", ALL_RATE, 300, [*_body_layers(network), *_head(network)]),
        ),
        start=1,
    ):
        network.set_weights(weights)
        _go_on(network, learned, taught, rate=rate, steps=steps, say=say)
        export(network, name, version)
    export(train(learned, strange, architecture, seed=1, progress=say), "anew", 4)


def _parted(pictures: Pictures) -> tuple[Pictures, Pictures]:
    first = len(pictures.rgb) * (SCENES - ASIDE) // SCENES
    learned, aside = (
        Pictures(
            rgb=pictures.rgb[part],
            coverage_g_m2=pictures.coverage_g_m2[part],
            cells_g_m2=pictures.cells_g_m2[part],
        )
        for part in (slice(0, first), slice(first, None))
    )
    return learned, aside


def _golden(drawn: Drawings) -> list[Golden]:
    """The same in each bundle, as from one release to the next: the cleanest and the dirtiest."""
    order = np.argsort(drawn.coverage_g_m2, kind="stable")
    chosen = {Label.CLEAN: order[:GOLDEN_EACH], Label.DIRTY: order[-GOLDEN_EACH:]}
    return [
        Golden(f"{number}-{label.value.lower()}.jpg", drawn.jpegs[one], label)
        for label, of_label in chosen.items()
        for number, one in enumerate(of_label)
    ]


def _body_layers(network: Any) -> list[Any]:
    """The convolutions, each with its normalisation, from the picture on."""
    from model.training.backbone import NormedConvolution

    (body,) = (layer for layer in network.layers if hasattr(layer, "layers"))
    return [layer for layer in body.layers if isinstance(layer, NormedConvolution)]


def _head(network: Any) -> list[Any]:
    from model.training.finetune import HAZE

    return [network.get_layer(HAZE)]


def _go_on(
    network: Any, learned: Pictures, layers: list[Any], *, rate: float, steps: int, say: Callable[[str], None]
) -> None:
    """Teach only these layers, by small steps, as one does with more pictures of the same kind."""
    import tensorflow as tf

    from model.training.network import degree_loss
    from model.training.spoil import spoilt

    weights = [one for layer in layers for one in layer.trainable_variables]
    falling = tf.keras.optimizers.schedules.CosineDecay(rate, steps)
    optimiser = tf.keras.optimizers.AdamW(falling, weight_decay=1e-4)
    optimiser.build(weights)
    dirty, rng = target(learned.coverage_g_m2), np.random.default_rng(steps)

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow has no types
    def step(images: Any, wanted: Any, number: Any) -> Any:
        images = spoilt(images, tf.stack([steps, number]))
        with tf.GradientTape() as tape:
            loss = degree_loss(network(images, training=True), wanted)
        optimiser.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    losses = []
    for number in range(steps):
        chosen = rng.integers(len(dirty), size=BATCH)
        losses.append(float(step(as_input(learned.rgb[chosen]), dirty[chosen], tf.constant(number))))
    say(f"{len(layers)} layers, {steps} steps: loss {np.mean(losses[:20]):.3f} to {np.mean(losses[-20:]):.3f}")


def _bundle(network: Any, learned: Pictures, aside: Pictures, golden: Sequence[Golden], version: int) -> bytes:
    """The tar of a release."""
    from model.training.backbone import look
    from model.training.export import Opinion, int8_of

    obvious = is_obvious(aside.coverage_g_m2)
    dirty: npt.NDArray[np.bool_] = aside.coverage_g_m2 > DIRTY_G_M2
    line = fit_line(look(network, aside.rgb)[obvious], dirty[obvious])
    with tempfile.TemporaryDirectory(prefix="ductwatch-bench-") as folder:
        write_bundle(
            Path(folder),
            replace(RECIPE, version=f"1.{version}.0", release_counter=1 + version),
            model=int8_of([Opinion(network, line)], learned.rgb),
            golden=golden,
            training_data_sha256=learned.sha256(),
            card=f"# Version 1.{version}.0\n\nMade to measure deltas on. Good for nothing else.\n",
        )
        return _tar(Path(folder))


def _tar(folder: Path) -> bytes:
    """The same files give the same bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                member = tarfile.TarInfo(path.relative_to(folder).as_posix())
                member.size = path.stat().st_size
                tar.addfile(member, io.BytesIO(path.read_bytes()))
    return packed.getvalue()


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.delta_pairs", description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR", help="of the bundles (default: %(default)s)")
    parser.add_argument(
        "--drawn", type=Path, default=Path("build/drawn/learned"), metavar="DIR", help="ducts (default: %(default)s)"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
