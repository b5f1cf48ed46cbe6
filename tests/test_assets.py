from __future__ import annotations

import hashlib
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from stripmocap import assets
from stripmocap.assets import ASSETS, Asset, cache_folder, locate, status
from stripmocap.contract.errors import AssetCorrupt, AssetMissing

WHEEL_NAME = "mediapipe-0.10.21-cp311-cp311-any.whl"
NETWORKS = {"one.tflite": b"first network" * 1000, "two.tflite": b"second network" * 1000}


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache folder, two small networks to fetch, and no network to fetch them from."""
    rows = tuple(
        Asset(
            name=filename.removesuffix(".tflite"),
            filename=filename,
            sha256=hashlib.sha256(content).hexdigest(),
            licence="Apache-2.0",
            page="https://example.org",
            how="fetched",
        )
        for filename, content in NETWORKS.items()
    )
    monkeypatch.setattr(assets, "ASSETS", rows)
    monkeypatch.setenv("STRIPMOCAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return tmp_path / "cache"


def put_wheel(folder, networks=NETWORKS):
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / WHEEL_NAME, "w") as archive:
        for filename, content in networks.items():
            archive.writestr(f"mediapipe/modules/{filename}", content)
    return folder / WHEEL_NAME


def test_networks_are_taken_out_of_a_wheel_by_checksum(cache):
    put_wheel(cache, {f"renamed_{name}": content for name, content in NETWORKS.items()})

    path = locate("one")

    assert path == cache / "one.tflite"
    assert path.read_bytes() == NETWORKS["one.tflite"]
    assert locate("two").read_bytes() == NETWORKS["two.tflite"]


def test_nothing_but_the_files_is_left_behind(cache):
    put_wheel(cache)

    locate("one")

    assert sorted(each.name for each in cache.iterdir()) == [WHEEL_NAME, "one.tflite", "two.tflite"]


def test_without_a_network_the_error_says_what_to_put_where(cache):
    with pytest.raises(AssetMissing) as caught:
        locate("two")

    said = f"{caught.value.message} {caught.value.hint}"
    assert "two.tflite" in said
    assert "mediapipe==0.10.21" in said
    assert str(cache) in said


def test_an_index_that_cannot_be_reached_is_said(cache, monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    # Nobody listens on the discard port.
    monkeypatch.setenv("PIP_INDEX" + "_URL", "http://127.0.0.1:9/simple")

    with pytest.raises(AssetMissing, match="cannot be reached"):
        locate("one")


def test_a_full_disk_is_said_before_anything_is_fetched(cache, monkeypatch):
    usage = shutil.disk_usage(cache.parent)._replace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)

    with pytest.raises(AssetMissing, match="1 MB left") as caught:
        locate("one")

    assert "STRIPMOCAP_CACHE" in caught.value.hint


def test_a_file_put_there_by_hand_is_used(cache):
    cache.mkdir(parents=True)
    (cache / "one.tflite").write_bytes(NETWORKS["one.tflite"])

    assert locate("one") == cache / "one.tflite"


def test_a_damaged_file_is_fetched_again(cache):
    put_wheel(cache)
    (cache / "one.tflite").write_bytes(b"half a netw")

    assert locate("one").read_bytes() == NETWORKS["one.tflite"]


def test_a_damaged_file_that_cannot_be_fetched_again_is_corrupt(cache):
    cache.mkdir(parents=True)
    (cache / "one.tflite").write_bytes(b"half a netw")

    with pytest.raises(AssetCorrupt, match=r"one\.tflite is damaged"):
        locate("one")


@pytest.mark.parametrize("networks", [{}, {"one.tflite": b"another network"}])
def test_a_wheel_without_the_networks_is_corrupt(cache, networks):
    put_wheel(cache, networks)

    with pytest.raises(AssetCorrupt, match=r"does not hold .*one\.tflite"):
        locate("one")


def test_a_wheel_that_is_no_zip_is_corrupt(cache):
    put_wheel(cache).write_bytes(b"not a zip")

    with pytest.raises(AssetCorrupt, match="is damaged"):
        locate("one")


def test_a_cache_that_cannot_be_made_is_missing_with_a_hint(cache):
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file where the folder should be", encoding="utf-8")

    with pytest.raises(AssetMissing) as caught:
        locate("one")

    assert "STRIPMOCAP_CACHE" in caught.value.hint


def test_first_runs_at_the_same_time_do_not_clash(cache):
    put_wheel(cache)

    with ThreadPoolExecutor(8) as pool:
        paths = list(pool.map(locate, ["one", "two"] * 8))

    assert {path.read_bytes() for path in paths} == set(NETWORKS.values())


def test_status_fetches_nothing(cache):
    put_wheel(cache)
    (cache / "two.tflite").write_bytes(b"damaged")

    assert [each.state for each in status()] == ["missing", "corrupt"]
    assert not (cache / "one.tflite").exists()


def test_an_unknown_name_is_a_key_error(cache):
    with pytest.raises(KeyError):
        locate("three")


def test_the_cache_folder_is_the_users_own(monkeypatch):
    monkeypatch.delenv("STRIPMOCAP_CACHE", raising=False)

    assert cache_folder().name == "stripmocap"
    assert cache_folder().is_absolute()


@pytest.fixture
def brought(cache, monkeypatch):
    """A file that a user has to bring, given away under two names."""
    row = Asset(
        name="body",
        filename="BODY.pkl",
        sha256=None,
        licence="its own",
        page="https://example.org",
        how="brought",
        other_names=("body_v1.pkl",),
    )
    monkeypatch.setattr(assets, "ASSETS", (row,))
    cache.mkdir()
    return cache


@pytest.mark.parametrize("filename", ["BODY.pkl", "body_v1.pkl"])
def test_a_brought_file_is_found_under_any_of_its_names(brought, filename):
    (brought / filename).write_bytes(b"a body")

    assert locate("body") == assets.find("body") == brought / filename


def test_of_two_names_the_first_is_taken(brought):
    for filename in ("body_v1.pkl", "BODY.pkl"):
        (brought / filename).write_bytes(b"a body")

    assert locate("body") == brought / "BODY.pkl"


def test_a_brought_file_that_is_missing_is_named_by_all_its_names(brought):
    with pytest.raises(AssetMissing) as caught:
        locate("body")

    assert "BODY.pkl or body_v1.pkl" in caught.value.hint
    assert "https://example.org" in caught.value.hint
    assert assets.find("body") is None


def test_no_two_assets_go_by_the_same_file():
    names = [name for each in ASSETS for name in (each.filename, *each.other_names)]

    assert len({name.lower() for name in names}) == len(names)


def test_every_asset_has_a_name_of_its_own_and_says_where_it_is_from():
    assert len({asset.name for asset in ASSETS}) == len(ASSETS)
    assert all(asset.licence and asset.page for asset in ASSETS)
    assert all(asset.sha256 for asset in ASSETS if asset.how == "fetched")


@pytest.mark.parametrize(
    ("name", "licence"),
    [
        ("spin_official", "BSD-3-Clause"),
        ("humor_official", "MIT"),
        ("humor_initial", "MIT"),
        ("vibe_official", "non-commercial"),
        ("vposer_official", "non-commercial"),
        ("smpl_neutral", "non-commercial"),
    ],
)
def test_terms_of_brought_files_are_those_of_their_authors(name, licence):
    assert licence in assets.asset_named(name).licence
