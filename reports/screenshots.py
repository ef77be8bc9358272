"""The pictures of the sample reports that the README shows: ``python reports/screenshots.py``.

Needs the extra ``test`` and Debian's chromium.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SAMPLES = Path(__file__).parent / "samples"
WIDTH, HEIGHT = 1100, 900


def main() -> int:
    """Take the opening of the real-image sample, in light colours."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("needs chromium on the PATH (Debian's package)", file=sys.stderr)
        return 2
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--disable-gpu", "--disable-quic"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto((SAMPLES / "voc2007-deit-tiny" / "index.html").resolve().as_uri())
        page.screenshot(path=SAMPLES / "opening.png")
        browser.close()
    print(SAMPLES / "opening.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
