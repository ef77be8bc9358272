"""The page in a real browser, opened from disk: of planted numbers, of scenes, and of real photographs."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from attnclust.report import build_page, compare_studies
from attnclust.report.__main__ import main as command

from .conftest import seventeen

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (the extra 'test')")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium (Debian's package)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as started:
        launched = started.chromium.launch(
            executable_path=CHROMIUM, args=["--disable-gpu", "--disable-quic", "--no-first-run"]
        )
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the default command, over few scenes."""
    folder = tmp_path_factory.mktemp("scenes") / "study"
    assert command(["--conditions", "clean,shuffle-8", "--limit", "3", "--output", str(folder)]) == 0
    return folder / "index.html"


@pytest.fixture(scope="session")
def real(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a trained DeiT-Tiny on real photographs, a few of them."""
    folder = tmp_path_factory.mktemp("real") / "study"
    model, data = "deit_tiny_patch16_224", real_data / "VOCdevkit" / "VOC2007"
    weights = real_data / "weights" / f"{model}.safetensors"
    options = ["--model", model, "--checkpoint", str(weights), "--data", str(data)]
    few = ["--conditions", "clean,salient-0.4", "--limit", "3", "--output", str(folder)]
    assert command([*options, *few]) == 0
    return folder / "index.html"


@pytest.fixture
def planted(whole: Path) -> Path:
    """The page of planted numbers, which shows every section."""
    return whole / "index.html"


@pytest.fixture
def every_condition(study: Callable[..., Path]) -> Path:
    """The page of all 17 conditions, whose metrics take a figure a family."""
    return build_page(study(seventeen, tables=()))


@pytest.fixture
def comparison(study: Callable[..., Path], tmp_path: Path) -> Path:
    """Two studies side by side."""
    return compare_studies([study(name=name, tables=()) for name in "ab"], tmp_path / "side-by-side")


class Visit:
    """A page in a window of its own, and what it said and asked for."""

    def __init__(self, browser: Browser, file: Path, width: int, scheme: Any = "light") -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.page: Page = browser.new_page(
            viewport={"width": width, "height": 900}, color_scheme=scheme, is_mobile=width < 500
        )
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, *_: object) -> None:
        self.page.close()

    def network(self) -> list[str]:
        return [url for url in self.requests[1:] if not url.startswith("data:")]

    def open_all(self) -> None:
        self.page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")

    def beyond(self) -> list[str]:
        """What reaches beyond the window and is in no box that scrolls."""
        return self.page.evaluate("""() => {
            const inBox = e => e.closest('.scroll, .display, .hidden, .skip') !== null;
            const wide = [...document.querySelectorAll('body *')]
                .filter(e => !inBox(e) && e.getBoundingClientRect().right > innerWidth + 1)
                .map(e => e.outerHTML.slice(0, 80));
            return document.documentElement.scrollWidth > innerWidth ? ['the page', ...wide] : wide;
        }""")

    def violations(self) -> list[str]:
        """Rules of axe-core that the page breaks, and where."""
        axe = pytest.importorskip(
            "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python"
        )
        found = axe.Axe().run(self.page).response["violations"]
        return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        ("planted", 390, "dark"),
        ("every_condition", 390, "light"),
        *(("comparison", *window) for window in ((390, "light"), (1280, "dark"))),
        *((name, *window) for name in ("scenes", "real") for window in ((390, "light"), (1280, "dark"))),
    ],
)
def test_no_error_no_request_no_sideways_scrolling_no_violation_of_axe(
    browser: Browser, request: pytest.FixtureRequest, name: str, width: int, scheme: str
) -> None:
    with Visit(browser, request.getfixturevalue(name), width, scheme) as visit:
        assert visit.beyond() == []
        visit.open_all()
        assert visit.beyond() == []
        assert visit.violations() == []
        assert visit.errors == []
        assert visit.network() == []


def test_these_checks_can_fail(browser: Browser, tmp_path: Path) -> None:
    """A page with one of each fault."""
    page = tmp_path / "bad.html"
    page.write_text(
        "<!DOCTYPE html><html lang=en><title>bad</title><h1>bad</h1><img src='http://127.0.0.1:9/x.png'>"
        "<main style='width: 2000px'>wide</main><script>console.error('planted')</script>"
    )
    with Visit(browser, page, 390) as visit:
        assert "the page" in visit.beyond()
        assert any(rule.startswith("image-alt") for rule in visit.violations())
        assert "planted" in visit.errors
        assert visit.network() == ["http://127.0.0.1:9/x.png"]


@pytest.mark.parametrize("width", [390, 1280])
def test_text_in_figures_is_legible(browser: Browser, planted: Path, width: int) -> None:
    with Visit(browser, planted, width) as visit:
        sizes = visit.page.evaluate("""() => [...document.querySelectorAll('figure svg')].flatMap(svg => {
            const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            const size = t => parseFloat(getComputedStyle(t).fontSize);
            return [...svg.querySelectorAll('text')].map(t => scale * size(t));
        })""")
    assert len(sizes) > 100
    assert min(sizes) >= 9


def test_lines_of_figures_keep_their_contrast_in_light_and_dark(browser: Browser, planted: Path) -> None:
    """Text is axe-core's business; lines need 3 : 1 against the card (WCAG 1.4.11)."""

    def contrast(scheme: str) -> dict[str, float]:
        with Visit(browser, planted, 1280, scheme) as visit:
            return visit.page.evaluate("""() => {
                const linear = c => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                const luminance = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).map(Number).map(linear);
                                           return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
                const ground = luminance(getComputedStyle(document.querySelector('section')).backgroundColor);
                const found = {ground};
                for (const role of ['ink', 'blue', 'vermilion', 'green', 'purple', 'amber', 'sky']) {
                    const probe = document.body.appendChild(document.createElement('i'));
                    probe.style.color = `var(--fig-${role})`;
                    const l = luminance(getComputedStyle(probe).color);
                    found[role] = (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05);
                    probe.remove();
                }
                return found;
            }""")

    light, dark = contrast("light"), contrast("dark")
    assert light.pop("ground") > 0.9
    assert dark.pop("ground") < 0.05
    assert min(*light.values(), *dark.values()) >= 3


def test_the_keyboard_reaches_everything(browser: Browser, planted: Path) -> None:
    with Visit(browser, planted, 390) as visit:
        keyboard, focused = visit.page.keyboard, "document.activeElement"
        keyboard.press("Tab")
        assert visit.page.evaluate(f"{focused}.className") == "skip"
        assert visit.page.locator(".skip").bounding_box()["x"] >= 0  # pyright: ignore[reportOptionalSubscript]
        keyboard.press("Enter")
        assert visit.page.evaluate("location.hash") == "#opening"
        visit.page.locator("summary").first.focus()
        keyboard.press("Enter")
        assert visit.page.evaluate("document.querySelector('details').open")
        keyboard.press("Tab")
        box = visit.page.evaluate_handle(focused)
        assert "scroll" in box.evaluate("e => e.className")
        assert box.evaluate("e => e.scrollWidth > e.clientWidth"), "a table wider than a telephone"
        assert box.evaluate("e => getComputedStyle(e).outlineStyle") != "none"
        keyboard.press("ArrowRight")
        visit.page.wait_for_function(f"{focused}.scrollLeft > 0")


def test_numbers_are_saved_as_csv(browser: Browser, planted: Path, tmp_path: Path) -> None:
    with Visit(browser, planted, 1280) as visit:
        visit.open_all()
        with visit.page.expect_download() as download:
            visit.page.locator("#figure-purity .save a").click()
        download.value.save_as(tmp_path / "saved.csv")
        assert download.value.suggested_filename == "purity.csv"
    with (tmp_path / "saved.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    measured = [row for row in rows if "authors" not in row["curve"]]
    assert len(measured) == 2 * 6 * 13
    assert measured[12] == {
        "curve": "clean (n = 32) (model)",
        "level": "12",
        "mean": "0.7351",
        "ci_low": "0.6951",
        "ci_high": "0.7751",
    }


def test_print_leaves_out_what_paper_cannot_do(browser: Browser, planted: Path) -> None:
    with Visit(browser, planted, 1280, "dark") as visit:
        visit.page.emulate_media(media="print")
        assert not visit.page.locator("nav").is_visible()
        assert not visit.page.locator(".save").first.is_visible()
        assert visit.page.locator("#figure-purity svg").is_visible()
        ground = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == "rgb(255, 255, 255)", "dark paper"
        assert visit.page.pdf(format="A4")[:5] == b"%PDF-"
