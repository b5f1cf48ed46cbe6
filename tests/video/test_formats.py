from __future__ import annotations

import threading
from pathlib import Path

import pytest
from movies import write_movie
from stripmocap.contract.errors import VideoError
from stripmocap.video.frames import probe

# A playlist without an end is one that grows: ffmpeg would wait for its next piece.
LIVE = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n"
LISTS = {
    "a.m3u8": LIVE,
    "a.mp4": LIVE,
    "b.mp4": "ffconcat version 1.0\nfile {}\n",
    "a.png": LIVE,
    "a.mpd": '<?xml version="1.0"?><MPD type="dynamic"><BaseURL>{}</BaseURL></MPD>',
    "a.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n",
    "a.svg": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}"/></svg>',
}


def refusal(path: Path) -> BaseException | None:
    """What `probe` raised; None if it neither did so nor ended in time."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            probe(path)
        except BaseException as error:
            raised.append(error)

    reader = threading.Thread(target=run, daemon=True)
    reader.start()
    reader.join(timeout=20)
    return raised[0] if raised else None


@pytest.mark.parametrize("name", LISTS)
def test_a_file_that_names_others_is_refused_at_once(tmp_path, name):
    other = write_movie(tmp_path / "other.ts")
    path = tmp_path / name
    path.write_text(LISTS[name].format(other), encoding="ascii")

    assert isinstance(refusal(path), VideoError)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        *(("a.mxf", "mpeg2video", "yuv422p"), ("a.flv", "flv", "yuv420p"), ("a.nut", "ffv1", "")),
        *(("a.webm", "libvpx", "yuv420p"), ("a.wmv", "wmv2", "yuv420p"), ("a.m4v", "mpeg4", "")),
        *(("a.mpg", "mpeg2video", "yuv420p"), ("a.gif", "gif", "rgb8"), ("a.ts", "mpeg4", "")),
        *(("a.hevc", "libx265", ""), ("a.y4m", "rawvideo", ""), ("a.ivf", "libvpx-vp9", "")),
        *(("a.mjpeg", "mjpeg", "yuvj420p"), ("a.m2ts", "libx264", ""), ("a.3gp", "mpeg4", "")),
    ],
)
def test_footage_of_many_kinds_is_read(tmp_path, name, codec, pix_fmt):
    import av

    if codec not in av.codecs_available:
        pytest.skip(f"this ffmpeg cannot encode {codec}")
    path = write_movie(
        tmp_path / name, size=(64, 64), frames=5, codec=codec, pix_fmt=pix_fmt or "yuv420p"
    )

    assert probe(path).size_px == (64, 64)
