"""The page in a real browser, opened from disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium (pip install selenium)")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="needs chromium and chromedriver (Debian: chromium-driver)"
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


def open_page(browser: Any, page: Path, width: int, scheme: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    )
    browser.get(page.as_uri())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_error_no_request_no_sideways_scrolling(
    browser: Any, whole: Path, width: int, scheme: str
) -> None:
    open_page(browser, whole / "index.html", width, scheme)
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.get_log("browser") == []
    requested = [entry["message"] for entry in browser.get_log("performance")]
    sent = [message for message in requested if '"Network.requestWillBeSent"' in message]
    assert not [message for message in sent if '"url":"http' in message]


def test_what_is_wide_scrolls_in_its_own_box(browser: Any, whole: Path) -> None:
    open_page(browser, whole / "index.html", 390, "light")
    beyond = browser.execute_script("""
        const inBox = e => e.closest('.scroll, nav, .theorem, math, .hidden, .skip') !== null;
        return [...document.querySelectorAll('body *')]
            .filter(e => !inBox(e) && e.getBoundingClientRect().right > innerWidth + 1)
            .map(e => e.outerHTML.slice(0, 80));
    """)
    assert beyond == []


@pytest.mark.parametrize("width", [390, 1280])
def test_text_in_figures_is_legible(browser: Any, whole: Path, width: int) -> None:
    open_page(browser, whole / "index.html", width, "light")
    sizes = browser.execute_script("""
        return [...document.querySelectorAll('figure svg')].flatMap(svg => {
            const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            const size = t => parseFloat(getComputedStyle(t).fontSize);
            return [...svg.querySelectorAll('text')].map(t => scale * size(t));
        });
    """)
    assert len(sizes) > 100
    assert min(sizes) >= 9


def test_light_and_dark_differ_and_keep_their_contrast(browser: Any, whole: Path) -> None:
    def contrast(scheme: str) -> dict[str, float]:
        open_page(browser, whole / "index.html", 1280, scheme)
        return browser.execute_script("""
            const linear = c => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            const luminance = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number).map(linear);
                                       return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            const ground = luminance(getComputedStyle(document.querySelector('section')).backgroundColor);
            const against = colour => { const l = luminance(colour);
                return (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05); };
            const found = {ground};
            for (const [name, chosen] of Object.entries({
                    text: 'section p', soft: 'figcaption', link: '.save a', good: '.verdict.supported',
                    bad: '.verdict.contradicted', open: '.verdict.undecided'}))
                found[name] = against(getComputedStyle(document.querySelector(chosen)).color);
            for (const role of ['ink', 'blue', 'vermilion', 'green', 'purple', 'amber', 'sky']) {
                const probe = document.body.appendChild(document.createElement('i'));
                probe.style.color = `var(--fig-${role})`;
                found['line ' + role] = against(getComputedStyle(probe).color);
                probe.remove();
            }
            return found;
        """)

    light, dark = contrast("light"), contrast("dark")
    assert light.pop("ground") > 0.9
    assert dark.pop("ground") < 0.05
    for found in (light, dark):
        assert {
            name for name, ratio in found.items() if ratio < (3 if name.startswith("line") else 4.5)
        } == set()
