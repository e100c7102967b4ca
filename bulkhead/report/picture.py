"""Takes the picture of a run for the README, with a headless Chromium.

python -m bulkhead.report.picture reports/depeg-cascade docs/images/depeg-cascade.png
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import click

from bulkhead.report.page import render_poster
from bulkhead.report.record import load_record

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTH, HEIGHT = 1_600, 1_240
_SETTLE_MILLISECONDS = 15_000
_TIMEOUT_SECONDS = 120


class PictureError(Exception):
    """The picture could not be taken; the message says why."""


def take_picture(run: Path, target: Path, browser: str | None = None) -> None:
    """Render a run's figures into a PNG file.

    Args:
        run: folder with ``summary.json`` and ``series.json``.
        target: the PNG file; replaced only once the picture is whole.
        browser: program to use; None: the first of ``BROWSERS`` that is installed.

    Raises:
        PictureError: no browser, or it failed.
        OSError, ValueError: the run cannot be read.
    """
    photograph(render_poster(load_record(run)), target, browser=browser)


def photograph(
    page: str, target: Path, width: int = WIDTH, height: int = HEIGHT, browser: str | None = None
) -> None:
    """Render a page into a PNG file.

    Args:
        page: HTML that loads nothing.
        target: the PNG file; replaced only once the picture is whole.
        width, height: pixels.
        browser: program to use; None: the first of ``BROWSERS`` that is installed.

    Raises:
        PictureError: no browser, or it failed.
        OSError: the file cannot be written.
    """
    program = browser or next((b for b in BROWSERS if shutil.which(b)), None)
    if program is None:
        raise PictureError(f"none of {', '.join(BROWSERS)} is installed")
    with tempfile.TemporaryDirectory() as folder:
        source, shot = Path(folder) / "poster.html", Path(folder) / "poster.png"
        source.write_text(page, encoding="utf-8")
        command = [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--window-size={width},{height}",
            f"--virtual-time-budget={_SETTLE_MILLISECONDS}",
            f"--screenshot={shot}",
            source.as_uri(),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise PictureError(f"{program}: {error}") from error
        if not shot.exists():
            raise PictureError(f"{program} took no picture: {done.stderr.strip()[-300:]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_suffix(".part")
        shutil.copyfile(shot, draft)
        draft.replace(target)


@click.command()
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--browser", metavar="PROGRAM", help="Chromium or Chrome.  [default: the first found]"
)
def main(run: Path, target: Path, browser: str | None) -> None:
    """Take the picture of RUN (a folder written by a scenario) as TARGET.png."""
    try:
        take_picture(run, target, browser)
    except (PictureError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(target)


if __name__ == "__main__":
    main()
