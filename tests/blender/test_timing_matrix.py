"""Every kind of strip at every rate: what we say is shown against what Blender renders."""

from fractions import Fraction

import barcode
import barwall
import numpy as np
import pytest
import sequencer

bpy = pytest.importorskip("bpy", reason="needs Blender (tools/blender_env.py)")

from stripmocap_extension.addon.scene import strips  # noqa: E402

pytestmark = pytest.mark.blender

PICTURES = 48
START = 6
LOWEST_NUMBER = 4  # of the pictures in the folder, where the sequence's clock starts
FIRST_NUMBER = 10  # of those in the strip
NUMBER_AT_0 = {"movie": 0, "clip": 0, "images": LOWEST_NUMBER}  # of the picture at second 0
MOVIE_RATES = {
    "23.976": Fraction(24000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "60": Fraction(60),
}
SCENE_RATES = [(24, 1.001), (24, 1.0), (25, 1.0), (3, 0.1001), (30, 1.0), (60, 1.0), (17, 0.7)]
UNEVEN_MS = np.cumsum([0, *np.random.default_rng(3).choice([17, 33, 50, 67], PICTURES)]).tolist()
PAUSES_MS = [number * 33 + 400 * (number > 15) + 300 * (number > 30) for number in range(PICTURES)]
LATE_MS = [500 + number * 40 for number in range(PICTURES)]  # the file's clock starts behind 0
ROUNDING = 0.5 + 1e-3  # pictures: Blender counts in single precision


@pytest.fixture(scope="session")
def media(tmp_path_factory):
    pytest.importorskip("av", reason="makes the movies")
    folder = tmp_path_factory.mktemp("media")
    for name, fps in MOVIE_RATES.items():
        barcode.write_movie(folder / f"{name}.mp4", frames=PICTURES, fps=fps, size=barwall.BRICK)
    barcode.write_pictures(
        folder, range(LOWEST_NUMBER, FIRST_NUMBER + PICTURES), size=barwall.BRICK
    )
    return folder


def movie_by_script(scene, media, rate):
    editor = scene.sequence_editor
    path = str(media / f"{rate}.mp4")
    return sequencer.strips_of(editor).new_movie(
        "movie", path, sequencer.next_channel(editor), START
    )


def movie_by_hand(scene, media, rate):
    return sequencer.add_by_hand(scene.sequence_editor, media / f"{rate}.mp4", start=START)


def images(scene, media, _rate):
    paths = sorted(media.glob("p*.png"))[FIRST_NUMBER - LOWEST_NUMBER :]
    return sequencer.add_images(scene.sequence_editor, paths, start=START)


def clip(scene, media, rate):
    editor = scene.sequence_editor
    loaded = bpy.data.movieclips.load(str(media / f"{rate}.mp4"), check_existing=True)
    return sequencer.strips_of(editor).new_clip(
        loaded.name, loaded, sequencer.next_channel(editor), START
    )


def clip_that_starts_late(scene, media, rate):
    editor = scene.sequence_editor
    loaded = bpy.data.movieclips.load(str(media / f"{rate}.mp4"))
    loaded.frame_start, loaded.frame_offset = 30, 6
    return sequencer.strips_of(editor).new_clip(
        loaded.name, loaded, sequencer.next_channel(editor), START
    )


def clip_of_pictures(scene, media, _rate):
    editor = scene.sequence_editor
    loaded = bpy.data.movieclips.load(str(media / f"p{FIRST_NUMBER:04d}.png"))
    return sequencer.strips_of(editor).new_clip(
        loaded.name, loaded, sequencer.next_channel(editor), START
    )


def plain(_strip): ...


def trimmed_hard(strip):
    sequencer.set_time(strip, "content_trim_start", 7)
    sequencer.set_time(strip, "content_trim_end", 5)


def reversed_(strip):
    strip.use_reverse_frames = True


def reversed_and_trimmed(strip):
    trimmed_hard(strip)
    reversed_(strip)


def moved_between_handles(strip):
    sequencer.set_time(strip, "content_start", 2)
    sequencer.set_time(strip, "left_handle", 9)
    sequencer.set_time(strip, "right_handle", 25)


def held_beyond_its_ends(strip):
    sequencer.set_time(strip, "left_handle", 1)
    sequencer.set_time(strip, "right_handle", 100)


def split_hard(strip):
    strip.split(frame=14, split_method="HARD").mute = True


def in_moved_and_trimmed_meta(strip):
    meta = wrap(strip)
    sequencer.set_time(meta, "content_start", 12)
    sequencer.set_time(meta, "left_handle", 17)
    sequencer.set_time(meta, "right_handle", 27)


def trimmed_in_reversed_meta_in_meta(strip):
    trimmed_hard(strip)
    sequencer.set_time(strip, "left_handle", 18)
    inner = wrap(strip)
    inner.use_reverse_frames = True
    outer = wrap(inner)
    sequencer.set_time(outer, "content_start", 4)
    sequencer.set_time(outer, "left_handle", 7)


def at_half_speed(strip):
    retime(strip, 50)


def at_130_percent_trimmed_and_reversed(strip):
    retime(strip, 130)
    reversed_and_trimmed(strip)


def split_at_double_speed(strip):
    retime(strip, 200)
    strip.split(frame=14, split_method="SOFT").mute = True


EDITS = [
    plain,
    trimmed_hard,
    reversed_,
    reversed_and_trimmed,
    moved_between_handles,
    held_beyond_its_ends,
    split_hard,
    in_moved_and_trimmed_meta,
]
RETIMINGS = [at_half_speed, at_130_percent_trimmed_and_reversed, split_at_double_speed]


def wrap(strip):
    return sequencer.wrap(strip.id_data.sequence_editor, strip)


def retime(strip, percent):
    sequencer.select(strip.id_data.sequence_editor, [strip])
    sequencer.call(bpy.ops.sequencer.retiming_segment_speed_set, speed=percent)


def faults_of(scene, wall, *, rounding=ROUNDING):
    """Where a strip of `wall` does not show what we say that it does."""
    shots = {name: strips.shot_of(strip) for name, strip in wall.items()}
    problems = [f"{name}: {shot.problem}" for name, shot in shots.items() if shot.problem]
    if problems:
        return problems
    end = max(shot.last_frame for shot in shots.values())
    seen = barwall.render(scene, list(wall.values()), range(end + 2))
    faults = []
    for row, (name, shot) in enumerate(shots.items()):
        shown = [seen[frame][row] for frame in range(shot.first_frame, shot.last_frame + 1)]
        faults += [f"{name}: {fault}" for fault in faults_of_shot(shot, shown, rounding=rounding)]
    counted = sum(shot.last_frame - shot.first_frame + 1 for shot in shots.values())
    print(f"{len(wall)} strips, {counted} frames, {len(faults)} faults")
    return faults


def faults_of_shot(shot, shown, *, rounding):
    fps = float(shot.fps)
    numbers = [None if each is None else each - NUMBER_AT_0[shot.kind] for each in shown]
    for frame, number in enumerate(numbers, start=shot.first_frame):
        said = np.clip(
            float(shot.timing.times_s(frame)) * fps, shot.start_s * fps, shot.stop_s * fps - 1
        )
        if number is None or abs(number - said) > rounding:
            yield f"frame {frame} shows {number}, not {said:.3f}"
    said = shot.start_s * fps, shot.stop_s * fps - 1
    if (
        None not in numbers
        and np.abs(np.subtract(said, (min(numbers), max(numbers)))).max() > rounding - 0.5
    ):
        yield f"{said} is not what is shown, {min(numbers)}..{max(numbers)}"


def build(scene, media, adders, rates, edits):
    wall = {}
    for add in adders:
        for rate in rates:
            for edit in edits:
                strip = add(scene, media, rate)
                strip.name = f"{add.__name__} {rate} {edit.__name__}"
                edit(strip)
                wall[strip.name] = strip
    return wall


@pytest.mark.parametrize("rate", SCENE_RATES)
def test_movies_that_keep_their_speed(scene, media, rate):
    barwall.prepare(scene, rate=rate)

    assert not faults_of(scene, build(scene, media, [movie_by_hand], MOVIE_RATES, EDITS))


@pytest.mark.parametrize("rate", SCENE_RATES[::2])
def test_movies_that_show_a_picture_each_frame(scene, media, rate):
    barwall.prepare(scene, rate=rate)
    fps = Fraction(rate[0]) / Fraction(rate[1]).limit_denominator(10_000)
    told = {name: own for name, own in MOVIE_RATES.items() if not looks_the_same(own, fps)}

    assert not faults_of(scene, build(scene, media, [movie_by_script], told, EDITS))


@pytest.mark.parametrize("rate", [(24, 1.0), (24, 1.001)])
def test_rates_that_are_too_alike_to_tell_are_a_frame_apart_at_most(scene, media, rate):
    barwall.prepare(scene, rate=rate)
    wall = build(scene, media, [movie_by_script], ["23.976", "24"], EDITS)

    assert not faults_of(scene, wall, rounding=1 + ROUNDING)


@pytest.mark.parametrize("rate", SCENE_RATES[::3])
def test_pictures_and_clips(scene, media, rate):
    barwall.prepare(scene, rate=rate)
    # Clips first: Blender 4.2 leaves out what lies below one.
    wall = build(scene, media, [clip], MOVIE_RATES, EDITS)
    wall |= build(scene, media, [images], ["-"], EDITS)

    assert not faults_of(scene, wall)


@pytest.mark.parametrize("rate", SCENE_RATES[::3])
@pytest.mark.parametrize("stamps_ms", [UNEVEN_MS, PAUSES_MS, LATE_MS])
def test_movies_with_times_of_their_own(scene, media, tmp_path, rate, stamps_ms):
    barwall.prepare(scene, rate=rate)
    movie = {"frames": len(stamps_ms), "fps": Fraction(30), "size": barwall.BRICK}
    wall = []
    for name in ("a.mp4", "b.mkv"):
        barcode.write_movie(tmp_path / name, stamps_ms=stamps_ms, **movie)
        wall.append(sequencer.add_by_hand(scene.sequence_editor, tmp_path / name, start=START))

    shots = [strips.shot_of(strip) for strip in wall]
    seen = barwall.render(scene, wall, range(START, 1 + max(shot.last_frame for shot in shots)))

    shown_s = np.append(np.subtract(stamps_ms, stamps_ms[0]), np.inf) / 1000
    for row, (strip, shot) in enumerate(zip(wall, shots, strict=True)):
        for frame in range(shot.first_frame, shot.last_frame + 1):
            time_s = float(shot.timing.times_s(frame))
            earliest, latest = shown_s[seen[frame][row] :][:2]
            late_s, early_s = time_s - latest, earliest - time_s
            assert max(late_s, early_s) * strip.fps <= ROUNDING, (strip.name, frame)


@pytest.mark.parametrize("add", [clip_that_starts_late, clip_of_pictures])
def test_clips_with_a_start_of_their_own(scene, media, add):
    barwall.prepare(scene, rate=(24, 1.0))
    strip = add(scene, media, "30")
    shot = strips.shot_of(strip)
    assert not shot.problem

    seen = barwall.render(scene, [strip], range(START, shot.last_frame + 1))

    before = LOWEST_NUMBER if add is clip_of_pictures else 0
    numbers = {frame: shown - before for frame, (shown,) in seen.items() if shown is not None}
    said = {frame: float(shot.timing.times_s(frame) * float(shot.fps)) for frame in numbers}
    assert numbers == pytest.approx(said, abs=ROUNDING)
    span = min(numbers.values()) / float(shot.fps), (max(numbers.values()) + 1) / float(shot.fps)
    assert (shot.start_s, shot.stop_s) == pytest.approx(span)


@pytest.mark.parametrize("rate", SCENE_RATES[::3])
def test_strips_in_meta_strips_that_play_backwards(scene, media, rate):
    barwall.prepare(scene, rate=rate)
    edits = [trimmed_in_reversed_meta_in_meta]
    wall = build(scene, media, [movie_by_hand], MOVIE_RATES, edits)
    wall |= build(scene, media, [images], ["-"], edits)

    assert not faults_of(scene, wall)


@pytest.mark.parametrize("rate", SCENE_RATES[::2])
def test_strips_that_are_retimed_as_a_whole(scene, media, rate):
    barwall.prepare(scene, rate=rate)
    wall = build(scene, media, [movie_by_script], MOVIE_RATES, RETIMINGS)
    if bpy.app.version >= (4, 4):  # before, Blender tells nothing of the keys of images
        wall |= build(scene, media, [images], ["-"], RETIMINGS)

    assert not faults_of(scene, wall)


@pytest.mark.parametrize("rate", SCENE_RATES[::2])
def test_retimed_strips_that_keep_their_speed_are_followed_or_refused(scene, media, rate):
    # Blender's own keys of these stand beside the ends of the strip, unless the rates are alike.
    barwall.prepare(scene, rate=rate)
    wall = build(scene, media, [movie_by_hand], MOVIE_RATES, RETIMINGS)

    refused = [each for each in wall.values() if strips.shot_of(each).problem]
    for each in refused:
        each.mute = True
    followed = {name: each for name, each in wall.items() if each not in refused}

    assert refused
    assert not followed or not faults_of(scene, followed, rounding=1 + ROUNDING)


def test_frozen_pictures_are_refused(scene, media):
    barwall.prepare(scene, rate=(24, 1.0))
    strip = movie_by_script(scene, media, "30")

    sequencer.select(scene.sequence_editor, [strip])
    sequencer.call(bpy.ops.sequencer.retiming_key_add, timeline_frame=20)
    sequencer.call(bpy.ops.sequencer.retiming_freeze_frame_add, duration=10)

    assert "retimed" in strips.shot_of(strip).problem


def test_retimed_clip_is_refused(scene, media):
    barwall.prepare(scene, rate=(24, 1.0))
    strip = clip(scene, media, "30")

    retime(strip, 50)

    assert strips.shot_of(strip).problem


def test_strip_in_a_retimed_meta_strip_is_refused(scene, media):
    barwall.prepare(scene, rate=(24, 1.0))
    strip = movie_by_script(scene, media, "30")

    retime(wrap(strip), 50)

    assert "meta strip" in strips.shot_of(strip).problem


@pytest.mark.parametrize("add", [clip, lambda *of: wrap(movie_by_script(*of))])
def test_retiming_keys_that_show_and_cannot_be_read_are_taken_for_retiming(scene, media, add):
    barwall.prepare(scene, rate=(24, 1.0))
    strip = add(scene, media, "30")
    strip.show_retiming_keys = True
    shown = sequencer.strips_of(strip)[0] if strip.type == "META" else strip

    assert "retimed" in strips.shot_of(shown).problem


def looks_the_same(movie_fps, scene_fps):
    """Whether the strip's length cannot tell if it keeps the movie's speed."""
    return 0 < PICTURES * scene_fps / movie_fps - PICTURES < 1
