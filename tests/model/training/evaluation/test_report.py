"""The page of an evaluation, of pictures that are hard to show."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.errors import Unreadable
from model.training.data.pictures import Picture
from model.training.data.samples import Sample
from model.training.evaluation.command import score_all
from model.training.evaluation.figures import measure
from model.training.evaluation.report import report
from model.training.evaluation.scores import Scored
from model.types import Label
from tests.model.pictures import shipped_classifier
from tests.model.training.evaluation.data import sample

pytestmark = pytest.mark.real


def page_of(samples: list[Sample], scored: list[Scored]) -> str:
    return report(shipped_classifier(), samples, scored, measure(scored, 0.5), None)


def test_a_mistake_that_cannot_be_shown_says_so_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Scored(name="sliver.jpg", dirty=True, score=0.1, label=Label.CLEAN)
    samples = [sample(tmp_path / "sliver.jpg")]

    def jpeg(*_: object, **__: object) -> bytes:
        raise Unreadable("cannot be made a JPEG (<empty>)", remedy="Leave it out")

    monkeypatch.setattr(Picture, "jpeg", jpeg)

    page = page_of(samples, [wrong])
    assert "cannot be shown: cannot be made a JPEG (&lt;empty&gt;)" in page
    assert 'src=""' not in page


def test_of_pictures_none_of_which_can_be_read_there_is_a_page(tmp_path: Path) -> None:
    """As at the end of a training whose test/ was lost while it taught."""
    samples = [sample(tmp_path / f"{number}.jpg", b"no picture") for number in range(2)]

    page = page_of(samples, score_all(shipped_classifier(), samples))

    assert "Not readable, and counted as wrong</h2><ul><li>0.jpg</li><li>1.jpg</li></ul>" in page
