"""The rules about single fields of the components of Kubernetes, one row each.

The rows follow the order of kops pkg/apis/kops/validation/validation.go. Fields that
only v1alpha2 has keep their names of v1alpha2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.duration import go_seconds
from kopslint.kops.validation.enums import enum
from kopslint.kops.validation.rows import Row, gone
from kopslint.kops.validation.values import (
    has_host_and_scheme,
    matching,
    network,
    never,
    never_filled,
    never_true,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.kops.validation.rows import When
    from kopslint.kops.validation.values import Test
    from kopslint.syntax.yaml_tree import Plain

_API = "validation.go, validateKubeAPIServer"
_KUBELET = "validation.go, validateKubelet"
_PSP = "PodSecurityPolicy has been removed from Kubernetes 1.25"


def _ranges(value: Plain) -> str | None:
    if not isinstance(value, str) or network(value) is not None:
        return None
    return f"is {quoted(value)}, which is no network range"


def _url(value: Plain) -> str | None:
    if not isinstance(value, str) or not value or has_host_and_scheme(value):
        return None
    return f"is {quoted(value)}, which is no URL with a scheme and a host"


def _restart_period(value: Plain) -> str | None:
    period = go_seconds(value) if isinstance(value, str) else None
    if period is None or 1 <= period <= 300:
        return None
    return f"is {value}, and kops takes 1s to 300s"


def _one_second(value: Plain) -> str | None:
    period = go_seconds(value) if isinstance(value, str) else None
    if period is None or period == 0 or period >= 1:
        return None
    return f"is {value}, and must be 1s or more"


def _port_range(value: Plain) -> str | None:
    """Source: apimachinery pkg/util/net, PortRange.Set and ParsePortRange."""
    if not isinstance(value, str) or not value.strip():
        return None
    first, mark, last = value.strip().partition("-")
    if mark != "-":
        first, mark, more = value.strip().partition("+")
        last = str(int(first) + int(more)) if first.isdigit() and more.isdigit() else ""
        last = last if mark else first
    inside = all(p.isdigit() and int(p) < 2**16 for p in (first, last))
    if inside and int(first) <= int(last):
        return None
    return f"is {quoted(value)}, and must be a range of ports such as 30000-32767"


def _psp(value: Plain) -> str | None:
    return f"must not be {value}: {_PSP}" if value == "PodSecurityPolicy" else None


_since_24 = gone(24, kops=29)


def _kubelet(
    field: str,
    reason: str,
    since: int,
    test: Callable[[str], Test] = never,
    when: When | None = None,
) -> tuple[Row, ...]:
    """A field that is gone, and refused whatever it is set to, false included."""
    return tuple(
        Row("component", f"{kubelet}.{field}", test(reason), _KUBELET, since, when)
        for kubelet in ("kubelet", "controlPlaneKubelet")
    )


COMPONENT_ROWS: tuple[Row, ...] = (
    # kube-apiserver
    Row(
        "component",
        "kubeAPIServer.enableBootstrapTokenAuth",
        never_true("bootstrap tokens are not supported"),
        _API,
        since=28,
    ),
    Row(
        "component",
        "kubeAPIServer.admissionControl",
        never_filled("it has been replaced with enableAdmissionPlugins"),
        _API,
        since=26,
        when=gone(26, kops=32),
    ),
    Row(
        "component",
        "kubeAPIServer.enableAdmissionPlugins[]",
        _psp,
        _API,
        since=25,
        when=gone(25, kops=32),
    ),
    Row("component", "kubeAPIServer.serviceNodePortRange", _port_range, _API, since=18),
    # kops itself stops with a panic at one that has no value.
    Row(
        "component",
        "kubeAPIServer.oidcRequiredClaim[]",
        matching("[^=]*=", "of the form claim=value"),
        "pkg/apis/kops/v1alpha2/conversion.go, "
        "Convert_v1alpha2_ClusterSpec_To_kops_ClusterSpec",
        since=27,
    ),
    enum("kubeAPIServer.logFormat", _API, "text", "json", since=22, empty=True),
    # kube-controller-manager, kube-scheduler, kube-proxy
    Row(
        "component",
        "kubeControllerManager.experimentalClusterSigningDuration",
        never("clusterSigningDuration has replaced it"),
        "validation.go, validateKubeControllerManager",
        since=29,
        when=gone(25, kops=32),
    ),
    Row(
        "component",
        "kubeControllerManager.attachDetachReconcileSyncPeriod",
        _one_second,
        "pkg/model/components/kubecontrollermanager.go, BuildOptions",
        at="update",
    ),
    Row(
        "component",
        "kubeScheduler.usePolicyConfigMap",
        never("write a KubeSchedulerConfiguration instead"),
        "validation.go, validateKubeScheduler",
        since=29,
    ),
    Row(
        "network-range",
        "kubeProxy.ipvsExcludeCIDRs[]",
        _ranges,
        "validation.go, validateKubeProxy",
        since=11,
    ),
    Row("component", "kubeProxy.master", _url, "validation.go, validateKubeProxy"),
    # kubelet
    *_kubelet("configureCbr0", "its flag was removed in Kubernetes 1.5", 24),
    *_kubelet("apiServers", "its flag was removed in Kubernetes 1.6", 10, never_filled),
    *_kubelet(
        "podInfraContainerImage",
        "its flag was removed in Kubernetes 1.35; use containerd.sandboxImage",
        35,
        never_filled,
    ),
    *_kubelet("requireKubeconfig", "its flag was removed in Kubernetes 1.10", 10),
    *_kubelet(
        "experimentalAllowedUnsafeSysctls",
        "it was renamed to allowedUnsafeSysctls in Kubernetes 1.11",
        23,
    ),
    *_kubelet(
        "bootstrapKubeconfig", "bootstrap tokens are not supported", 28, never_filled
    ),
    *_kubelet("cpuCFSQuotaPeriod", "it was removed in Kubernetes 1.20", 23),
    *_kubelet(
        "networkPluginName", "it was removed in Kubernetes 1.24", 24, when=_since_24
    ),
    *_kubelet(
        "networkPluginMTU", "it was removed in Kubernetes 1.24", 24, when=_since_24
    ),
    *_kubelet(
        "nonMasqueradeCIDR", "it was removed in Kubernetes 1.24", 24, when=_since_24
    ),
    *_kubelet("enableCadvisorJsonEndpoints", "it needs Kubernetes 1.18 to 1.20", 21),
    *(
        row
        for kubelet in ("kubelet", "controlPlaneKubelet")
        for row in (
            enum(
                f"{kubelet}.topologyManagerPolicy",
                _KUBELET,
                "none",
                "best-effort",
                "restricted",
                "single-numa-node",
                since=18,
                empty=True,
            ),
            enum(
                f"{kubelet}.logFormat", _KUBELET, "text", "json", since=22, empty=True
            ),
            enum(
                f"{kubelet}.memorySwapBehavior",
                _KUBELET,
                "LimitedSwap",
                "UnlimitedSwap",
                since=27,
                empty=True,
            ),
            Row(
                "component",
                f"{kubelet}.crashLoopBackOffMaxContainerRestartPeriod",
                _restart_period,
                _KUBELET,
                since=35,
            ),
        )
    ),
)
