"""The networking of pods: one option, and what each option demands of the rest.

Source: kops pkg/apis/kops/validation/validation.go, validateNetworking and the
functions per option.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING

from kopslint.kops.validation.clouds import cloud_of
from kopslint.kops.validation.values import (
    is_ip,
    is_ipv6,
    network,
    quoted,
    semver,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kopslint.kops.validation.declared import Declared
    from kopslint.kops.validation.violation import Violation

OPTIONS = (
    "amazonVPC",
    "calico",
    "cilium",
    "classic",
    "cni",
    "external",
    "flannel",
    "gcp",
    "kindnet",
    "kopeio",
    "kubeRouter",
    "kubenet",
    "lyftvpc",
    "romana",
    "weave",
)
_NET = "networking."
_CALICO = "networking.calico"
_CILIUM = "networking.cilium"
_CILIUM_SOURCE = "validation.go, validateNetworkingCilium"
_CALICO_SOURCE = "validation.go, validateNetworkingCalico"
# The one minor of Cilium that each minor of kops installs.
_CILIUM_MINORS = {28: 13, 29: 15, 30: 15, 31: 16, 32: 16, 33: 16}
_CILIUM_NEWEST = 18


def networking(declared: Declared) -> Iterator[Violation]:
    """Exactly one option at most, and proxies that fit it."""
    chosen = [option for option in OPTIONS if declared.has(_NET + option)]
    if len(chosen) > 1 and declared.since(18):
        source = "validation.go, validateNetworking"
        listed = ", ".join(chosen)
        message = f"only one networking option is permitted, and there are {listed}"
        for option in chosen:
            one = declared.refuse("networking", _NET + option, "", source)
            yield one._replace(message=message)
    yield from _proxy(declared)
    yield from _kindnet(declared)
    if declared.has(_CILIUM):
        yield from _cilium(declared)
    if declared.has(_CALICO):
        yield from _calico(declared)


def _proxy(declared: Declared) -> Iterator[Violation]:
    """The options that replace kube-proxy, beside a kube-proxy that is on."""
    if not declared.has("kubeProxy") or declared.flag("kubeProxy.enabled") is False:
        return
    for holds, name, source, since in (
        (
            declared.has("networking.kubeRouter"),
            "kube-router",
            "validation.go, validateNetworking",
            19,
        ),
        (
            declared.flag(f"{_CILIUM}.enableNodePort") is True,
            "Cilium with enableNodePort",
            _CILIUM_SOURCE,
            18,
        ),
        (
            declared.flag(f"{_CALICO}.bpfEnabled") is True,
            "Calico with bpfEnabled",
            _CALICO_SOURCE,
            19,
        ),
    ):
        if holds and declared.since(since):
            problem = f"must be false: {name} replaces kube-proxy"
            yield declared.refuse("networking", "kubeProxy.enabled", problem, source)


def _kindnet(declared: Declared) -> Iterator[Violation]:
    base = "networking.kindnet.masquerade"
    if declared.flag(f"{base}.enabled") is not True:
        return
    for path in declared.each(f"{base}.nonMasqueradeCIDRs"):
        text = declared.text(path)
        if text and network(text) is None:
            problem = f"is {quoted(text)}, which is no network range"
            source = "validation.go, validateNetworkingKindnet"
            yield declared.refuse("network-range", path, problem, source)


def _cilium(declared: Declared) -> Iterator[Violation]:
    ipv6 = is_ipv6(declared.text("networking.nonMasqueradeCIDR"))
    yield from _cilium_version(declared)

    def refuse(field: str, problem: str) -> Violation:
        place = f"{_CILIUM}.{field}"
        return declared.refuse("networking", place, problem, _CILIUM_SOURCE)

    managed = declared.flag(f"{_CILIUM}.etcdManaged") is True
    mode = declared.text(f"{_CILIUM}.identityAllocationMode")
    if mode == "kvstore" and not managed and declared.since(22):
        yield refuse("identityAllocationMode", "kvstore needs etcdManaged: true")
    names = [declared.text(f"{e}.name") for e in declared.each("etcdClusters")]
    if managed and "cilium" not in names and declared.since(18):
        problem = "needs an etcd cluster called cilium in spec.etcdClusters"
        yield refuse("etcdManaged", problem)
    host_only = declared.flag(f"{_CILIUM}.bpfLBSockHostNSOnly") is True
    if host_only and not declared.flag(f"{_CILIUM}.bpfLBSock") and declared.since(34):
        yield refuse("bpfLBSockHostNSOnly", "needs bpfLBSock: true")
    encryption = declared.flag(f"{_CILIUM}.enableEncryption") is True
    kind = declared.text(f"{_CILIUM}.encryptionType")
    if kind and not encryption and declared.since(26):
        yield refuse("encryptionType", "needs enableEncryption: true")
    rules_off = _no_iptables_rules(declared)
    proxy = declared.flag(f"{_CILIUM}.enableL7Proxy")
    if rules_off and declared.since(23):
        if proxy is True:
            yield refuse("enableL7Proxy", "needs the iptables rules to be installed")
        elif proxy is None and declared.since(24):
            # kops turns the L7 proxy on when it completes the spec.
            place = f"{_CILIUM}.enableL7Proxy"
            problem = "must be false where the iptables rules are not installed"
            source = "pkg/model/components/cilium.go, BuildOptions"
            yield declared.refuse("networking", place, problem, source, at="update")
    if declared.text(f"{_CILIUM}.ipam") == "eni":
        if cloud_of(declared) not in ("", "aws"):
            yield refuse("ipam", "eni is supported only on AWS")
        if ipv6 and declared.since(22):
            yield refuse("ipam", "eni does not support IPv6")
    mode = declared.text(f"{_CILIUM}.ingress.defaultLoadBalancerMode")
    on = declared.flag(f"{_CILIUM}.ingress.enabled") is True
    if on and mode not in ("", "shared", "dedicated") and declared.since(29):
        place = f"{_CILIUM}.ingress.defaultLoadBalancerMode"
        problem = f"is {quoted(mode)}, and kops takes shared, dedicated"
        yield declared.refuse("unsupported-value", place, problem, _CILIUM_SOURCE)


def _no_iptables_rules(declared: Declared) -> bool:
    """Whether Cilium is told to install no rules; v1alpha2 has it the other way."""
    if declared.version == "v1alpha2":
        return declared.flag(f"{_CILIUM}.IPTablesRulesNoinstall") is True
    return declared.flag(f"{_CILIUM}.installIptablesRules") is False


def _cilium_version(declared: Declared) -> Iterator[Violation]:
    place = f"{_CILIUM}.version"
    text = declared.text(place)
    if not text or not declared.since(28):
        return
    minor = _CILIUM_MINORS.get(declared.kops, _CILIUM_NEWEST)
    version = semver(text.removeprefix("v"))
    problem = None
    if not text.startswith("v"):
        problem = f"is {quoted(text)}, and must start with v"
    elif version is None:
        problem = f"is {quoted(text)}, which is no version"
    elif version[1] != minor:
        problem = f"is {text}, and kops supports 1.{minor} alone"
    if problem is not None:
        yield declared.refuse("version", place, problem, _CILIUM_SOURCE)
    hubble = declared.flag(f"{_CILIUM}.hubble.enabled") is True
    if hubble and not declared.flag("certManager.enabled"):
        place = f"{_CILIUM}.hubble.enabled"
        problem = "needs certManager.enabled: true"
        yield declared.refuse("addon", place, problem, _CILIUM_SOURCE)


def _calico(declared: Declared) -> Iterator[Violation]:
    ipv6 = is_ipv6(declared.text("networking.nonMasqueradeCIDR"))

    def refuse(field: str, problem: str) -> Violation:
        place = f"{_CALICO}.{field}"
        return declared.refuse("networking", place, problem, _CALICO_SOURCE)

    check = declared.text(f"{_CALICO}.awsSrcDstCheck")
    if ipv6 and check in ("Enable", "Disable") and declared.since(26):
        yield refuse("awsSrcDstCheck", "must be DoNothing for an IPv6 cluster")
    mode = declared.text(f"{_CALICO}.encapsulationMode")
    if mode and declared.since(23):
        if mode != "none" and ipv6:
            yield refuse("encapsulationMode", "must be none for an IPv6 cluster")
        elif mode == "none" and not ipv6:
            yield refuse("encapsulationMode", "can be none only for IPv6 clusters")
    if (
        mode
        and mode != "vxlan"
        and cloud_of(declared) == "azure"
        and declared.since(35)
    ):
        yield refuse("encapsulationMode", "must be vxlan on Azure")
    for field, wanted, since in (("ipipMode", "ipip", 19), ("vxlanMode", "vxlan", 22)):
        value = declared.text(f"{_CALICO}.{field}")
        other = mode not in ("", wanted)
        if value not in ("", "Never") and other and declared.since(since):
            yield refuse(field, f"needs encapsulationMode: {wanted}")
    for version in (4, 6):
        field = f"ipv{version}AutoDetectionMethod"
        text = declared.text(f"{_CALICO}.{field}")
        problem = _detection(text, version) if text and declared.since(19) else None
        if problem is not None:
            yield declared.refuse(
                "networking",
                f"{_CALICO}.{field}",
                problem,
                "validation.go, validateCalicoAutoDetectionMethod",
            )


def _detection(text: str, version: int) -> str | None:
    """What is wrong about a way to find the address of a node, if anything."""
    method, *rest = text.split("=")
    if len(rest) > 1:
        return f"is {quoted(text)}, which has more than one ="
    if method == "first-found":
        return None
    if method not in ("can-reach", "interface", "skip-interface"):
        return f"is {quoted(text)}, which is no way to detect an address"
    # Where nothing follows, kops itself stops with a panic.
    if not rest or not rest[0]:
        return f"is {quoted(text)}, and needs something behind {method}="
    if method == "can-reach":
        fits = is_ip(rest[0]) and ip_address(rest[0]).version == version
        return None if fits else f"is {quoted(text)}, which is no IPv{version} address"
    for expression in re.split(r"\s*,\s*", rest[0]):
        try:
            re.compile(expression)
        except re.error:
            return f"is {quoted(text)}, and {expression} is no regular expression"
    return None
