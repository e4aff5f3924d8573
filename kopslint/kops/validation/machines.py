"""What is set up on machines: hooks, files, containerd, mirrors, and how they roll.

Source: kops pkg/apis/kops/validation/validation.go. Most of it stands in a Cluster for
all its machines or in an InstanceGroup for some.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kopslint.kops.duration import go_seconds
from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.values import (
    quoted,
    semver,
    tolerant_version,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import AtCommand, Violation
    from kopslint.syntax.yaml_tree import Node


def hooks(declared: Declared) -> Iterator[Violation]:
    """Hooks and file assets, of a cluster or a group."""
    source = "validation.go, validateHookSpec"
    for hook in declared.each("hooks"):
        v1alpha2 = declared.version == "v1alpha2"
        field = f"{hook}.disabled" if v1alpha2 else f"{hook}.enabled"
        if declared.flag(field) is v1alpha2:
            continue
        manifest = declared.text(f"{hook}.manifest")
        runs = declared.has(f"{hook}.execContainer")
        raw = declared.flag(f"{hook}.useRawManifest") is True
        problems = []
        if not runs and not manifest:
            problems.append("has neither a manifest nor an execContainer")
        elif raw and not manifest:
            problems.append("needs a manifest for useRawManifest")
        if raw and runs:
            problems.append("cannot have execContainer beside useRawManifest")
        problems += [
            f"cannot have {field} beside useRawManifest"
            for field in ("before", "requires")
            if raw and declared.has(f"{hook}.{field}")
        ]
        for problem in problems:
            yield declared.refuse("component", hook, problem, source)
        place = f"{hook}.execContainer.image"
        if runs and not declared.text(place):
            function = "validation.go, validateExecContainerAction"
            yield declared.refuse("missing-field", place, "is missing", function)
    for asset in declared.each("fileAssets"):
        for field in ("name", "content"):
            if not declared.text(f"{asset}.{field}"):
                place = f"{asset}.{field}"
                function = "validation.go, validateFileAssetSpec"
                yield declared.refuse("missing-field", place, "is missing", function)


def containerd(declared: Declared) -> Iterator[Violation]:
    """containerd, of a cluster or a group."""
    if not declared.has("containerd"):
        return
    at: AtCommand = "create" if declared.cluster is declared else "update"
    source = "validation.go, validateContainerdConfig"
    place = "containerd.version"
    text = declared.text(place)
    version = tolerant_version(text)
    oldest = (2, 1, 0) if declared.since(37) else (1, 3, 4)
    if declared.has(place) and declared.since(20):
        problem = None
        if version is None:
            problem = f"is {quoted(text)}, which is no version"
        elif version < oldest:
            problem = f"is {text}, and must be {'.'.join(map(str, oldest))} or newer"
        if problem is not None:
            yield declared.refuse("version", place, problem, source, at=at)
    for arch in ("Amd64", "Arm64"):
        url, sha = f"containerd.packages.url{arch}", f"containerd.packages.hash{arch}"
        pair = [declared.has(url), declared.has(sha)]
        problem, where = None, sha
        if pair == [True, False]:
            problem, where = f"needs hash{arch} beside it", url
        elif pair == [False, True]:
            problem = f"needs url{arch} beside it"
        elif all(pair) and len(declared.text(sha)) > 64:
            problem = "has more than 64 characters"
        if problem is not None and declared.since(19):
            yield declared.refuse("component", where, problem, source, at=at)
    yield from _nri(declared)
    yield from _accelerators(declared)


def _nri(declared: Declared) -> Iterator[Violation]:
    if declared.flag("containerd.nri.enabled") is not True:
        return
    source = "validation.go, validateNriConfig"
    at: AtCommand = "create" if declared.cluster is declared else "update"
    for field in ("pluginRequestTimeout", "pluginRegistrationTimeout"):
        place = f"containerd.nri.{field}"
        period = go_seconds(declared.text(place)) if declared.has(place) else None
        if period is not None and period <= 0 and declared.since(37):
            problem = f"is {declared.text(place)}, and must be more than zero"
            yield declared.refuse("component", place, problem, source, at=at)
    version = semver(declared.text("containerd.version"))
    # Where none is named, kops itself stops with a panic.
    if declared.since(29) and (version is None or version < (1, 7, 0)):
        problem = "needs containerd.version to be set, to 1.7.0 or newer"
        yield declared.refuse("component", "containerd.nri", problem, source, at=at)


def _accelerators(declared: Declared) -> Iterator[Violation]:
    here, in_cluster = cloud_of(declared), declared.cluster is declared
    at: AtCommand = "create" if in_cluster else "update"
    place = "containerd.nvidiaGPU"
    if declared.flag(f"{place}.enabled") and here and declared.since(24):
        source = "validation.go, validateNvidiaConfig"
        problem = None
        if here not in ("aws", "openstack"):
            problem = "is supported only on AWS and OpenStack"
        elif here == "openstack" and in_cluster:
            problem = "can be set only in instance groups on OpenStack"
        if problem is not None:
            yield declared.refuse("component", place, problem, source, at=at)
    if in_cluster and declared.has("containerd.gvisor") and declared.since(36):
        problem = "can be set only in instance groups"
        source = "validation.go, validateGVisorConfig"
        yield declared.refuse("component", "containerd.gvisor", problem, source)


_REPOSITORIES = {"gs": "gce", "s3": "aws", "azureblob": "azure"}


def assets(declared: Declared) -> Iterator[Violation]:
    """Where images and files are mirrored."""
    source = "validation.go, validateClusterSpec"
    both = declared.has("assets.containerRegistry")
    if both and declared.has("assets.containerProxy") and declared.since(19):
        clash = "cannot stand beside containerRegistry"
        yield declared.refuse("component", "assets.containerProxy", clash, source)
    place = "assets.fileRepository"
    text = declared.text(place)
    if not declared.has(place) or not declared.since(36):
        return
    try:
        url = urlsplit(text)
    except ValueError:
        url = urlsplit("")
    problem = None
    needed = _REPOSITORIES.get(url.scheme)
    if url.scheme not in ("http", "https", *_REPOSITORIES):
        problem = (
            f"is {quoted(text)}, and must be a URL (http, https, s3, gs, azureblob)"
        )
    elif needed is not None and cloud_of(declared) not in ("", needed):
        problem = f"is {quoted(text)}, which works only on {needed}"
    elif not url.netloc:
        problem = f"is {quoted(text)}, which has no host"
    elif url.scheme == "s3" and _outside_partition(declared) and declared.since(37):
        problem = f"is {quoted(text)}, which kops cannot use in this region"
    elif url.scheme == "azureblob" and not url.path.strip("/"):
        problem = f"is {quoted(text)}, which has no container"
    if problem is not None:
        source = "validation.go, validateFileRepository"
        yield declared.refuse("component", place, problem, source)


def _outside_partition(declared: Declared) -> bool:
    """Whether the cluster is where S3 has another domain than amazonaws.com.

    Source: kops pkg/apis/kops/validation/aws.go, awsValidateS3FileRepositoryPartition.
    """
    zones = (declared.text(f"{s}.zone") for s in declared.each("networking.subnets"))
    return any(zone.startswith(("cn-", "us-iso", "eu-isoe-")) for zone in zones)


def rolling_update(declared: Declared, control_plane: bool) -> Iterator[Violation]:
    """How many machines a roll may take at once."""
    source = "validation.go, validateRollingUpdate"
    unavailable: int | None = 1
    place = "rollingUpdate.maxUnavailable"
    if declared.has(place):
        unavailable = _scaled(declared.node(place), 1)
        if unavailable is None:
            unreadable = f"is {quoted(declared.text(place))}, no number or percentage"
            yield declared.refuse("component", place, unreadable, source)
        elif unavailable < 0:
            yield declared.refuse("component", place, "is negative", source)
    place = "rollingUpdate.maxSurge"
    if not declared.has(place) or not declared.since(18):
        return
    surge = _scaled(declared.node(place), 1000)
    problem = None
    if surge is None:
        problem = f"is {quoted(declared.text(place))}, no number or percentage"
    elif control_plane and surge != 0:
        problem = "must be 0: groups of the control plane cannot surge"
    elif surge < 0:
        problem = "is negative"
    elif unavailable == 0 and surge == 0:
        problem = "must not be 0 if maxUnavailable is 0"
    if problem is not None:
        yield declared.refuse("component", place, problem, source)


def _scaled(node: Node | None, total: int) -> int | None:
    """A number, or a percentage of ``total``, or None if it is neither.

    Source: apimachinery pkg/util/intstr, GetScaledValueFromIntOrPercent; a percentage
    of one machine is none unless it is all, and of many it is rounded up.
    """
    value = node.plain if node is not None else None
    if isinstance(value, int | float):
        return int(value)
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+%", value):
        return None
    product = int(value[:-1]) * total
    return product // 100 if total == 1 else -(-product // 100)
