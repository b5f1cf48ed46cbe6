"""The description as a page: all of it, nothing of others, and nothing that runs."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from server.callers import Service
from stripmocap.server.web import page


@pytest.fixture(scope="module")
def answer(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("page"))
    yield service.client(None, token=None).get("/docs")
    service.store.close()


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("schema"))
    service.store.close()
    return service.app.openapi()


class Tags(HTMLParser):
    """The tags of a page with their attributes; closes what it opens."""

    EMPTY = {"meta"}

    def __init__(self, html: str):
        super().__init__()
        self.found, self.open, self.wrong = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def test_every_route_and_record_is_on_the_page(answer, schema):
    tags = Tags(answer.text)
    ids = {each.get("id") for _, each in tags.found}

    routes = [route for path in schema["paths"].values() for route in path.values()]
    assert {each["operationId"] for each in routes} <= ids
    assert set(schema["components"]["schemas"]) <= ids


def test_every_link_leads_somewhere_on_the_page(answer):
    tags = Tags(answer.text)
    ids = {each.get("id") for _, each in tags.found}

    links = {each["href"] for tag, each in tags.found if tag == "a"}
    assert {each for each in links if each.removeprefix("#") not in ids} == {"/openapi.json"}


def test_the_page_is_well_formed_and_loads_nothing(answer):
    tags = Tags(answer.text)

    assert (tags.open, tags.wrong) == ([], [])
    assert not {"script", "link", "img", "iframe", "form"} & {tag for tag, _ in tags.found}
    assert not [each for _, each in tags.found if "src" in each or "style" in each]
    assert "http" not in re.sub(r"<title>.*?</title>", "", answer.text).replace("HTTP", "")


def test_the_policy_lets_in_only_the_pages_own_style(answer):
    style = re.search(r"<style>(.*?)</style>", answer.text, re.DOTALL)

    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == page.POLICY
    assert f"style-src 'sha256-{digest}'" in page.POLICY


def test_what_the_description_says_is_text_and_no_code():
    evil = "<script>alert(1)</script>"
    schema = {
        "openapi": evil,
        "info": {"title": evil, "version": evil, "description": evil},
        "tags": [{"name": "t", "description": evil}],
        "paths": {
            evil: {
                "get": {
                    "tags": ["t"],
                    "operationId": "x",
                    "description": f"{evil}\n\n`{evil}`",
                    "responses": {"200": {"description": evil}},
                }
            }
        },
        "components": {"schemas": {evil: {"description": evil, "enum": [evil]}}},
    }

    assert "<script" not in page.html(schema)
