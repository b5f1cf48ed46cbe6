import pytest
from stripmocap.contract.errors import DiskFull
from stripmocap.contract.whole_file import whole


def test_what_was_written_is_there_after_the_block_and_nothing_else(tmp_path):
    path = tmp_path / "new.txt"

    with whole(path, error=DiskFull) as partial:
        partial.write_text("all of it")
        assert not path.exists()

    assert path.read_text() == "all of it"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("trouble", [OSError("no space left"), KeyboardInterrupt()])
def test_an_earlier_file_stays_if_the_block_does_not_end_well(tmp_path, trouble):
    path = tmp_path / "kept.txt"
    path.write_text("before")

    def spoil():
        with whole(path, error=DiskFull) as partial:
            partial.write_text("half")
            raise trouble

    with pytest.raises((DiskFull, KeyboardInterrupt)):
        spoil()

    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_named_with_what_to_do(tmp_path):
    with (
        pytest.raises(DiskFull, match="nowhere") as found,
        whole(tmp_path / "nowhere" / "file", error=DiskFull, hint="Make it."),
    ):
        pass

    assert found.value.hint == "Make it."


def test_the_file_beside_it_ends_as_its_writer_wants(tmp_path):
    with whole(tmp_path / "film.mp4", error=DiskFull, suffix=".part.mp4") as partial:
        assert partial.name.endswith(".part.mp4")
        partial.write_bytes(b"film")
