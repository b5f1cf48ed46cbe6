from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from barcode import read_number
from barcode import write_movie as write_barcodes
from movies import BLUE, RED, cut_short, turn_clockwise, write_movie, write_sound
from stripmocap.contract.errors import VideoError
from stripmocap.contract.messages import Clip
from stripmocap.video.frames import probe, read_frames

NEAR = 40  # levels: what lossy colour coding may change


def times_of(path: Path, start_s: float = 0.0, stop_s: float = 1e9) -> list[float]:
    return [frame.time_s for frame in read_frames(Clip(str(path), start_s, stop_s))]


def first_image(path: Path) -> np.ndarray:
    return next(read_frames(Clip(str(path)))).image


def numbers_of(path: Path, start_s: float, stop_s: float) -> list[int]:
    frames = read_frames(Clip(str(path), start_s, stop_s))
    return [read_number(frame.image.mean(axis=2) / 255) for frame in frames]


def test_frames_are_rgb_with_rising_times_from_zero(tmp_path):
    path = write_movie(tmp_path / "a.mp4", frames=10, fps=Fraction(30000, 1001))

    frames = list(read_frames(Clip(str(path))))

    expected = [index * 1001 / 30000 for index in range(10)]
    np.testing.assert_allclose([frame.time_s for frame in frames], expected, atol=1e-4)
    assert all(frame.image.shape == (48, 64, 3) for frame in frames)
    assert frames[0].image.dtype == np.uint8
    assert np.abs(frames[0].image[5, 5].astype(int) - RED).max() < NEAR


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.ts", "a.mov"])
def test_every_container_starts_at_zero(tmp_path, name):
    codec = "mpeg4" if name == "a.avi" else "libx264"
    path = write_movie(tmp_path / name, frames=12, codec=codec)

    times = times_of(path)

    np.testing.assert_allclose(times, np.arange(12) / 30, atol=2e-3)  # Matroska rounds to 1 ms


def test_uneven_times_come_through(tmp_path):
    path = write_movie(tmp_path / "a.mp4", frames=5, stamps_ms=[0, 40, 200, 210, 1000])

    assert times_of(path) == pytest.approx([0, 0.04, 0.2, 0.21, 1.0])


@pytest.mark.parametrize(("start", "stop"), [(0, 5), (1, 2), (40, 50), (117, 120), (61, 200)])
def test_a_span_holds_exactly_its_frames(tmp_path, start, stop):
    fps = Fraction(30000, 1001)
    write_barcodes(tmp_path / "a.mp4", frames=120, fps=fps)

    numbers = numbers_of(tmp_path / "a.mp4", float(start / fps), float(stop / fps))

    assert numbers == list(range(start, min(stop, 120)))


def test_a_span_of_a_file_without_index_is_found(tmp_path):
    path = write_movie(tmp_path / "a.h264", frames=60, fps=Fraction(25))

    assert len(times_of(path, 1.0, 2.0)) > 0


def test_a_phone_video_is_turned_upright(tmp_path):
    path = turn_clockwise(write_movie(tmp_path / "a.mp4"))

    image = first_image(path)

    assert image.shape == (64, 48, 3)
    assert np.abs(image[5, 40].astype(int) - RED).max() < NEAR  # the left went up and to the right
    assert np.abs(image[60, 40].astype(int) - BLUE).max() < NEAR
    assert probe(path).rotation_deg == 90
    assert probe(path).size_px == (48, 64)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mov", "qtrle", "argb"),
        ("a.mkv", "libx264", "yuv420p10le"),
        ("a.mkv", "ffv1", "yuv444p16le"),
        ("a.mkv", "ffv1", "bgr0"),
        ("a.mov", "prores_ks", "yuv422p10le"),
    ],
)
def test_pixel_formats_give_the_same_colours(tmp_path, name, codec, pix_fmt):
    path = write_movie(tmp_path / name, frames=2, codec=codec, pix_fmt=pix_fmt)

    image = first_image(path)

    assert np.abs(image[5, 5].astype(int) - RED).max() < NEAR
    assert np.abs(image[5, 60].astype(int) - BLUE).max() < NEAR


@pytest.mark.parametrize(
    ("size", "codec", "pix_fmt"),
    [
        ((1, 1), "ffv1", "bgr0"),
        ((2, 2), "libx264", "yuv420p"),
        ((65, 63), "ffv1", "gray"),
        ((7680, 4320), "mpeg4", "yuv420p"),
    ],
)
def test_any_size_is_read(tmp_path, size, codec, pix_fmt):
    path = write_movie(tmp_path / "a.mkv", size=size, frames=1, codec=codec, pix_fmt=pix_fmt)

    assert first_image(path).shape == (size[1], size[0], 3)


