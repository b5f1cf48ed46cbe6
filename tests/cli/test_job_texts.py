from __future__ import annotations

import pytest
from stripmocap.cli import job_texts
from stripmocap.contract.jobs import JobProgress, JobStatus
from stripmocap.contract.messages import CaptureRequest, Clip
from stripmocap.contract.methods import SpinOptions, VibeOptions


def job(request: dict) -> JobStatus:
    return JobStatus(
        id="0" * 32, key=None, name="walk.mp4", state="queued", priority=0, place=1,
        progress=JobProgress(), request=request, attempts=0, notes=(), error=None, result=None,
        partial=None, created_s=0.0, started_s=None, finished_s=None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "method      smplify, neutral body"),
        (
            {"estimator": "spin", "options": SpinOptions(), "refiners": ("smplify",)},
            "method      spin+smplify, neutral body",
        ),
        (
            {"estimator": "vibe", "options": VibeOptions(), "refiners": ("smplify",)},
            "method      vibe+smplify, neutral body",
        ),
        (
            {"estimator": "vibe", "refiners": ("smplify", "humor")},
            "method      vibe+smplify+humor, neutral body",
        ),
        (
            {"estimator": "spin", "options": SpinOptions(), "weights": "official"},
            "method      spin on official weights, neutral body",
        ),
        ({"estimator": None}, "method      only who is there"),
    ],
)
def test_a_job_says_which_methods_it_runs_on_which_weights(changes, said):
    request = CaptureRequest(Clip("/a/walk.mp4"), **changes)

    assert said in job_texts.paragraph(job(request.to_json()))


def test_a_job_of_an_earlier_version_is_told_all_the_same():
    request = CaptureRequest(Clip("/a/walk.mp4")).to_json()
    for name in ("refiners", "refiner_options", "weights"):
        del request[name]

    assert "smplify, neutral body" in job_texts.paragraph(job(request))
    refined = {**request, "estimator": "spin", "refiner": "smplify"}
    assert "spin+smplify, neutral body" in job_texts.paragraph(job(refined))
