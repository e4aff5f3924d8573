"""What makes a single value acceptable to kops, whatever field it stands in.

Each test takes a value and answers with what is wrong about it, in words that go on
after the name of the field, or with None.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from ipaddress import (
    IPv4Network,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.syntax.yaml import Plain

    Test = Callable[[Plain], str | None]

Network = IPv4Network | IPv6Network

_CIDR = re.compile(r"([0-9a-fA-F:.]+)/(0|[1-9][0-9]{0,2})")
_SUBDOMAIN = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
)
_SEMVER = (
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_TOLERANT = re.compile(
    r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?"
    r"(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_VERSION_IN_URL = r"/v1\.(\d+)\."
_ARN_PARTS = 6


def quoted(value: Plain) -> str:
    """A value in a sentence."""
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)
    )


def one_of(*values: str, empty: bool = False) -> Test:
    """Only these texts; ``empty`` where kops takes an empty text for none."""
    listed = ", ".join(filter(None, values))

    def test(value: Plain) -> str | None:
        if not isinstance(value, str) or value in values or (empty and not value):
            return None
        return f"is {quoted(value)}; kops accepts {listed}"

    return test


def never(reason: str) -> Test:
    """Whatever it is, the field may not be set."""
    return lambda _: f"must not be set: {reason}"


def never_filled(reason: str) -> Test:
    """The field may be set to nothing but an empty text, list or map."""
    return lambda value: f"must not be set: {reason}" if value else None


def never_true(reason: str) -> Test:
    """The field may not be true."""
    return lambda value: f"must not be true: {reason}" if value is True else None


def between(least: int, most: int) -> Test:
    """A whole number in a range, both ends included."""

    def test(value: Plain) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool):
            return None
        inside = least <= value <= most
        return None if inside else f"is {value}; kops accepts {least} to {most}"

    return test


def at_least(least: int) -> Test:
    """A whole number that is not less."""

    def test(value: Plain) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool) or value >= least:
            return None
        return f"is {value}; kops accepts {least} or more"

    return test


def matching(pattern: str, wanted: str) -> Test:
    """A text that a regular expression matches from its start."""

    def test(value: Plain) -> str | None:
        if not isinstance(value, str) or re.match(pattern, value):
            return None
        return f"is {quoted(value)}, but must be {wanted}"

    return test


def longest(most: int) -> Test:
    """A text of at most so many characters."""

    def test(value: Plain) -> str | None:
        if not isinstance(value, str) or len(value) <= most:
            return None
        return f"has {len(value)} characters; kops accepts at most {most}"

    return test


@lru_cache(maxsize=4096)
def network(text: str) -> Network | None:
    """The network that Go's net.ParseCIDR reads, bits outside it dropped, or None."""
    match = _CIDR.fullmatch(text)
    if match is None:
        return None
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def cidr(value: Plain) -> str | None:
    """A network range without bits outside of it.

    Source: kops pkg/apis/kops/validation/validation.go, parseCIDR.
    """
    return _range_problem(value) if isinstance(value, str) else None


@lru_cache(maxsize=4096)
def _range_problem(text: str) -> str | None:
    found = network(text)
    if found is None:
        return f"is {quoted(text)}, which is not a network range{_meant(text)}"
    if str(ip_address(text.partition("/")[0])) != str(found.network_address):
        return f"is {quoted(text)}: it has bits set outside {found}"
    return None


def _meant(value: str) -> str:
    if not is_ip(value):
        return ""
    return f" (did you mean {value}/{64 if ':' in value else 32}?)"


def is_ip(text: str) -> bool:
    """Whether it is an IP address, of either version."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def ip(value: Plain) -> str | None:
    """An IP address."""
    if not isinstance(value, str) or is_ip(value):
        return None
    return f"is {quoted(value)}, which is not an IP address"


def overlap(one: Network, other: Network) -> bool:
    """Whether two ranges share an address. Source: kops pkg/util/subnet, Overlap."""
    return holds(one, other) or holds(other, one)


def holds(outer: Network, inner: Network) -> bool:
    """Whether the first address of ``inner`` is in ``outer``."""
    return outer.version == inner.version and inner.network_address in outer


def belongs(parent: Network, child: Network) -> bool:
    """Whether one range lies in the other. Source: kops pkg/util/subnet, BelongsTo."""
    return holds(parent, child) and parent.prefixlen <= child.prefixlen


def is_ipv6(text: str) -> bool:
    """Whether it is an IPv6 range.

    Source: kops upup/pkg/fi/utils/net.go, IsIPv6CIDR.
    """
    found = network(text)
    return found is not None and found.version == 6


def dns_name(text: str) -> bool:
    """Whether it is a lower-case DNS subdomain of at most 253 characters."""
    return len(text) <= 253 and _SUBDOMAIN.fullmatch(text) is not None


def arn_of(*resources: str) -> Test:
    """The Amazon resource name of one of these kinds of resource.

    Source: aws-sdk-go-v2 aws/arn, Parse.
    """
    listed = " or ".join(resources)

    def test(value: Plain) -> str | None:
        if not isinstance(value, str):
            return None
        resource = arn_resource(value)
        if resource is not None and resource.startswith(resources):
            return None
        return f"is {quoted(value)}, but must be the ARN of a {listed}"

    return test


def arn_resource(text: str) -> str | None:
    """The resource of an ARN, or None if it is none."""
    parts = text.split(":", _ARN_PARTS - 1)
    return parts[-1] if len(parts) == _ARN_PARTS and parts[0] == "arn" else None


def semver(text: str) -> tuple[int, int, int] | None:
    """A strict semantic version without a leading v, or None."""
    match = re.fullmatch(_SEMVER, text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def tolerant_version(text: str) -> tuple[int, int, int] | None:
    """A version as semver.ParseTolerant of Go reads it, or None."""
    match = _TOLERANT.fullmatch(text.strip())
    if match is None or ((match[4] or match[5]) and match[3] is None):
        return None
    return (int(match[1]), int(match[2] or 0), int(match[3] or 0))


def kubernetes_version(text: str) -> tuple[int, int, int] | None:
    """The version that a kubernetesVersion means: a number, or a URL that names one.

    Source: kops pkg/apis/kops/util/versions.go, ParseKubernetesVersion.
    """
    found = tolerant_version(text)
    if found is None and (match := re.search(_VERSION_IN_URL, text)):
        return (1, int(match[1]), 0)
    return found


def has_host_and_scheme(text: str) -> bool:
    """Whether it is a URL with both."""
    try:
        url = urlsplit(text)
    except ValueError:
        return False
    return bool(url.netloc and url.scheme)
