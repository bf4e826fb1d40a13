"""The same rollout with AWS IoT Jobs: `aws iot create-job` lines for an operator to give. Pure.

Creating a job is no business of MQTT there but of an HTTPS API, which nothing here speaks. AWS starts no cohort by
itself after a soak, so each cohort is a job of its own. Form and bounds: AWS CLI reference, "iot create-job"; API
reference, AbortCriteria (threshold at most 100 %, a minimum of 1) and TimeoutConfig (1 to 10080 minutes).
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence

from ota.job_messages import LONGEST_STEP_MIN, JobDocument
from ota.rollout import Plan, cohort_of

ARN = re.compile(r"arn:aws[a-z-]*:iot:[a-z0-9-]+:[0-9]{12}:thing/?")
MAX_TARGETS = 100  # of one job (API reference, AssociateTargetsWithJob); a larger cohort becomes several jobs
MINUTE_S = 60


def create_job_lines(plan: Plan, document: JobDocument, boards: Sequence[str], arn: str) -> list[str]:
    """Shell lines, and remarks between them. `arn` ends in `:thing`; raises ValueError for what is none."""
    if not ARN.fullmatch(arn):
        raise ValueError(f"{arn!r}: write arn:aws:iot:REGION:ACCOUNT:thing, with the account's twelve digits")
    lines: list[str] = []
    for number, percent in enumerate(plan.percents):
        members = sorted(board for board in boards if cohort_of(board, plan) == number)
        for part, first in enumerate(range(0, len(members), MAX_TARGETS)):
            some = members[first : first + MAX_TARGETS]
            suffix = f"-{number + 1}" + (f"-{part + 1}" if len(members) > MAX_TARGETS else "")
            lines.append(f"# up to {percent} % of the fleet, boards: {len(some)}. {_when(lines, part, plan)}")
            lines.append(_line(plan, document, [f"{arn.rstrip('/')}/{board}" for board in some], suffix))
    return lines


def _when(before: Sequence[str], part: int, plan: Plan) -> str:
    if not before:
        return "Give this now"
    if part:
        return "Give this with the one before"
    return f"Give this once all before are complete, and {plan.soak_s / MINUTE_S:.0f} min have gone by"


def _line(plan: Plan, document: JobDocument, targets: Sequence[str], suffix: str) -> str:
    criteria = {
        "failureType": "ALL",
        "action": "CANCEL",
        "thresholdPercentage": max(1.0, round(100 * plan.max_failures, 2)),
        "minNumberOfExecutedThings": plan.min_results,
    }
    minutes = min(LONGEST_STEP_MIN, max(1, round(plan.deadline_s / MINUTE_S)))
    words = [
        "aws",
        "iot",
        "create-job",
        "--job-id",
        f"{plan.rollout[: 64 - len(suffix)]}{suffix}",
        "--targets",
        *targets,
    ]
    words += ["--document", document.encoded().decode()]
    words += ["--abort-config", json.dumps({"criteriaList": [criteria]})]
    words += ["--timeout-config", json.dumps({"inProgressTimeoutInMinutes": minutes})]
    return shlex.join(words)
