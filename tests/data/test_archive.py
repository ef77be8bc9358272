"""VOC as an archive: tars made from the real images, and torchvision's own downloader on a local file."""

from __future__ import annotations

import hashlib
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torchvision.datasets.voc import DATASET_YEAR_DICT

from attnclust._array import ArgumentError
from attnclust.data import VOCObjects
from attnclust.data.__main__ import main
from attnclust.data.archive import fetch, how_to_get, is_archive, unpack

NAMES = ("000032", "000039", "000042")


def make_tar(real_data: Path, file: Path, *, year: str = "VOC2009", names: tuple[str, ...] = NAMES) -> Path:
    """An archive in VOC's layout that holds some of the real images."""
    source = real_data / "VOCdevkit" / "VOC2007"
    with tarfile.open(file, "w:gz" if file.suffix in (".gz", ".tgz") else "w") as tar:
        for folder, suffix in (("JPEGImages", "jpg"), ("SegmentationObject", "png"), ("Annotations", "xml")):
            for name in names:
                path = f"{folder}/{name}.{suffix}"
                tar.add(source / path, f"VOCdevkit/{year}/{path}")
            if folder == "SegmentationObject":
                for name in names:
                    tar.add(
                        source / f"SegmentationClass/{name}.png",
                        f"VOCdevkit/{year}/SegmentationClass/{name}.png",
                    )
        lists = file.with_name("trainval.txt")
        lists.write_text("\n".join(names) + "\n")
        tar.add(lists, f"VOCdevkit/{year}/ImageSets/Segmentation/trainval.txt")
    return file


@pytest.mark.parametrize("name", ["mine.tar", "mine.tar.gz", "mine.tgz"])
def test_a_tar_is_unpacked_beside_itself_once(real_data: Path, tmp_path: Path, name: str):
    archive = make_tar(real_data, tmp_path / name)
    assert is_archive(archive)
    root = unpack(archive)
    assert root == tmp_path / "mine" / "VOCdevkit" / "VOC2009"
    assert VOCObjects(root).names == NAMES
    before = (root / "JPEGImages" / "000032.jpg").stat().st_mtime_ns, root.stat().st_ino
    assert unpack(archive) == root
    assert ((root / "JPEGImages" / "000032.jpg").stat().st_mtime_ns, root.stat().st_ino) == before
    # Other bytes under the same name are unpacked anew.
    make_tar(real_data, archive, names=NAMES[:2])
    assert VOCObjects(unpack(archive)).names == NAMES[:2]


def test_a_tar_under_an_official_name_must_have_the_official_sum(real_data: Path, tmp_path: Path):
    archive = make_tar(real_data, tmp_path / "VOCtrainval_11-May-2009.tar")
    with pytest.raises(ArgumentError, match="a3e00b113cfcfebf17e343f59da3caa1"):
        unpack(archive)
    assert sorted(path.name for path in tmp_path.iterdir()) == [archive.name, "trainval.txt"]


def test_a_tar_cut_short_leaves_nothing_behind(real_data: Path, tmp_path: Path):
    archive = make_tar(real_data, tmp_path / "mine.tar")
    archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    with pytest.raises(ArgumentError, match="a whole tar"):
        unpack(archive)
    archive.write_bytes(b"<html>404</html>")
    with pytest.raises(ArgumentError, match="a whole tar"):
        unpack(archive)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.tar", "trainval.txt"]


def test_what_stands_in_the_archives_place_is_not_touched(real_data: Path, tmp_path: Path):
    archive = make_tar(real_data, tmp_path / "mine.tar")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear reader")
    with pytest.raises(ArgumentError, match="its place must be free"):
        unpack(archive)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_an_archive_of_something_else(tmp_path: Path):
    (tmp_path / "a.txt").write_text("a")
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(tmp_path / "a.txt", "a.txt")
    with pytest.raises(ArgumentError, match=r"one folder in Pascal VOC layout.*none in"):
        unpack(tmp_path / "other.tar")


def test_a_missing_archive_tells_how_to_get_it(tmp_path: Path):
    with pytest.raises(ArgumentError, match=r"python -m attnclust.data 2009") as caught:
        unpack(tmp_path / "VOCtrainval_11-May-2009.tar")
    assert DATASET_YEAR_DICT["2009"]["url"] in str(caught.value)
    assert DATASET_YEAR_DICT["2009"]["md5"] in how_to_get("2009")


def test_torchvision_downloads_to_the_right_place(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    archive = make_tar(real_data, tmp_path / "server.tar")
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/server.tar"
        for sum_, status in (("0" * 32, 2), (md5, 0)):
            entry = DATASET_YEAR_DICT["2009"] | {"url": url, "md5": sum_}
            monkeypatch.setitem(DATASET_YEAR_DICT, "2009", entry)
            assert main(["2009", "--root", str(tmp_path / "data")]) == status
        server.shutdown()
    printed = Path(capsys.readouterr().out.strip())
    assert printed == tmp_path / "data" / "VOCdevkit" / "VOC2009"
    assert VOCObjects(printed).names == NAMES
    # What is there is not downloaded again.
    archive.unlink()
    assert fetch("2009", tmp_path / "data") == printed


def test_a_download_that_fails_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    entry = DATASET_YEAR_DICT["2009"] | {"url": (tmp_path / "nowhere.tar").as_uri()}
    monkeypatch.setitem(DATASET_YEAR_DICT, "2009", entry)
    assert main(["2009", "--root", str(tmp_path / "data")]) == 2
    said = capsys.readouterr().err
    assert entry["md5"] in said
    assert "--data" in said
    assert main(["1999", "--root", str(tmp_path)]) == 2
    assert "2007, 2008" in capsys.readouterr().err.replace("2012, 2011, 2010, 2009, 2008, 2007", "2007, 2008")
