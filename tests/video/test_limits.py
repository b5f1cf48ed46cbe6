"""Headers that claim sizes which no memory holds."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from fractions import Fraction
from pathlib import Path

import av
import pytest
from movies import write_movie
from stripmocap.contract.errors import VideoError
from stripmocap.contract.messages import Clip
from stripmocap.video.frames import probe, read_frames
from stripmocap.video.limits import MAX_SIDE_PX

MEMORY_MB = 300  # of a whole Python that refuses; one picture of 16000 x 16000 takes 800


def png(width: int, height: int) -> bytes:
    """A picture whose header says this size and whose content is a few rows of black."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes((3 * width + 1) * min(height, 48)))
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def movie_of(path: Path, *pictures: bytes) -> Path:
    """A movie whose packets are these pictures, whatever they claim."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("png", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
        for number, picture in enumerate(pictures):
            packet = av.Packet(picture)
            packet.stream, packet.pts, packet.dts = stream, number, number
            packet.time_base, packet.is_keyframe = Fraction(1, 30), True
            container.mux(packet)
    return path


@pytest.mark.parametrize("size", [(60000, 60000), (16000, 16000), (MAX_SIDE_PX + 1, 64)])
def test_a_still_that_claims_to_be_huge_is_refused(tmp_path, size):
    picture = tmp_path / "still.png"
    picture.write_bytes(png(*size))

    with pytest.raises(VideoError) as refused:
        probe(picture)

    assert "at most 16384" in refused.value.hint


@pytest.mark.parametrize("size", [(60000, 60000), (16000, 16000)])
@pytest.mark.parametrize("before", [0, 2])
def test_a_movie_with_a_picture_that_claims_to_be_huge_gives_no_such_picture(
    tmp_path, size, before
):
    path = movie_of(tmp_path / "movie.mov", *[png(64, 48)] * before, png(*size))

    if before:
        assert {frame.image.shape for frame in read_frames(Clip(str(path)))} == {(48, 64, 3)}
    else:
        with pytest.raises(VideoError):
            probe(path)


def test_a_header_with_a_huge_size_is_refused_with_that_size(tmp_path):
    path = tmp_path / "movie.y4m"
    path.write_bytes(b"YUV4MPEG2 W16000 H16000 F30:1 C420\nFRAME\n" + bytes(1000))

    with pytest.raises(VideoError, match="16000 x 16000") as refused:
        probe(path)

    assert refused.value.hint


def test_a_picture_that_its_pixels_aspect_would_make_huge_is_refused(tmp_path):
    path = tmp_path / "movie.y4m"

    def probed(width: int) -> tuple[int, int]:
        header = f"YUV4MPEG2 W{width} H16 F30:1 A9:1 C420\nFRAME\n".encode()
        path.write_bytes(header + bytes(width * 16 * 3 // 2))
        return probe(path).size_px

    assert probed(64) == (576, 16)
    with pytest.raises(VideoError, match="36864 x 16"):
        probed(4096)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process its own peak")
@pytest.mark.parametrize("kind", ["still", "movie", "later"])
def test_refusing_takes_no_memory(tmp_path, kind):
    huge = png(16000, 16000)
    if kind == "still":
        path = tmp_path / "still.png"
        path.write_bytes(huge)
    else:
        path = movie_of(tmp_path / "movie.mov", *[png(64, 48)] * (kind == "later"), huge)
    program = (
        "import sys\n"
        "from stripmocap.contract.errors import VideoError\n"
        "from stripmocap.contract.messages import Clip\n"
        "from stripmocap.video.frames import probe, read_frames\n"
        "try:\n"
        "    probe(sys.argv[1])\n"
        "    for frame in read_frames(Clip(sys.argv[1])): pass\n"
        "except VideoError as error: pass\n"
        "lines = open('/proc/self/status', encoding='ascii')\n"
        "print(next(int(each.split()[1]) >> 10 for each in lines if 'VmHWM' in each))\n"
    )

    answer = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert int(answer.stdout) < MEMORY_MB


@pytest.mark.parametrize("count", [100_000_000, 1_000_000_000, 4_294_967_295])
def test_a_movie_that_claims_any_number_of_frames_gives_those_that_it_has(tmp_path, count):
    path = write_movie(tmp_path / "movie.mp4", size=(64, 48), frames=5)
    content = bytearray(path.read_bytes())
    table = content.index(b"stts")  # one run of frames of equal length: so many, so long
    content[table + 12 : table + 16] = struct.pack(">I", count)
    path.write_bytes(content)

    assert probe(path).size_px == (64, 48)
    assert len(list(read_frames(Clip(str(path))))) == 5
