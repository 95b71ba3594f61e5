"""What all pages share: chips with words and contrast, and how little a first page weighs. I/O."""

from datetime import timedelta

import pytest
from jinja2 import Environment, FileSystemLoader

from console.formats import relative
from console.render import TEMPLATES, install
from domain.clock import utc_now
from domain.roles import Role
from tests.browsing import Browsing
from tests.consoles import Rig


@pytest.mark.parametrize("dark", [False, True])
async def test_deadlines_have_words_a_countdown_and_contrast(
    desk: Rig, browsing: Browsing, dark: bool
) -> None:
    """The chips of `ui.deadline`, which the desks show."""
    now = utc_now()
    drawn = Environment(
        loader=FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )
    install(drawn, "vi")
    chips = drawn.from_string(
        '{% import "macros.html" as ui with context %}'
        "{% for state, at in states %}<p>{{ ui.deadline(state, at, relative) }}</p>{% endfor %}"
    ).render(
        states=[
            ("fresh", now + timedelta(hours=30)),
            ("due_today", now + timedelta(hours=5)),
            ("at_risk", now + timedelta(minutes=40)),
            ("late", now - timedelta(hours=2)),
            ("broken", now - timedelta(days=1)),
        ],
        relative=lambda at: relative(at, now, "vi"),
    )
    page = await browsing.logged_in(Role.SUPERVISOR, dark=dark)
    await page.goto(desk.path("/numbers"))
    await page.evaluate("html => { document.querySelector('.empty').innerHTML = html }", chips)
    assert "Lỡ hẹn 48 giờ" in await page.inner_text(".chip-broken")
    assert "trước" in await page.inner_text(".chip-late")
    await browsing.shoot(page, "chips-dark" if dark else "chips")
    await browsing.assert_accessible(page)


async def test_the_first_page_is_light(desk: Rig, browsing: Browsing) -> None:
    """At most 150 kB over the wire, fonts and scripts included; the next page loads none again."""
    page = await browsing.page()
    measured = """() => performance.getEntries()
        .filter(entry => entry.transferSize !== undefined)
        .reduce((sum, entry) => sum + entry.transferSize, 0)"""
    await page.goto(desk.path("/login"), wait_until="networkidle")
    first = await page.evaluate(measured)
    await page.goto(desk.path("/login?ended=1"), wait_until="networkidle")
    second = await page.evaluate(measured)
    print(f"first page {first / 1000:.0f} kB, the next {second / 1000:.1f} kB")
    assert 20_000 < first < 150_000
    assert second < 10_000
