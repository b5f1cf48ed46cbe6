from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from stripmocap.evaluation import pages
from stripmocap.evaluation.pages import Picture, Section, Table, Words

NASTY = '<script>alert("x")</script> | [a](http://b) & c'


def picture(ending: str = ".png") -> bytes:
    return cv2.imencode(ending, np.full((4, 6, 3), 90, dtype=np.uint8))[1].tobytes()


@pytest.fixture
def sections() -> list[Section]:
    table = Table(("case", "mm"), (("walk", "1.5"), (NASTY, "-")))
    return [
        Section("Numbers", (table, Words(NASTY))),
        Section("Seen", (Picture("a walk", picture()), Picture(NASTY, picture(".jpg")))),
    ]


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = [("", {})]
        self.cells: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        if self.tags[-1][0] in {"td", "th"}:
            self.cells.append(data)


def test_the_page_stands_alone_and_runs_nothing(sections):
    page = Page(pages.as_html("Report", sections))

    assert "script" not in {tag for tag, _ in page.tags}
    sources = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert len(sources) == 2
    assert all(each.startswith("data:image/") for each in sources)
    links = [a for _, attributes in page.tags for a in attributes if a in {"href", "onload"}]
    assert links == []


def test_pictures_inside_the_page_are_the_pictures(sections):
    page = Page(pages.as_html("Report", sections))

    first, second = (a["src"] for tag, a in page.tags if tag == "img")
    assert base64.b64decode(first.partition(",")[2]) == picture()
    assert second.startswith("data:image/jpeg;")


def test_what_stands_in_cells_is_read_as_it_is(sections):
    page = Page(pages.as_html("Report", sections))

    assert page.cells == ["case", "mm", "walk", "1.5", NASTY, "-"]


def test_markdown_names_its_pictures_and_gives_them(sections):
    text, files = pages.as_markdown("Report", sections, pictures=Path("report_pictures"))

    named = re.findall(r"\(<(.+?)>\)", text)
    assert [Path(each) for each in named] == list(files)
    assert list(files.values()) == [picture(), picture(".jpg")]
    assert "<script>" not in text


def test_a_row_of_markdown_has_as_many_cells_as_the_head(sections):
    text, _ = pages.as_markdown("Report", sections, pictures=Path("p"))

    rows = [line for line in text.splitlines() if line.startswith("|")]
    bars = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    assert bars == [3, 3, 3, 3]
