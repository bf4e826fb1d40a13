"""All that can happen on a board, as the log, the view, the event lines and the broker hear of it."""

from __future__ import annotations

from firmware.alarms.types import Transition
from firmware.observations import Observation

Event = Observation | Transition
