"""The rules about single fields of the networking of pods, one row each.

The rows follow kops pkg/apis/kops/validation/validation.go, validateNetworking and the
functions per option. Fields that only v1alpha2 has keep their names of v1alpha2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import elsewhere
from kopslint.kops.validation.enums import enum
from kopslint.kops.validation.rows import Row, gone
from kopslint.kops.validation.values import (
    at_least,
    is_ipv6,
    never,
    never_true,
)

if TYPE_CHECKING:
    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.rows import When

_NET = "validation.go, validateNetworking"
_CALICO = "validation.go, validateNetworkingCalico"
_CILIUM = "validation.go, validateNetworkingCilium"
_calico_mode = ("Always", "CrossSubnet", "Never")


def _ipv6(declared: Declared) -> bool:
    return is_ipv6(declared.text("networking.nonMasqueradeCIDR"))


def _gone(option: str, reason: str, since: int, when: When | None = None) -> Row:
    return Row("networking", f"networking.{option}", never(reason), _NET, since, when)


NETWORKING_ROWS: tuple[Row, ...] = (
    # Options of networking that are gone
    _gone("classic", "classic networking is not supported", 10),
    _gone("external", "Kubernetes 1.26 removed it", 26, gone(26, kops=32)),
    _gone("weave", "Weave is no longer supported", 28),
    _gone(
        "canal",
        "Canal is not supported since Kubernetes 1.28",
        28,
        gone(28, kops=34),
    ),
    _gone("romana", "support for Romana has been removed", 19),
    _gone("lyftvpc", "support for LyftVPC has been removed", 23),
    *(
        Row(
            "networking",
            f"networking.{option}",
            never("it does not support IPv6"),
            _NET,
            since=23,
            when=_ipv6,
        )
        for option in ("kubenet", "kopeio", "kubeRouter", "amazonVPC", "flannel", "gcp")
    ),
    Row(
        "networking",
        "networking.amazonVPC",
        never("it is supported only on AWS"),
        _NET,
        when=elsewhere("aws"),
    ),
    Row(
        "networking",
        "networking.gcp",
        never("it is supported only on GCE"),
        "validation.go, validateNetworkingGCP",
        since=28,
        when=elsewhere("gce"),
    ),
    enum(
        "networking.flannel.backend",
        "validation.go, validateNetworkingFlannel",
        "udp",
        "vxlan",
        empty=True,
    ),
    # Calico
    *(
        enum(f"networking.calico.{field}", _CALICO, *values, since=since, empty=True)
        for field, values, since in (
            ("awsSrcDstCheck", ("Enable", "Disable", "DoNothing"), 19),
            ("bpfExternalServiceMode", ("Tunnel", "DSR"), 19),
            ("bpfLogLevel", ("Off", "Info", "Debug"), 19),
            ("chainInsertMode", ("insert", "append"), 18),
            ("encapsulationMode", ("ipip", "vxlan", "none"), 19),
            ("ipipMode", _calico_mode, 20),
            ("vxlanMode", _calico_mode, 23),
            ("iptablesBackend", ("Auto", "Legacy", "NFT"), 18),
        )
    ),
    Row(
        "networking", "networking.calico.typhaReplicas", at_least(0), _CALICO, since=18
    ),
    Row(
        "networking",
        "networking.calico.wireguardEnabled",
        never_true("WireGuard is not supported on IPv6 clusters"),
        _CALICO,
        since=26,
        when=_ipv6,
    ),
    # Cilium
    *(
        enum(f"networking.cilium.{field}", _CILIUM, *values, since=since, empty=True)
        for field, values, since in (
            ("enablePolicy", ("default", "always", "never"), 18),
            ("tunnel", ("vxlan", "geneve", "disabled"), 18),
            ("monitorAggregation", ("low", "medium", "maximum"), 18),
            ("identityAllocationMode", ("crd", "kvstore"), 22),
            ("bpfLBAlgorithm", ("random", "maglev"), 22),
            ("encryptionType", ("ipsec", "wireguard"), 22),
            ("ipam", ("hostscope", "kubernetes", "crd", "eni"), 18),
        )
    ),
    Row(
        "networking",
        "networking.cilium.enableEncryption",
        never_true("encryption is not supported on IPv6 clusters"),
        _CILIUM,
        since=26,
        when=_ipv6,
    ),
)
