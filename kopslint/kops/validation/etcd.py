"""etcd clusters: versions, images, backup stores, volumes.

Member counts, names and groups stand in ``kopslint.kops.refusals``. Source: kops
pkg/apis/kops/validation/validation.go, pkg/model/components/etcdmanager/options.go and
pkg/model/master_volumes.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.releases import release
from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.values import quoted, semver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.rejection import Rejection
    from kopslint.kops.validation.declared import Declared

_ETCD_MANAGER = 12
# From here on kops takes any version of etcd 3 that the spec has an image for.
_OWN_IMAGE = 37
# The releases before the table still brought the last etcd 2, to migrate from it.
_TABLE, _MIGRATED = 20, "2.2.1"
_MAJOR = 3
_INCOMPLETE = "and must be azureblob://ACCOUNT/CONTAINER/PATH"
_NAMES = {"events", "cilium", "leases"}


def etcd_clusters(declared: Declared) -> Iterator[Rejection]:
    """Every etcd cluster of a Cluster."""
    names: set[str] = set()
    versions: list[str] = []
    for path in declared.each("etcdClusters"):
        name = declared.text(f"{path}.name")
        if name in names and declared.since(18):
            problem = f"repeats {name}: the backup stores of the two are the same"
            source = "validation.go, validateEtcdBackupStore"
            repeated = declared.refuse("etcd", f"{path}.name", problem, source)
            yield repeated._replace(kind="duplicate-etcd-cluster")
        names.add(name)
        yield from _version(declared, path)
        versions.append(declared.text(f"{path}.version"))
        if versions[-1] not in ("", versions[0]) and declared.since(18):
            other = versions[0] or "not set"
            problem = f"is {versions[-1]}, and that of the first one is {other}"
            source = "validation.go, validateEtcdStorage"
            differs = declared.refuse("etcd", f"{path}.version", problem, source)
            yield differs._replace(kind="differing-versions")
        if cloud_of(declared) == "aws":
            for member in declared.each(f"{path}.etcdMembers"):
                yield from _volume(declared, member)
    yield from _azure_accounts(declared)
    # A cluster that is misnamed may be the one that is missed.
    if names and "main" not in names and names <= _NAMES:
        source = "pkg/model/components/apiserver.go, BuildOptions"
        problem = "has no cluster main, where Kubernetes keeps its objects"
        yield declared.refuse("etcd", "etcdClusters", problem, source, at="update")


def _version(declared: Declared, path: str) -> Iterator[Rejection]:
    place = f"{path}.version"
    text = declared.text(place)
    source = "validation.go, validateEtcdVersion"
    image = declared.text(f"{path}.image")
    if not text:
        if image and declared.since(37):
            problem = "is missing, but must be set together with image"
            source = "validation.go, validateEtcdClusterSpec"
            yield declared.refuse("missing-field", place, problem, source)
        return
    version = semver(text.removeprefix("v"))
    if version is None:
        problem = f"is {quoted(text)}, which is not a version"
        yield declared.refuse("version", place, problem, source)
        return
    if version[0] != _MAJOR and declared.since(20):
        problem = f"is {text}, but kops supports only etcd 3"
        yield declared.refuse("version", place, problem, source)
    elif not (image and declared.newest >= _OWN_IMAGE) and _is_managed(declared, path):
        yield from _unknown_to_manager(declared, place, text)


def _is_managed(declared: Declared, path: str) -> bool:
    """Whether etcd-manager runs an etcd cluster: from kops 1.12 on, unless told not to.

    A Kubernetes before 1.18 may still have Legacy.
    """
    provider = declared.text(f"{path}.provider")
    return declared.since(_ETCD_MANAGER) and provider != "Legacy"


def _unknown_to_manager(
    declared: Declared, place: str, text: str
) -> Iterator[Rejection]:
    """A version of etcd that no kops brings which may run the cluster.

    Every release has a list of its own, which it compares with what the spec says.
    """
    may_run = range(declared.kops, declared.newest + 1)
    supported = {v for kops in may_run for v in release(kops).etcd.supported}
    if declared.kops < _TABLE:
        supported.add(_MIGRATED)
    if text.removeprefix("v") in supported:
        return
    kops = f"1.{declared.kops}"
    if declared.newest > declared.kops:
        kops += f" to 1.{declared.newest}"
    problem = f"is {text}, but kops {kops} brings {', '.join(_spans(supported))}"
    source = "pkg/model/components/etcdmanager/options.go, BuildOptions"
    yield declared.refuse("version", place, problem, source, at="update")


def _spans(versions: set[str]) -> Iterator[str]:
    """The versions in order; those that follow each other as ``3.5.0 to 3.5.31``."""
    known = sorted(filter(None, map(semver, versions)))
    while known:
        major, minor, first = known[0]
        last = first
        while (major, minor, last) in known:
            known.pop(0)
            last += 1
        span = f"{major}.{minor}.{first}"
        yield span if last - first < 3 else f"{span} to {major}.{minor}.{last - 1}"
        if last - first == 2:
            yield f"{major}.{minor}.{last - 1}"


def _volume(declared: Declared, member: str) -> Iterator[Rejection]:
    """How many operations a volume may have for its size.

    Source: kops pkg/model/master_volumes.go, addAWSVolume and validateAWSVolume.
    """
    kind = declared.text(f"{member}.volumeType") or "gp3"
    size = declared.number(f"{member}.volumeSize") or 20
    iops = declared.number(f"{member}.volumeIOPS") or 0
    throughput = declared.number(f"{member}.volumeThroughput") or 0
    source = "pkg/model/master_volumes.go, validateAWSVolume"
    most = {"io1": 50, "io2": 500, "gp3": 500}.get(kind)
    if most is None or not declared.since(20):
        return
    if kind == "gp3":
        iops = max(iops, 3000)
        throughput = max(throughput, 125)
    elif iops < 100:
        iops = 100
    if iops > most * size and not (kind == "gp3" and iops == 3000):
        place = f"{member}.volumeIOPS"
        problem = f"is {iops}, more than {most} for each of the {size} GB"
        yield declared.refuse("etcd", place, problem, source, at="update")
    if kind == "gp3" and throughput * 4 > iops:
        place = f"{member}.volumeThroughput"
        problem = f"is {throughput}, more than a quarter of {iops} operations"
        yield declared.refuse("etcd", place, problem, source, at="update")


def _azure_accounts(declared: Declared) -> Iterator[Rejection]:
    """Every azureblob:// store in the account of the configuration."""
    if not declared.since(35):
        return
    source = "validation.go, validateAzureBlobAccountUniformity"
    base = _account(declared.text("configStore.base"))
    if base == "":
        wrong = f"is {quoted(declared.text('configStore.base'))}, {_INCOMPLETE}"
        yield declared.refuse("etcd", "configStore.base", wrong, source)
        return
    places = ["configStore.keypairs", "configStore.secrets"]
    places += [f"{e}.backups.backupStore" for e in declared.each("etcdClusters")]
    for place in places:
        text = declared.text(place)
        account = _account(text)
        problem = None
        if account is None:
            continue
        if not account:
            problem = f"is {quoted(text)}, {_INCOMPLETE}"
        elif base is None:
            problem = "is an azureblob:// store, but that of the configuration is not"
        elif account != base:
            problem = f"is in the account {account}, but the configuration is in {base}"
        if problem is not None:
            yield declared.refuse("etcd", place, problem, source)


def _account(text: str) -> str | None:
    """The account of an azureblob:// store; empty without one or without a container.

    Source: kops util/pkg/vfs/context.go, buildAzureBlobPath.
    """
    rest = text.removeprefix("azureblob://")
    if rest == text:
        return None
    account, _, path = rest.partition("/")
    return account if path.partition("/")[0] else ""