def test_a_video_of_one_frame_has_one_frame(tmp_path):
    path = write_movie(tmp_path / "a.mp4", frames=1)

    assert times_of(path) == [0.0]


def test_probe_tells_size_length_and_rate(tmp_path):
    path = write_movie(tmp_path / "a.mp4", frames=15, fps=Fraction(24))

    info = probe(path)

    assert (info.size_px, info.frame_count, info.fps) == ((64, 48), 15, Fraction(24))
    assert info.duration_s == pytest.approx(15 / 24)


def test_a_truncated_file_gives_what_it_still_holds(tmp_path):
    write_barcodes(tmp_path / "a.mkv", frames=200, fps=Fraction(25))
    cut_short(tmp_path / "a.mkv", 0.6)

    times = times_of(tmp_path / "a.mkv")

    assert 20 < len(times) < 200
    np.testing.assert_allclose(np.diff(times), 0.04, atol=2e-3)


def test_damaged_bytes_lose_only_some_frames(tmp_path):
    path = tmp_path / "a.mkv"
    write_barcodes(path, frames=200, fps=Fraction(25))
    data = bytearray(path.read_bytes())
    for position in range(len(data) // 2, len(data) // 2 + 40):
        data[position] ^= 0xFF
    path.write_bytes(data)

    times = times_of(path)

    assert len(times) > 50
    assert (np.diff(times) > 0).all()


def test_a_picture_that_changes_shape_is_an_error(tmp_path):
    first = write_movie(tmp_path / "a.h264", size=(64, 48), frames=30)
    second = write_movie(tmp_path / "b.h264", size=(48, 64), frames=30)
    (tmp_path / "c.h264").write_bytes(first.read_bytes() + second.read_bytes())

    with pytest.raises(VideoError, match="changes from 64x48 to 48x64"):
        times_of(tmp_path / "c.h264")


def test_closing_early_lets_go_of_the_file(tmp_path):
    path = write_movie(tmp_path / "a.mp4")
    frames = read_frames(Clip(str(path)))

    next(frames)
    frames.close()

    path.unlink()  # Windows refuses while the file is open
    assert not path.exists()


def bad_files(folder: Path) -> dict[str, Path]:
    contents = {
        "empty.mp4": b"",
        "zeros.mp4": bytes(4000),
        "noise.mp4": np.random.default_rng(0).bytes(4000),
        "text.txt": b"once upon a time\n" * 50,
        "text.mp4": b"once upon a time\n" * 50,
        "list.ffconcat": b"ffconcat version 1.0\nfile a.mp4\n",
        "list.m3u8": b"#EXTM3U\n#EXTINF:1,\nhttp://localhost:9/a.ts\n",
        "bad.png": b"\x89PNG\r\n\x1a\nxxxx",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "folder.mp4").mkdir()
    files = {name: folder / name for name in [*contents, "folder.mp4", "missing.mp4"]}
    files["sound"] = write_sound(folder / "sound.m4a")
    files["no end"] = cut_short(write_movie(folder / "cut.mp4", frames=60), 0.5)
    return files


BAD = [
    *("empty.mp4", "zeros.mp4", "noise.mp4", "text.txt", "text.mp4", "list.ffconcat"),
    *("list.m3u8", "bad.png", "folder.mp4", "missing.mp4", "sound", "no end"),
]


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("ask", [probe, times_of])
def test_what_is_no_video_is_a_video_error_with_a_hint(tmp_path, name, ask):
    path = bad_files(tmp_path)[name]

    with pytest.raises(VideoError) as caught:
        ask(path)

    assert path.name in caught.value.message
    assert caught.value.hint


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.mp4")

    with pytest.raises(VideoError, match="not an ordinary file"):
        probe(tmp_path / "pipe.mp4")


def test_an_address_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(VideoError, match="does not exist"):
        probe("http://localhost:9/a.mp4")


def test_a_span_without_frames_is_an_error(tmp_path):
    path = write_movie(tmp_path / "a.mp4", frames=10)

    with pytest.raises(VideoError, match="no pictures from 5 s"):
        times_of(path, 5.0, 6.0)


@pytest.mark.parametrize("name", ["shot %04d.mp4", "concat:a.mp4", "prise #1 é?.mp4"])
def test_odd_names_are_only_names(tmp_path, name):
    if os.name == "nt" and set(name) & set(":?"):
        pytest.skip("Windows does not allow this name")
    plain = write_movie(tmp_path / "plain.mp4", frames=3)
    plain.rename(tmp_path / name)

    assert len(times_of(tmp_path / name)) == 3
