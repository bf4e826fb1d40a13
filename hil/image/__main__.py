"""`python -m hil.image`: builds a board image. What is done goes to stderr, what came of it to stdout."""

from __future__ import annotations

import signal
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

import msgspec

from hil.image.boards import BOARDS
from hil.image.build import Facts, Image, Steps, build_image, compress, lock_versions, package, tell
from hil.image.inputs import lock_file
from hil.image.shell import Failed
from hil.image.verify import unlike

MB = 1_000_000
MAX_COMPRESSED_BYTES = 450 * MB  # issue 3: what may be downloaded to a building site
EPILOG = (
    f"Ends with 1 if something fails, if a second build differs, or if the compressed image has more than "
    f"{MAX_COMPRESSED_BYTES // MB} MB."
)
EX_FAILED, EX_INTERRUPTED = 1, 130


def parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m hil.image", description="Builds the image that a board is flashed with.", epilog=EPILOG
    )
    parser.add_argument("--architecture", choices=sorted(BOARDS), default="amd64", help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=Path("build/image"), metavar="DIR", help="default: %(default)s")
    parser.add_argument("--json", action="store_true", help="what is known of the image, as JSON")
    parser.add_argument("--unpinned", action="store_true", help="take other versions of Debian's packages than locked")
    parser.add_argument("--uncompressed", action="store_true", help="only the .img, as an emulator wants it")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--lock", action="store_true", help="first lock the versions that the mirror has now")
    what.add_argument("--deb", action="store_true", help="only the firmware's Debian package")
    what.add_argument("--verify", action="store_true", help="build a second time from nothing, and compare")
    return parser


def main(arguments: Namespace) -> int:
    """Raises `shell.Failed`."""
    image = Image(board=BOARDS[arguments.architecture], out=arguments.out.resolve())
    steps = Steps(tell)
    pinned = not arguments.unpinned
    if arguments.deb:
        print(package(image, steps))
        return 0
    if arguments.lock:
        lock = lock_versions(image, steps)
        tell(f"{len(lock.versions)} packages of {lock.date} are in {lock_file(image.board)}\n")
    if arguments.verify:
        different = unlike(image, steps, pinned=pinned)
        print(
            f"not the same when built again: {', '.join(different)}" if different else "built again, bit by bit equal"
        )
        return EX_FAILED if different else 0
    facts = build_image(image, steps, pinned=pinned)
    if not arguments.uncompressed:
        compress(image, steps)
    print(
        _as_json(image, facts)
        if arguments.json
        else _summary(image, facts, "built" if steps.seconds else "nothing has changed; it was built")
    )
    return EX_FAILED if _is_too_large(image.beside(".zst")) else 0


def _summary(image: Image, facts: Facts, how: str) -> str:
    packed = image.beside(".zst")
    size = facts.size_bytes
    lines = [
        f"{image.disk}",
        f"  {size['image'] / MB:.0f} MB, its root {size['root'] / MB:.0f} MB; SHA-256 {facts.sha256['image']}",
    ]
    if packed.exists():
        too_large = f": more than {MAX_COMPRESSED_BYTES / MB:.0f} MB!" if _is_too_large(packed) else ""
        lines.append(f"  {packed.name}: {packed.stat().st_size / MB:.0f} MB{too_large}")
    if facts.differences:
        lines.append(f"  {len(facts.differences)} Debian packages are not as locked: see {image.beside('.json').name}")
    else:
        lines.append(f"  Debian packages as locked on {facts.date:%Y-%m-%d}")
    lines.append(f"  {how} in {sum(facts.seconds.values()):.0f} s")
    return "\n".join(lines)


def _is_too_large(packed: Path) -> bool:
    return packed.exists() and packed.stat().st_size > MAX_COMPRESSED_BYTES


def _as_json(image: Image, facts: Facts) -> str:
    files = {"image": image.disk, "kernel": image.kernel, "initramfs": image.initramfs, "package": image.package}
    told = msgspec.to_builtins(facts) | {"files": {name: str(path) for name, path in files.items()}}
    return msgspec.json.format(msgspec.json.encode(told)).decode()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)  # so that what runs is stopped, and cleans up, as with Ctrl-C
    try:
        sys.exit(main(parser().parse_args()))
    except Failed as error:
        tell(f"\n{error}\n")
        sys.exit(EX_FAILED)
    except KeyboardInterrupt:
        tell("\ninterrupted\n")
        sys.exit(EX_INTERRUPTED)
