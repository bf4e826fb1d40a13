"""What a customer is handed: complete, well formed, and no text of it can do anything."""

from __future__ import annotations

import base64
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.types import SourceId
from firmware.cleaning.record import Look, Outcome, Scene
from firmware.cleaning.report import Letterhead, page
from firmware.cleaning.states import REPORTED, CleaningEvent
from model.cleanliness import SUPPLY_DUCTS
from model.types import Cleanliness, Degree, Label, Reason
from tests.builders import verdict
from tests.firmware.cleaning.builders import DOWN, UP, look, measured, outcome, step

E = CleaningEvent
HIGH, MEDIUM, LOW, NONE = Cleanliness

DIRTY = verdict(Label.DIRTY, score=0.96, degree=Degree(6.1, 3.2, 9.9), cleanliness=(LOW, NONE))
CLEAN = verdict(Label.CLEAN, score=0.03, degree=Degree(0.11, 0.04, 0.35), cleanliness=(HIGH,))


def shown(it: Outcome, *, board: str = "ahu-3") -> ElementTree.Element:
    head = Letterhead(board=board, firmware="1.2.3", limits=SUPPLY_DUCTS)
    return ElementTree.fromstring(page(it, head, number=7, style="p > b { margin: 0 }").partition("\n")[2])


def words(it: Outcome) -> str:
    body = shown(it).find("body")
    assert body is not None
    return " ".join(" ".join(body.itertext()).split()).replace(" ,", ",").replace(" .", ".")


def row(it: Outcome, name: str) -> list[str]:
    cells = [["".join(cell.itertext()) for cell in each] for each in shown(it).iter("tr")]
    return next(cells[1:] for cells in cells if cells[0].startswith(name))


def test_a_verified_cleaning_says_who_when_how_long_and_by_what() -> None:
    told = words(outcome(alarms={"dirty_duct/upstream": True, "deposit_high/upstream": False}))

    assert "Verified clean The last 3 snapshots of each camera show a clean duct." in told
    assert "Cleaning began 23 November 2026, 12:00 UTC+01:00, by ann" in told
    assert "Duration of the work 1 h 0 min" in told
    assert "4 judged; 3 in a row of each camera had to be clean" in told
    assert "dirty_duct/upstream: over deposit_high/upstream: still stands" in told
    assert "signed off by bob, 23 November 2026, 13:00 UTC+01:00." in told
    assert "synchronised at each step" in told


def test_each_camera_has_its_pictures_side_by_side_with_score_and_estimate() -> None:
    before = Scene({UP: look(DIRTY, jpeg=b"dirty"), DOWN: look(DIRTY)})
    it = outcome(before=before, after=Scene({UP: look(CLEAN, jpeg=b"clean")}))

    sources = [picture.attrib["src"] for picture in shown(it).iter("img")]

    assert [base64.b64decode(source.partition("base64,")[2]) for source in sources][:2] == [b"dirty", b"clean"]
    assert row(it, "This picture shows") == ["dirty", "clean"]
    assert row(it, "Score") == ["0.96", "0.03"]
    assert row(it, "Deposit, estimated") == ["6.1 g/m² (3.2 to 9.9)", "0.11 g/m² (0.04 to 0.35)"]
    assert row(it, "Class of EN 15780, estimated") == ["class low or worse", "class high"]
    assert "no picture was taken" in words(it)  # of the other camera, after
    assert "no measurement and replace no wipe or vacuum test" in words(it)


def test_a_picture_that_could_not_be_judged_says_why() -> None:
    dark = Look(
        label=Label.CANNOT_TELL,
        verdict=verdict(Label.CANNOT_TELL, score=None, reasons=(Reason.DARK,)),
        stamp=look().stamp,
        jpeg=b"",
    )

    it = outcome(before=Scene({UP: dark}))

    assert row(it, "This picture shows") == ["cannot tell (dark)", "–"]
    assert row(it, "Deposit") == ["–", "–"]
    assert "the picture cannot be shown" in words(it)


def test_readings_stand_beside_each_other_in_units_of_people() -> None:
    gas = measured(223_400, "gas_resistance", "Ohm", "duct-gas")
    it = outcome(
        before=Scene(readings=[measured(12.34), measured(3, "restarts", "1", "board")]), after=Scene(readings=[gas])
    )

    assert row(it, "Particulates PM2.5") == ["12.3 µg/m³", "–"]
    assert row(it, "Gas resistance") == ["–", "223 kΩ"]
    assert "restarts" not in words(it)


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (
            step(E.GIVE_UP, 900, "board", "20 snapshots"),
            "Not verified The cameras did not see a clean duct: 20 snapshots.",
        ),
        (step(E.ABANDON, 900, "board", "not over after 12 h"), "Not completed Nobody completed this cleaning"),
    ],
)
def test_one_that_was_not_verified_says_so_first(end: object, told: str) -> None:
    it = outcome(step(E.START, 0), end)  # type: ignore[arg-type]

    assert told in words(it)
    assert "Verified" not in words(it)
    assert "Nobody finished this cleaning." in words(it)


def test_a_clock_that_was_not_synchronised_is_marked_and_the_duration_is_honest() -> None:
    begun = step(E.START, 0, trusted=False)
    it = outcome(begun, step(E.FINISH, 600), step(E.VERIFY, 700), interrupted=True)

    assert "12:00 UTC+01:00 (clock not synchronised), by ann" in words(it)
    assert "clock was not synchronised where a time is marked" in words(it)
    assert "at least 10 min: the board was off meanwhile" in words(it)


@given(st.text(), st.sampled_from(sorted(REPORTED, key=lambda event: event.value)))
def test_whatever_people_and_devices_are_called_the_page_stays_a_page(name: str, end: CleaningEvent) -> None:
    hostile = f'</title></style><script>alert("{name}")</script>&{name}{{'
    camera = SourceId(hostile)
    it = outcome(
        step(E.START, 0, hostile, hostile),
        step(E.FINISH, 10, hostile, hostile),
        step(end, 20, hostile, hostile),
        before=Scene({camera: look()}, [measured(1.0, source=hostile)]),
        alarms={hostile: True},
    )

    document = shown(it, board=hostile)

    assert not list(document.iter("script"))
    assert [each.tag for each in document] == ["head", "body"]
    assert "default-src 'none'" in next(
        each.attrib["content"] for each in document.iter("meta") if "content" in each.attrib
    )
