"""How Pascal VOC gets here: torchvision's downloader, or an archive that lies on this machine."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

from attnclust._array import ArgumentError

log = logging.getLogger("attnclust")

SUFFIXES = (".tar", ".tar.gz", ".tgz")
"""Names of archives that :func:`unpack` reads end like this."""

_MD5 = "md5.txt"


def is_archive(path: Path) -> bool:
    """Whether the name is that of a tar archive."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(archive: Path) -> Path:
    """Unpack a tar in Pascal VOC layout beside itself, once, and return the folder of the year.

    ``VOCtrainval_11-May-2009.tar`` becomes ``VOCtrainval_11-May-2009/VOCdevkit/VOC2009``. A file with the
    name of an official one must have its official MD5 sum (as torchvision lists them); any other is taken as
    it is. An archive whose bytes have changed is unpacked anew; half an unpacked archive is never left under
    its name.

    Raises:
        ArgumentError: the file is missing, no tar, cut short, not the official one whose name it bears, holds
            no or several folders in VOC layout, or its place cannot be written.
    """
    folder = archive.with_name(
        archive.name[: -len(next(s for s in SUFFIXES if archive.name.lower().endswith(s)))]
    )
    try:
        with archive.open("rb") as stream:
            md5 = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise ArgumentError(
            "archive", "it must be a file that can be read", f"{archive} ({error})", how_to_get("2009")
        ) from error
    official = {
        entry["md5"] for entry in _official().values() if archive.name == entry["url"].rpartition("/")[2]
    }
    if official and md5 not in official:
        raise ArgumentError(
            "archive",
            f"{archive.name} has the MD5 sum {' or '.join(sorted(official))}",
            f"{md5} for {archive}",
            "The download was cut short or changed: get it again, or rename a file of your own.",
        )
    if not (folder / _MD5).is_file() or (folder / _MD5).read_text("utf-8") != md5:
        log.info("unpacking %s into %s", archive, folder)
        _extract(archive, folder, md5)
    roots = sorted(found.parent for found in folder.rglob("SegmentationObject") if found.is_dir())
    if len(roots) != 1:
        raise ArgumentError(
            "archive",
            "it must hold one folder in Pascal VOC layout (JPEGImages, SegmentationObject, Annotations)",
            f"{', '.join(str(root.relative_to(folder)) for root in roots) or 'none'} in {archive}",
            "Give the folder itself, or another archive.",
        )
    return roots[0]


def _extract(archive: Path, folder: Path, md5: str) -> None:
    # Lazily, as it brings torch along.
    from torchvision.datasets.utils import extract_archive

    partial = folder.with_name(folder.name + ".partial")
    try:
        if folder.exists() and not (folder / _MD5).is_file():
            raise ArgumentError(
                "archive",
                f"its place must be free: {folder}",
                "a folder that this program did not make",
                "Give that folder, if it is the unpacked archive, or move it away.",
            )
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _refuse_cut(archive)
        extract_archive(archive, partial)
        (partial / _MD5).write_text(md5, "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(partial, folder)
    except (OSError, EOFError, RuntimeError, tarfile.TarError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ArgumentError(
            "archive",
            "it must be a whole tar, beside which one can write",
            f"{archive} ({error})",
            "Get it again.",
        ) from error


def _refuse_cut(archive: Path) -> None:
    """Tar files end with two blocks of zeros; tarfile takes one that breaks off in a header for whole."""
    if archive.suffix.lower() == ".tar":
        with archive.open("rb") as stream:
            stream.seek(-min(1024, archive.stat().st_size), os.SEEK_END)
            if stream.read() != bytes(1024):
                raise tarfile.ReadError("it breaks off, or is no tar")


def fetch(year: str, root: Path) -> Path:
    """Let torchvision download a year of Pascal VOC (2007 to 2012) into ``root``, checked by its MD5 sum.

    Returns:
        The folder to give to ``--data``, such as ``root/VOCdevkit/VOC2009``; what is there already is kept.

    Raises:
        ArgumentError: no such year, no network, or a file with another sum.
    """
    from torchvision.datasets import VOCSegmentation

    if year not in _official():
        raise ArgumentError(
            "year", f"it must be one of {', '.join(_official())}", repr(year), "The paper's: 2009."
        )
    folder = root / _official()[year]["base_dir"]
    if not (folder / "SegmentationObject").is_dir():
        try:
            VOCSegmentation(root, year=year, image_set="trainval", download=True)
        except (OSError, RuntimeError, tarfile.TarError) as error:
            raise ArgumentError(
                "year", "it must be possible to download it here", f"{year} ({error})", how_to_get(year)
            ) from error
    return folder


def how_to_get(year: str) -> str:
    """In a few sentences, how to get a year of Pascal VOC to this machine, without a network too."""
    entry = _official()[year]
    return (
        f"VOC {year}, where there is a network: python -m attnclust.data {year}. Elsewhere bring "
        f"{entry['url']} (MD5 {entry['md5']}) here, and give that tar, or the folder unpacked from it, to "
        "--data."
    )


def _official() -> dict[str, dict[str, Any]]:
    from torchvision.datasets.voc import DATASET_YEAR_DICT

    return {year: entry for year, entry in DATASET_YEAR_DICT.items() if year.isdigit()}
