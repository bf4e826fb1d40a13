"""The command line of `ductwatch model`: looking through photos, training, measuring. For a laptop, not for a board."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

# model.errors.TO_TRAIN in words of its own, as the command line is there before anything of a model is loaded
MODEL = """Make and measure models. Most of it needs more than a board has: in ductwatch's checkout,
.venv/bin/pip install -e '.[train]'."""
DATA = """DATA is a folder with clean/ and dirty/ (or train/ and test/ with these in each), or a manifest of SageMaker
Ground Truth or Rekognition Custom Labels: JSON lines, one a picture."""

CALIBRATE = """Fit the table by which a model estimates deposits in g/m2, from wipe or vacuum tests, and write the model
with it as another bundle. FILE.csv begins with picture,g_m2 and has a row for each picture of a measured spot; paths
are relative to it. Needs ten rows or more, clean ones and dirty ones. Pictures that the model learned from are left
out, and learned-from.json, which names them, is put beside the new bundle, too. docs/degree.md says how to measure."""

RENDER = """Draw ducts of all kinds as cameras would see them, into clean/ (below 0.6 g/m2), dirty/ (above 3) and
between/, with degrees.csv, which has the deposit of each. The same number is the same duct. The model that comes with
the firmware learned from the first 1,200 and was calibrated on those from 1,000,000; networks were compared on those
from 2,000,000. From 3,000,000 on nothing was ever chosen."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"  # of a model: `ductwatch ota publish` makes a file's name of it
VERSION = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"
MOST_COUNTED = 2**31 - 1
MOST_DUCTS = 10_000  # 3 GB of pictures


