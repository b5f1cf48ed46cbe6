from __future__ import annotations

from stripmocap.contract.errors import StripMocapError, from_code

CLASSES = StripMocapError.__subclasses__()


def test_every_class_has_a_code_of_its_own():
    assert len({each.code for each in (StripMocapError, *CLASSES)}) == len(CLASSES) + 1


def test_an_error_comes_back_by_its_code():
    for each in CLASSES:
        back = from_code(each.code, "what is wrong", hint="what to do")

        assert type(back) is each
        assert (str(back), back.hint) == ("what is wrong", "what to do")


def test_an_unknown_code_is_still_an_error_of_ours():
    assert type(from_code("from_the_future", "news")) is StripMocapError
