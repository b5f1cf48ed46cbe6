import collections
import os
import pickle
import sys
import types

import numpy as np
import pytest
from stripmocap.body import pickles
from stripmocap.contract.errors import AssetCorrupt, AssetMissing

ARRAYS = {
    "means": np.linspace(0, 1, 12).reshape(3, 4),
    "columns": np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3), dtype=np.float32),
    "number": np.float64(2.5),
    "nested": [1, "two", (None, np.arange(3))],
}


class Hostile:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def written(path, content, protocol=2):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_plain_arrays_come_back(tmp_path, protocol):
    path = written(tmp_path / "arrays.pkl", ARRAYS, protocol)

    found = pickles.read_pickle(path)

    for name in ("means", "columns", "flags", "empty", "number"):
        np.testing.assert_array_equal(found[name], ARRAYS[name])
    assert found["nested"][:2] == [1, "two"]
    np.testing.assert_array_equal(found["nested"][2][1], np.arange(3))


def test_a_pickle_of_python_2_comes_back(tmp_path):
    data = np.arange(3, dtype="<f8").tobytes().decode("latin1").encode("unicode_escape").decode()
    # Python 2 wrote an array's bytes as a string; this is its protocol 0, by hand.
    text = (
        "(dp0\nS'means'\np1\ncnumpy.core.multiarray\n_reconstruct\np2\n(cnumpy\nndarray\np3\n"
        "(I0\ntp4\nS'b'\np5\ntp6\nRp7\n(I1\n(I3\ntp8\ncnumpy\ndtype\np9\n(S'f8'\np10\nI0\nI1\n"
        "tp11\nRp12\n(I3\nS'<'\np13\nNNNI-1\nI-1\nI0\ntp14\nbI00\n"
        f"S'{data}'\np15\ntp16\nbs."
    )
    path = tmp_path / "python2.pkl"
    path.write_text(text, encoding="ascii")

    np.testing.assert_array_equal(pickles.read_pickle(path)["means"], [0, 1, 2])


HOSTILE = {
    "system": lambda marker: Hostile(os.system, f"touch {marker}"),
    "eval": lambda marker: Hostile(eval, f"open({str(marker)!r}, 'w')"),
    "getattr": lambda marker: Hostile(getattr, marker, "touch"),
    "nested": lambda marker: {"means": [Hostile(os.mkdir, str(marker))]},
    "class": lambda marker: collections.Counter("abc"),
    "objects": lambda marker: np.array([object()], dtype=object),
    "function": lambda marker: os.getcwd,
}


@pytest.mark.parametrize("protocol", [0, 2, 5])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_and_runs_nothing(tmp_path, name, protocol):
    path = written(tmp_path / "hostile.pkl", HOSTILE[name](tmp_path / "ran"), protocol)

    with pytest.raises(AssetCorrupt):
        pickles.read_pickle(path)

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not a pickle",
        pickle.dumps(ARRAYS)[:-40],
        # A builder's own attributes are out of reach of the next pickle.
        b"cnumpy\nndarray\n(N(S'__call__'\nS'x'\ndtb.",
        b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",
        b"cnumpy.core.numeric\n_frombuffer\n(I1000000000000\nNNNtR.",
        b"c_codecs\nencode\n(S'x'\nS'rot13'\ntR.",
        b"cbuiltins\ngetattr\n.",
        b"ccopy_reg\n_reconstructor\n(cnumpy\ndtype\nNNtR.",
    ],
)
def test_a_spoilt_pickle_is_refused(tmp_path, raw):
    path = tmp_path / "spoilt.pkl"
    path.write_bytes(raw)

    with pytest.raises(AssetCorrupt):
        pickles.read_pickle(path)


def test_a_list_named_a_million_times_is_walked_once(tmp_path):
    content = ["leaf"]
    for _ in range(40):
        content = [content, content]

    found = pickles.read_pickle(written(tmp_path / "laughs.pkl", content))

    assert found[0] is found[1]


def test_a_named_class_is_read_as_data(tmp_path):
    module = types.ModuleType("toychumpy")
    module.Ch = type("Ch", (), {"__module__": "toychumpy"})
    sys.modules["toychumpy"] = module
    try:
        value = module.Ch()
        value.x = np.arange(3)
        path = written(tmp_path / "record.pkl", {"v": value}, 0)
        newer = written(tmp_path / "newer.pkl", {"v": value}, 2)
    finally:
        del sys.modules["toychumpy"]

    for each in (path, newer):
        found = pickles.read_pickle(each, records=["toychumpy.Ch"])["v"]
        assert isinstance(found, pickles.Record)
        np.testing.assert_array_equal(found.state["x"], np.arange(3))
        with pytest.raises(AssetCorrupt, match=r"toychumpy\.Ch"):
            pickles.read_pickle(each)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssetMissing, match="absent"):
        pickles.read_pickle(tmp_path / "absent.pkl")
