"""`stripmocap doctor`: what is installed, what is missing, and what to do about it."""

from __future__ import annotations

import argparse

from .. import doctor
from .outputs import check, write_json

MARKS = {"ok": "ok ", "note": "-- ", "problem": "!! "}


def run(arguments: argparse.Namespace) -> int:
    """Prints what was found; 0 if a capture can run, 2 if something must be put right first."""
    if arguments.json:
        check(arguments.json, suffixes=(".json",))
    findings = doctor.examine()
    width = max(len(each.subject) for each in findings)
    for each in findings:
        print(f"{MARKS[each.state]} {each.subject:<{width}}  {each.text}")
        if each.advice:
            print(f"    {'':<{width}}  {each.advice}")
    if arguments.json:
        write_json(arguments.json, {"findings": [vars(each) for each in findings]})
    return 2 if any(each.state == "problem" for each in findings) else 0