def add_model(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`model` with its actions."""
    model = commands.add_parser("model", help="train and measure models, on a laptop", description=MODEL)
    actions = model.add_subparsers(dest="action", required=True, metavar="ACTION")
    _data(actions)
    _train(actions)
    _evaluate(actions)
    _compare(actions)
    _calibrate(actions)
    _render(actions)


def _data(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    data = actions.add_parser(
        "data",
        help="find what would mislead a training: twins, wrong labels, broken files",
        description=f"Look through labelled photos. {DATA}\n"
        "Nothing in it is changed: what you decide on the report's page is kept beside it, in DATA.decisions.json.",
        epilog="exit status:\n  0  nothing needs a person\n  1  something does\n  2  command line or data are wrong\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data.add_argument("data", type=Path, metavar="DATA", help="folder or manifest")
    _places(data)
    data.add_argument(
        "--report", type=Path, metavar="DIR", help="write pages with pictures, to look at and to decide on, into DIR"
    )
    data.add_argument(
        "--decisions",
        type=Path,
        metavar="FILE",
        help="what the report saved: put it beside DATA, with those there before",
    )
    data.add_argument(
        "--export-manifest",
        type=Path,
        metavar="FILE",
        help="write what is left as JSON lines for Rekognition, by the names in S3 that --map says; "
        "a file each of train/ and test/",
    )
    data.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def _train(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    train = actions.add_parser(
        "train",
        help="teach a model what clean and dirty is, from labelled photos",
        description=f"Teach ImageNet's EfficientNet-Lite0 and Lite1 what clean and dirty is. {DATA}\n"
        "A fifth is only measured on, or test/ where somebody has split. Killed, it goes on where it was: ask again.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument("--data", type=Path, required=True, metavar="DATA", help="folder or manifest")
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write the bundle into")
    _places(train)
    train.add_argument("--name", type=_name, default="ours", help="the model's name (default: %(default)s)")
    train.add_argument("--version", type=_version, default="1.0.0", help="its version (default: %(default)s)")
    train.add_argument(
        "--release-counter",
        type=_release,
        default=1,
        metavar="N",
        help="higher than that of the model it is to replace: boards take no lower one (default: %(default)s)",
    )
    train.add_argument(
        "--seed",
        type=_counter,
        default=0,
        metavar="N",
        help="of what is kept aside, and of chance (default: %(default)s)",
    )
    train.add_argument(
        "--fixed-cameras",
        action="store_true",
        help="the photos are of cameras that never move: what looks alike is another day, and counts. Needs train/ "
        "and test/, by day; what the model is worth in other ducts stays unknown",
    )
    train.add_argument(
        "--checkpoints", type=Path, metavar="DIR", help="keep an unfinished training here (default: in --out)"
    )
    train.add_argument("--json", action="store_true", help="its figures as one JSON object instead of a table")


def _evaluate(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    evaluate = actions.add_parser(
        "evaluate",
        help="measure a model on labelled photos, as a board would judge them",
        description=f"Judge labelled photos with the very classes and the very int8 file that a board runs. {DATA}",
    )
    evaluate.add_argument("bundle", type=Path, metavar="BUNDLE", help="the model bundle: a folder or a tar")
    evaluate.add_argument("--data", type=Path, required=True, metavar="DATA", help="folder or manifest")
    _places(evaluate)
    evaluate.add_argument(
        "--degrees",
        type=Path,
        metavar="FILE.csv",
        help="deposits of the pictures, picture,g_m2: says how well the score follows them",
    )
    evaluate.add_argument("--report", type=Path, metavar="DIR", help="write a page with curves and mistakes into DIR")
    evaluate.add_argument(
        "--answers", type=Path, metavar="FILE", help="write what it says of each picture, as JSON lines"
    )
    _learned_too(evaluate)
    evaluate.add_argument("--corruptions", action="store_true", help="also with noise, blur, fog, light and JPEG added")
    evaluate.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def _compare(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    compare = actions.add_parser(
        "compare",
        help="say whether one model is better than another, and how sure that is",
        description=f"Judge the same labelled photos with two models. {DATA}\n"
        "Twins count as one: a series of one thing is no more proof than one picture of it.",
        epilog="exit status:\n  0  B is not worse than A\n  1  B is worse\n  2  command line or data are wrong\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("a", type=Path, metavar="A", help="the model bundle in use")
    compare.add_argument("b", type=Path, metavar="B", help="the one that may replace it")
    compare.add_argument("--data", type=Path, required=True, metavar="DATA", help="folder or manifest")
    _places(compare)
    _learned_too(compare)
    compare.add_argument(
        "--each-counts",
        action="store_true",
        help="count each picture for itself: for photos of cameras that never move, where what looks alike is another "
        "day",
    )
    compare.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def _calibrate(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    calibrate = actions.add_parser(
        "calibrate",
        help="let a model estimate deposits in g/m2, from wipe or vacuum tests",
        description=CALIBRATE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    calibrate.add_argument("bundle", type=Path, metavar="BUNDLE", help="the model bundle: a folder or a tar")
    calibrate.add_argument(
        "--measurements", type=Path, required=True, metavar="FILE.csv", help="what was measured: picture,g_m2"
    )
    calibrate.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the new bundle")
    _learned_too(calibrate)
    calibrate.add_argument(
        "--version", type=_version, help="of the new bundle (default: the old one with +cal and the counter)"
    )
    calibrate.add_argument(
        "--release-counter",
        type=_release,
        metavar="N",
        help="of the new bundle; boards take no lower one than they have (default: one more than the old one)",
    )
    calibrate.add_argument("--json", action="store_true", help="one JSON object instead of a table")


def _render(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    render = actions.add_parser(
        "render",
        help="draw ducts, labelled, whose deposit is known: to try the rest with, before there are photos",
        description=RENDER,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    render.add_argument(
        "out", type=Path, metavar="DIR", help="new folder, or one of these: what is there is not drawn again"
    )
    render.add_argument(
        "--ducts", type=_ducts, default=60, metavar="N", help="so many, five pictures each (default: %(default)s)"
    )
    render.add_argument(
        "--first", type=_counter, default=3_000_000, metavar="N", help="number of the first one (default: %(default)s)"
    )


def _places(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--map",
        dest="places",
        type=_place,
        action="append",
        default=[],
        metavar="PREFIX=DIR",
        help="in a manifest, what begins with PREFIX (s3://bucket) lies in DIR; may be repeated",
    )
    command.add_argument(
        "--class",
        dest="classes",
        type=_meaning,
        action="append",
        default=[],
        metavar="NAME=clean|dirty",
        help="in a manifest, what a class of another name means; may be repeated",
    )
    command.add_argument(
        "--attribute", metavar="NAME", help="in a manifest whose lines have several labels, the one that counts"
    )


def _learned_too(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--learned-too",
        action="store_true",
        help="also on pictures that a model learned from, which are left out where learned-from.json lies beside it",
    )


def _place(text: str) -> tuple[str, Path]:
    prefix, equals, folder = text.rpartition("=")
    if not equals or not prefix or not folder:
        raise argparse.ArgumentTypeError(f"{text!r}: write a prefix and a folder, such as s3://bucket=photos")
    return prefix, Path(folder)


def _meaning(text: str) -> tuple[str, str]:
    name, _, meaning = text.rpartition("=")
    if not name or meaning.lower() not in {"clean", "dirty"}:
        raise argparse.ArgumentTypeError(f"{text!r}: write a name and clean or dirty, such as dusty=dirty")
    return name.casefold(), meaning.upper()


def _name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise argparse.ArgumentTypeError(f"{text!r}: write up to 64 letters, digits, dots, underscores and hyphens")
    return text


def _version(text: str) -> str:
    if not re.fullmatch(VERSION, text):
        raise argparse.ArgumentTypeError(f"{text!r}: write up to 64 letters, digits, dots, underscores, + and hyphens")
    return text


def _ducts(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_DUCTS:
        raise argparse.ArgumentTypeError(f"{text!r}: write a number from 1 to {MOST_DUCTS}")
    return int(text)


def _counter(text: str, *, least: int = 0) -> int:
    if not text.isdecimal() or not least <= int(text) <= MOST_COUNTED:
        raise argparse.ArgumentTypeError(f"{text!r}: write a number from {least} to {MOST_COUNTED}")
    return int(text)


def _release(text: str) -> int:
    return _counter(text, least=1)
