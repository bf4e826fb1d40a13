"""The log: changes, not cycles, on stderr: pretty on a terminal, JSON otherwise. The one door of structlog."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable
from typing import TextIO, cast

import structlog

from drivers.types import SourceId
from firmware.alarms.types import Transition
from firmware.events import Event
from firmware.observations import CleaningChange, Condition, HealthChange, UpdateChange, UpdateStep


class _Lines(io.TextIOBase):
    """What loggers write to, line by line."""

    def __init__(self, put: Callable[[str], None]) -> None:
        self._put = put

    def write(self, text: str, /) -> int:
        if line := text.removesuffix("\n"):  # the end of a line may come by itself
            self._put(line)
        return len(text)


def set_up(put: Callable[[str], None], *, verbose: bool = False) -> None:
    """Send structlog's and the standard library's logs to stderr by `put`, which must not block. Call at the start."""
    pretty = sys.stderr.isatty()
    lines = cast("TextIO", _Lines(put))
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty),
    ]
    render = [structlog.dev.ConsoleRenderer()] if pretty else [_without_values(), structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG if verbose else logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(lines),
    )
    handler = logging.StreamHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler], force=True)


def _without_values() -> structlog.typing.Processor:
    """Tracebacks as JSON. Local variables stay out of them: the broker's password may be one."""
    return structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))


def info(event: str, **fields: object) -> None:
    structlog.get_logger().info(event, **fields)


def warn(event: str, **fields: object) -> None:
    structlog.get_logger().warning(event, **fields)


def fail(event: str, **fields: object) -> None:
    structlog.get_logger().error(event, **fields)


def log_camera(camera: SourceId, description: str) -> None:
    """Say which camera was found and what it was set to."""
    info("camera found", source=camera, description=description)


def log_change(event: Event) -> None:
    """Log health changes, cleanings, updates and alarm transitions; readings and verdicts are not news."""
    if isinstance(event, HealthChange):
        tell = info if event.condition is Condition.RECOVERED else warn
        tell(f"device {event.condition.value}", source=event.source, problem=event.problem, remedy=event.remedy)
    elif isinstance(event, CleaningChange):
        info(
            f"cleaning: {event.event.value}",
            state=event.state.value,
            by=event.by,
            reason=event.reason,
            report=event.report,
        )
    elif isinstance(event, UpdateChange):
        tell = warn if event.step in (UpdateStep.REFUSED, UpdateStep.WENT_BACK) else info
        tell(f"update: {event.step.value}", release=event.release, why=event.why, **event.figures)
    elif isinstance(event, Transition) and event.is_news:
        warn(
            "alarm",
            alarm=str(event.alarm),
            before=event.before.value,
            after=event.after.value,
            severity=event.severity.value,
            value=event.value,
            reason=event.reason,
            by=event.by,
        )
