"""Everything that a run needs and that can be wrong, loaded and checked before any hardware is touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.types import Quantity, SourceId
from firmware.errors import ConfigError
from firmware.rules.parse import BadRules, parse
from firmware.rules.types import Rule
from firmware.update.starting import loaded_at_start
from model.classifier import Classifier
from model.errors import ModelError
from model.manifest import parse_manifest
from model.selftest import selftest
from model.shipped import shipped_bundle
from ota.bundle import Bundle, open_bundle
from ota.errors import OtaError

if TYPE_CHECKING:
    from firmware.config import Config  # with the table of drivers, which judging a file can do without
    from firmware.update.depot import Depot  # with the way to a repository, which it can do without, too

DEFAULT_RULES = Path(__file__).parent / "rules" / "default.toml"
MAX_RULES_BYTES = 1024 * 1024  # some thousand rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A configuration with its rules, and a classifier that has passed its self-test."""

    config: Config
    rules: tuple[Rule, ...]
    classifier: Classifier
    bundle: Path  # that it was made of
    depot: Depot | None = None  # None: this board takes no updates


def prepare(config: Config, kept: Depot | None = None, *, first: bool = False) -> Plan:
    """Load what the configuration names. Raises `ConfigError`, with file and remedy, for whatever cannot be used.

    Where it names no model, that of `kept` is loaded, or without one the model in the firmware. `first`: the process
    has just started.
    """
    rules = load_rules(config.rules.path or DEFAULT_RULES, sources=config.sources)
    if config.model.path is not None:
        classifier, bundle, kept = load_classifier(config.model.path), config.model.path, None
    elif kept is not None:
        classifier, bundle = loaded_at_start(kept.updater, load_classifier, counts=first)
    else:
        classifier, bundle = load_classifier(shipped_bundle()), shipped_bundle()
    return Plan(config=config, rules=rules, classifier=classifier, bundle=bundle, depot=kept)


def depot_of(config: Config) -> Depot:
    """Where its models are. Raises `ConfigError` for a root of updates that cannot be read or believed."""
    from firmware.update.board_facts import facts
    from firmware.update.depot import depot

    board = facts(latency_budget_ms=1000 * config.latency.budget, named=config.update.hardware)
    return depot(config.board.data, config.update, board)


def unanswered(plan: Plan) -> list[tuple[str, str]]:
    """Problem and remedy, where rules ask for deposits that the model does not estimate: a board runs all the same."""
    deaf = [rule.name for rule in plan.rules if rule.signal == Quantity.ESTIMATED_DEPOSIT.signal]
    if not deaf or plan.classifier.manifest.degree is not None:
        return []
    model = plan.classifier.model
    problem = f"{model.name} {model.version} estimates no deposit, so that nothing can raise: {', '.join(deaf)}"
    return [(problem, "Run `ductwatch model calibrate`, and name its bundle in [model] path.")]


def load_rules(path: Path, *, sources: Collection[SourceId] | None = None) -> tuple[Rule, ...]:
    """Read a file of rules, which may name only `sources` where these are given. Raises `ConfigError`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_RULES_BYTES + 1)
        if len(content) > MAX_RULES_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_RULES_BYTES} bytes. Split the rules among boards.")
        return parse(content.decode(), str(path), sources=sources)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}. Check the path and its permissions.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 text at byte {error.start}. Save the file as UTF-8.") from error
    except BadRules as error:
        raise ConfigError(str(error)) from error


def load_classifier(path: Path) -> Classifier:
    """Open a model bundle, check its hashes, and run its self-test on this very board. Raises `ConfigError`."""
    return load_bundle(path)[0]


def load_bundle(path: Path) -> tuple[Classifier, Bundle]:
    """The same, with what the classifier was made of."""
    try:
        bundle = open_bundle(path)
        manifest = parse_manifest(bundle.manifest)
        classifier = Classifier(model_of(bundle.files), manifest)
        selftest(classifier, bundle.files)
    except (OtaError, ModelError) as error:
        raise ConfigError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error
    return classifier, bundle


def model_of(files: Mapping[str, bytes]) -> bytes:
    return files["model.tflite"]
