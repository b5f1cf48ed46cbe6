"""What ffmpeg may take a file for: footage and pictures, and nothing that names other files.

Playlists (HLS, DASH, concat), sessions (SDP) and the like open what is written in them, and a live
playlist is waited for without end; text files pass for terminal art. ffmpeg decides by content, so
a name that ends in .mp4 is no protection, and by the time it tells, it has followed the playlist.
"""

from __future__ import annotations

MOVIES = (
    *("mov", "mp4", "matroska", "webm", "avi", "mpegts", "mpegtsraw", "mpeg", "mpegvideo", "mpg"),
    *("asf", "flv", "live_flv", "kux", "ogg", "mxf", "gxf", "lxf", "nut", "nuv", "nsv", "rm"),
    *("wtv", "ty", "swf", "r3d", "cine", "dhav", "pva", "mv", "mlv", "iv8", "ivf", "obu", "av1"),
    *("m4v", "h261", "h263", "h264", "hevc", "vvc", "evc", "apv", "vc1", "vc1test", "cavsvideo"),
    *("avs2", "avs3", "dirac", "dnxhd", "dv", "mjpeg", "mjpeg_2000", "yuv4mpegpipe", "rawvideo"),
    *("gif", "apng", "jpegxl_anim", "avif", "webp"),
)
PICTURES = (
    *("image2", "png_pipe", "jpeg_pipe", "jpegls_pipe", "j2k_pipe", "tiff_pipe", "bmp_pipe"),
    *("exr_pipe", "dpx_pipe", "webp_pipe", "targa_pipe", "ppm_pipe", "pgm_pipe", "pam_pipe"),
    *("sgi_pipe", "hdr_pipe", "qoi_pipe", "psd_pipe", "jpegxl_pipe", "pcx_pipe", "dds_pipe"),
)
MOVIE_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join((*MOVIES, *PICTURES[1:])),
}
PICTURE_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join((*PICTURES, "webp", "gif", "apng")),
    "pattern_type": "none",  # of image2: a name is a name
}
