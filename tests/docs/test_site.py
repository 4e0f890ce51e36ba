"""The site of the documentation is built without a warning and without a network, and lists all there is."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from sphinx.cmd.build import build_main

import core

pytestmark = pytest.mark.filterwarnings("ignore::sphinx.deprecation.RemovedInSphinx11Warning")

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", lambda *_: pytest.fail("the site asks the network"))
        assert build_main(["-W", "--keep-going", "-q", str(DOCS), str(folder)]) == 0
    return folder


def test_every_public_name_and_metric_is_in_the_reference(site: Path) -> None:
    for name in set(core.__all__) - {"METRICS"}:
        assert f'id="core.{name}"' in (site / "api" / f"core.{name}.html").read_text("utf-8")
    listed = (site / "api" / "metrics.html").read_text("utf-8")
    assert all(f">{name}</span>" in listed for name in core.METRICS)


def test_every_page_is_reached_from_the_first(site: Path) -> None:
    first = (site / "index.html").read_text("utf-8")
    pages = [path.relative_to(DOCS).with_suffix(".html").as_posix() for path in DOCS.rglob("*.md")]
    assert all(f'href="{page}"' in first for page in pages if page != "index.html" and not page.startswith("_build"))


def test_pages_bring_along_all_they_show(site: Path) -> None:
    """Scripts, styles, fonts and pictures come from the site itself; links may lead elsewhere."""
    asked = re.compile(
        r'<(?:script|img|link)[^>]+(?:src|href)="((?:https?:)?//[^"]+)"|url\(["\']?((?:https?:)?//[^)"\']+)'
    )
    for path in [*site.rglob("*.html"), *site.rglob("*.css")]:
        assert not asked.findall(path.read_text("utf-8")), path
