"""What the service says of itself. What is costly to find out is looked at only now and then."""

from __future__ import annotations

import shutil
from importlib import metadata

from ... import assets
from ...assets import AssetStatus
from ...contract.jobs import CONTRACT, Health, MethodStatus
from ...contract.methods import METHODS
from .context import Context


def of(parts: Context, *, notices: bool) -> Health:
    """The health of the service; `notices` name its folders, so they are not for everybody."""
    queued, running = parts.store.counts()
    told = [*parts.life.notices(), *parts.store.notices, *parts.supervisor.notices]
    return Health(
        version=metadata.version("stripmocap"),
        contract=CONTRACT,
        epoch=parts.life.epoch,
        remote=parts.settings.remote,
        finish_jobs=parts.life.finish_jobs,
        devices=parts.supervisor.devices(),
        methods=parts.methods(),
        queued=queued,
        running=running,
        disk_free=shutil.disk_usage(parts.settings.data).free,
        cache_size=parts.cache_size(),
        cache_limit=parts.settings.cache_bytes,
        notices=tuple(dict.fromkeys(told)) if notices else (),
    )


def methods() -> tuple[MethodStatus, ...]:
    """Whether each method can run here, on each kind of weights; reads the model files."""
    found = {each.asset.name: each for each in assets.status()}
    return tuple(
        MethodStatus(
            key=method.key,
            label=method.label,
            roles=method.roles,
            weights=kind,
            ready=all(_is_at_hand(found[name]) for name in weights.needs),
            lacks=tuple(_lack(found[name]) for name in weights.needs if _is_lacking(found[name])),
        )
        for method in METHODS.values()
        for kind, weights in method.weights.items()
    )


def _is_lacking(status: AssetStatus) -> bool:
    return status.state != "ready"


def _is_at_hand(status: AssetStatus) -> bool:
    """Whether a job that needs the file will have it, given a network."""
    return status.state == "ready" or status.asset.how == assets.FETCHED


def _lack(status: AssetStatus) -> str:
    asset = status.asset
    if asset.how == assets.FETCHED:
        return f"{asset.filename} is {status.state}; it is fetched at the first capture."
    if asset.how == assets.BROUGHT:
        return (
            f"{asset.filename} is {status.state}; get it from {asset.page} ({asset.licence}) and "
            "put it where `stripmocap doctor` says."
        )
    return f"{asset.filename} is {status.state}; install Strip Mocap again."
