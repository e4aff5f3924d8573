"""The rules about single fields of an InstanceGroup, one row each.

The rows follow kops pkg/apis/kops/validation/instancegroup.go and aws.go. What kops
asks only of groups in a cloud is asked by ``update``, when the cluster is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.kops.duration import go_seconds
from kopslint.kops.validation.clouds import elsewhere, on
from kopslint.kops.validation.rows import Row, enum
from kopslint.kops.validation.values import (
    arn_of,
    arn_resource,
    at_least,
    between,
    longest,
    matching,
    never_filled,
    quoted,
)

if TYPE_CHECKING:
    from kopslint.syntax.yaml import Plain

_GROUP = "instancegroup.go, ValidateInstanceGroup"
_CROSS = "instancegroup.go, CrossValidateInstanceGroup"
_MIXED = "aws.go, awsValidateMixedInstancesPolicy"
_USER_DATA = (
    "text/x-include-once-url",
    "text/x-include-url",
    "text/cloud-config-archive",
    "text/upstart-job",
    "text/cloud-config",
    "text/part-handler",
    "text/x-shellscript",
    "text/cloud-boothook",
)


def _taint(value: Plain) -> str | None:
    """Source: kops pkg/apis/kops/util/taints.go, ParseTaint."""
    if not isinstance(value, str):
        return None
    key, _, effect = value.partition(":")
    fine = ":" not in effect and (":" not in value or key.count("=") <= 1)
    return None if fine else f"is {quoted(value)}, but must be key=value:effect"


def _lifetime(value: Plain) -> str | None:
    period = go_seconds(value) if isinstance(value, str) else None
    if period is None or int(period) == 0 or period >= 24 * 60 * 60:
        return None
    return f"is {value}, but must be 0 or at least 24h"


def _target_group(value: Plain) -> str | None:
    """Source: kops pkg/apis/kops/validation/instancegroup.go."""
    if not isinstance(value, str):
        return None
    parts = (arn_resource(value) or "").split("/")
    fine = len(parts) == 3 and parts[0] == "targetgroup" and len(parts[1]) <= 32
    return (
        None if fine else f"is {quoted(value)}, but must be the ARN of a target group"
    )


GROUP_ROWS: tuple[Row, ...] = (
    enum("tenancy", _GROUP, "default", "dedicated", "host", since=18, empty=True),
    Row("group", "rootVolume.iops", at_least(0), _GROUP, since=23),
    Row("group", "rootVolume.throughput", at_least(0), _GROUP, since=19),
    enum(
        "additionalUserData[].type",
        "instancegroup.go, validateExtraUserData",
        *_USER_DATA,
        since=18,
    ),
    enum(
        "volumeMounts[].filesystem",
        "instancegroup.go, validateVolumeMountSpec",
        "btfs",
        "ext4",
        "xfs",
        since=18,
        empty=True,
    ),
    Row(
        "group",
        "iam.profile",
        arn_of("instance-profile/"),
        "instancegroup.go, validateInstanceProfile",
    ),
    Row(
        "group",
        "sysctlParameters[]",
        matching("[^=]*=", "of the form name=value"),
        _GROUP,
        since=28,
    ),
    Row(
        "group",
        "externalLoadBalancers[].loadBalancerName",
        longest(32),
        "instancegroup.go, validateExternalLoadBalancer",
        since=19,
    ),
    Row(
        "group",
        "externalLoadBalancers[].targetGroupARN",
        _target_group,
        "instancegroup.go, validateExternalLoadBalancer",
        since=19,
    ),
    enum("updatePolicy", _GROUP, "automatic", "external", since=19),
    Row("group", "taints[]", _taint, _GROUP, since=22),
    # In a cloud
    enum(
        "rootVolume.type",
        _CROSS,
        "standard",
        "gp3",
        "gp2",
        "io1",
        "io2",
        since=19,
        when=on("aws"),
        at="update",
    ),
    Row(
        "group",
        "volumes",
        never_filled("only AWS has volumes of instance groups"),
        "legacy.go, DeepValidate",
        since=12,
        when=elsewhere("aws"),
        at="update",
    ),
    Row(
        "group",
        "spotDurationInMinutes",
        lambda value: (
            None
            if value in (60, 120, 180, 240, 300, 360)
            else f"is {value}; kops accepts 60, 120, 180, 240, 300, 360"
        ),
        "aws.go, awsValidateSpotDurationInMinute",
        since=18,
        when=on("aws"),
        at="update",
    ),
    enum(
        "instanceInterruptionBehavior",
        "aws.go, awsValidateInstanceInterruptionBehavior",
        "hibernate",
        "stop",
        "terminate",
        since=18,
        when=on("aws"),
        at="update",
    ),
    enum(
        "instanceMetadata.httpTokens",
        "aws.go, awsValidateInstanceMetadata",
        "optional",
        "required",
        since=19,
        when=on("aws"),
        at="update",
    ),
    Row(
        "group",
        "instanceMetadata.httpPutResponseHopLimit",
        between(1, 64),
        "aws.go, awsValidateInstanceMetadata",
        since=19,
        when=on("aws"),
        at="update",
    ),
    enum(
        "cpuCredits",
        "aws.go, awsValidateCPUCredits",
        "standard",
        "unlimited",
        since=20,
        when=on("aws"),
        at="update",
    ),
    Row(
        "group",
        "maxInstanceLifetime",
        _lifetime,
        "aws.go, awsValidateMaximumInstanceLifetime",
        since=24,
        when=on("aws"),
        at="update",
    ),
    Row(
        "group",
        "mixedInstancesPolicy.onDemandBase",
        at_least(0),
        _MIXED,
        since=12,
        when=on("aws"),
        at="update",
    ),
    Row(
        "group",
        "mixedInstancesPolicy.onDemandAboveBase",
        between(0, 100),
        _MIXED,
        since=12,
        when=on("aws"),
        at="update",
    ),
    enum(
        "mixedInstancesPolicy.spotAllocationStrategy",
        _MIXED,
        "lowest-price",
        "diversified",
        "capacity-optimized",
        "capacity-optimized-prioritized",
        "price-capacity-optimized",
        since=18,
        when=on("aws"),
        at="update",
    ),
    enum(
        "gcpProvisioningModel",
        "gce.go, gceValidateInstanceGroup",
        "STANDARD",
        "SPOT",
        since=25,
        when=on("gce"),
        at="update",
    ),
)
