"""The report in a browser, from disk: what a person clicks is what a training leaves out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from model.training.data.audit import Audit
from model.training.data.command import main
from model.training.data.decisions import Choice, apply, read_decisions
from model.training.data.looking import look
from model.training.data.report import Report, Shown, render
from model.training.data.samples import read_samples
from model.types import Label
from tests.browser import Browser
from tests.model.training.data.asked import asked
from tests.model.training.data.photos import folder, photo, save, seen

pytestmark = pytest.mark.real

COUNT = "document.getElementById('count').textContent"


def reported(tmp_path: Path, *more: str) -> str:
    """The address of a report on two clean and two dirty photos, and a copy of a dirty one that says clean."""
    photos = folder(tmp_path / "photos", clean=2, dirty=2)
    save(photos / "clean/wrong.jpg", photo(1000))
    main(asked(photos, "--report", str(tmp_path / "report"), *more))
    return (tmp_path / "report/index.html").as_uri()


def test_what_is_clicked_and_saved_is_what_a_training_does(tmp_path: Path) -> None:
    address = reported(tmp_path)

    with Browser(tmp_path / "browser") as browser:
        browser.open(address)
        browser.click("#contradiction figure:last-child .choices .dirty")
        browser.click("#all figure:last-child .choices .exclude")
        assert browser.run(COUNT) == "1 exclude, 1 dirty"
        browser.click("#save")
        saved = browser.download()

    assert saved.name == "photos.decisions.json"
    samples = read_samples(tmp_path / "photos")
    applied = apply(samples, read_decisions(saved), lambda sample: look(sample).seen.sha256)
    assert applied.decided == {"clean/wrong.jpg": Choice.DIRTY, "dirty/1.jpg": Choice.EXCLUDE}
    assert [(sample.name, sample.label) for sample in applied.samples] == [
        ("clean/0.jpg", Label.CLEAN),
        ("clean/1.jpg", Label.CLEAN),
        ("clean/wrong.jpg", Label.DIRTY),
        ("dirty/0.jpg", Label.DIRTY),
    ]


def test_choices_outlive_the_page_and_a_second_click_takes_one_back(tmp_path: Path) -> None:
    address = reported(tmp_path)

    with Browser(tmp_path / "browser") as browser:
        browser.open(address)
        browser.click("#all figure:first-child .choices .keep")
        browser.click("#all figure:last-child .choices .exclude")
        browser.reload()
        assert browser.run(COUNT) == "1 keep, 1 exclude"
        browser.click("#all figure:first-child .choices .keep")
        browser.reload()
        assert browser.run(COUNT) == "1 exclude"


def test_what_is_taken_back_on_the_page_is_taken_back_beside_the_data(tmp_path: Path) -> None:
    address = reported(tmp_path)

    with Browser(tmp_path / "browser") as browser:
        browser.open(address)
        browser.click("#all figure:first-child .choices .exclude")
        browser.click("#save")
        main(asked(tmp_path / "photos", "--decisions", str(browser.download())))
        assert _applied(tmp_path) == {"clean/0.jpg": Choice.EXCLUDE}
        browser.click("#all figure:first-child .choices .exclude")
        browser.click("#save")
        main(asked(tmp_path / "photos", "--decisions", str(browser.download())))

    assert _applied(tmp_path) == {}


def _applied(tmp_path: Path) -> Mapping[str, Choice]:
    decisions = read_decisions(tmp_path / "photos.decisions.json")
    return apply(read_samples(tmp_path / "photos"), decisions, lambda sample: look(sample).seen.sha256).decided


def test_decisions_made_before_are_on_the_page_and_stay_in_the_file(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    old = {"name": "clean/0.jpg", "sha256": look(read_samples(photos)[0]).seen.sha256, "decision": "exclude"}
    gone = {"name": "clean/gone.jpg", "sha256": None, "decision": "keep"}
    document = {"schema": "ductwatch.decisions/1", "decisions": [old, gone]}
    (tmp_path / "photos.decisions.json").write_text(json.dumps(document))
    main(asked(photos, "--report", str(tmp_path / "report")))

    with Browser(tmp_path / "browser") as browser:
        browser.open((tmp_path / "report/index.html").as_uri())
        assert browser.run("document.querySelector('#all .exclude[aria-pressed=true]').textContent") == "exclude"
        browser.click("#all figure:last-child .choices .dirty")
        browser.click("#save")
        saved = read_decisions(browser.download())

    assert {name: one.choice for name, one in saved.items()} == {
        "clean/0.jpg": Choice.EXCLUDE,
        "clean/gone.jpg": Choice.KEEP,
        "dirty/0.jpg": Choice.DIRTY,
    }


def test_keys_decide_on_one_picture_after_the_other(tmp_path: Path) -> None:
    with Browser(tmp_path / "browser") as browser:
        browser.open(reported(tmp_path))
        browser.run("document.querySelector('#all figure').focus()")
        for key in ("x", "ArrowRight", "d", "ArrowRight", "k"):
            browser.press(key)

        assert browser.run(COUNT) == "1 keep, 1 exclude, 1 dirty"


def test_thumbnails_are_seen_and_a_click_on_one_leads_to_the_photo(tmp_path: Path) -> None:
    with Browser(tmp_path / "browser") as browser:
        browser.open(reported(tmp_path))
        browser.run("document.querySelector('#contradiction').scrollIntoView()")
        widths = browser.run(
            "Promise.all([...document.querySelectorAll('#contradiction img')].map("
            "(image) => image.decode().then(() => image.naturalWidth)))"
        )
        photo_address = browser.run("document.querySelector('#contradiction figure:last-child a.see').href")

    assert widths == [160, 160]
    assert photo_address == (tmp_path / "photos/clean/wrong.jpg").as_uri()


def test_one_click_keeps_the_first_of_many_copies(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    for number in range(3):
        save(photos / f"clean/copy {number}.jpg", photo(0))
    main(asked(photos, "--report", str(tmp_path / "report")))

    with Browser(tmp_path / "browser") as browser:
        browser.open((tmp_path / "report/index.html").as_uri())
        browser.click("#exact .bulk")
        assert browser.run(COUNT) == "1 keep, 3 exclude"


def test_names_with_markup_are_only_names(tmp_path: Path) -> None:
    photos = folder(tmp_path / "photos", clean=1, dirty=1)
    save(photos / "clean/<img src=x onerror=wrong()>&\"'.jpg", photo(7))
    main(asked(photos, "--report", str(tmp_path / "report")))

    with Browser(tmp_path / "browser") as browser:
        browser.open((tmp_path / "report/index.html").as_uri())
        captions = browser.run("[...document.querySelectorAll('#all figcaption')].map((one) => one.textContent)")

    assert any("clean/<img src=x onerror=wrong()>&\"'.jpg" in caption for caption in captions)


def test_ten_thousand_pictures_are_drawn_a_page_at_a_time(tmp_path: Path) -> None:
    one = seen("clean/0.jpg")
    pictures = [replace(one, sample=replace(one.sample, name=f"{number:05}.jpg")) for number in range(10_000)]
    nothing = Audit(findings=(), group={}, agreement=None, not_looked_for=frozenset())
    report = Report(
        data="photos",
        place="/photos.decisions.json",
        pictures=[Shown(seen=one, thumbnail="none.jpg", original="none.jpg") for one in pictures],
        audit=nothing,
        decisions={},
        decided={},
        notes=[],
    )
    (tmp_path / "index.html").write_text(render(report))

    with Browser(tmp_path / "browser") as browser:
        browser.open((tmp_path / "index.html").as_uri())
        assert browser.run("document.querySelectorAll('figure').length") == 60
        browser.click("#all nav button:last-child")
        assert "00060.jpg" in browser.run("document.querySelector('#all figure').textContent")
