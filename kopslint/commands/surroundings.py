"""What reaches a cluster from its side: names, load balancers, power, what runs later.

Nothing here has a move in the simulation. A command is ``Unreplayed`` or ``Unreadable``
where it may change what a cluster stands on, and none of this module's business
otherwise. Sources: the manuals of the programs; kops pkg/dns and
pkg/model/awsmodel/api_loadbalancer.go for the names that a cluster has.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.model import Reach
from kopslint.shell.ast import Unknown, Word

if TYPE_CHECKING:
    from kopslint.commands.invocation import Invocation
    from kopslint.commands.model import Command

# The words that a command about names begins with.
_NAMES = re.compile(
    r"(?:aws (?:--\S+ \S+ )*route53(?:domains)?|gcloud (?:beta |alpha )?dns"
    r"|az network (?:private-)?dns|doctl compute domain|hcloud (?:zone|dns)"
    r"|openstack (?:recordset|zone|dns)|linode-cli domains|scw dns|cli53|flarectl dns"
    r"|nsupdate|octodns-sync|dnscontrol|lexicon|pdnsutil|designate"
    r"|oci dns|aliyun alidns|ibmcloud dns)\b"
)
_ROUTES = re.compile(
    r"(?:aws (?:--\S+ \S+ )*elb(?:v2)? (?:delete|deregister|modify|set|detach|disable)"
    r"|gcloud compute (?:forwarding-rules|backend-services"
    r"|target-pools) (?:delete|remove)"
    r"|az network (?:lb|public-ip) (?:\S+ )?(?:delete|remove)"
    r"|hcloud load-balancer (?:delete"
    r"|remove)|openstack loadbalancer (?:\S+ )?(?:delete|unset|failover)"
    r"|doctl compute load-balancer (?:delete|remove)|scw lb \S+ delete"
    r"|linode-cli nodebalancers \S*delete)"
)
_LOOKS = re.compile(
    r"\s(?:list|get|describe|show|ls|export|check|test|validate|preview)[\w-]*(?:\s|$)"
)
_CHANGES = re.compile(
    r"\b(?:delete|remove|purge|del|rm|change|update|upsert|create|execute"
    r"|import|set|add"
    r"|push|rrdelete|rrpurge|rrcreate|replace|sync)[\w-]*\b|--doit"
)
_ZONE_GOES = re.compile(
    r"delete-hosted-zone|managed-zones delete|rrpurge|zone delete"
    r"|delete-zone|domain delete"
    r"|disassociate-vpc|delete-load-balancer|domains delete"
)
# A public zone answers nothing before the zone above it says so; a private one does
# at once. Source: Route 53 Developer Guide, "Creating a public hosted zone".
_ZONE_COMES = re.compile(
    r"create-hosted-zone|managed-zones create|dns zone create|dns domain create"
    r"|compute domain create|zone create|domains create"
)
_PRIVATE = re.compile(r"--vpc\b|private", re.IGNORECASE)
_DOTTED = re.compile(
    r"(?<![\w./-])\*?[\w-]*(?:\.[a-z0-9-]+)+\.?(?![\w/])", re.IGNORECASE
)
_RECORD = r"api|api\.internal|kops-controller(?:\.internal)?|\*"
_FILE = re.compile(r"\.(?:json|ya?ml|txt|js|toml|tf|sh|zone|key)$", re.IGNORECASE)
# What kops and its machines look up.
_OF_A_CLUSTER = re.compile(
    r"(?:^|\W)(?:api|kops-controller|etcd|\*|master|control-?plane|bastion|kube)\b"
    r"|^api-|\bapi-[\w-]+",
    re.IGNORECASE,
)


def read_beside(invocation: Invocation) -> Command | None:
    """What a command does to names, load balancers and the power of machines."""
    words = [word.shown for word in invocation.words[1:]]
    line = " ".join([invocation.program, *words])
    if _NAMES.match(line):
        return _names(invocation, line)
    if _ROUTES.match(line):
        to_api = _OF_A_CLUSTER.search(" ".join(words))
        reason = "the API may no longer be reached through its load balancer"
        return invocation.unreplayed(
            reason, Reach.MACHINE if to_api else Reach.ELSEWHERE
        )
    if (off := _POWER.match(line)) is not None:
        reason = f"`{off[0]}` stops a machine, and it is not known which one"
        return _unreadable(invocation, reason)
    if (starts := _STARTS.match(line)) is not None:
        reason = f"the list does not show what `{starts[0]}` starts"
        return _unreadable(invocation, reason)
    return None


def _names(invocation: Invocation, line: str) -> Command | None:
    """A change of DNS: of the cluster's own names, or of nobody knows which."""
    said = line
    for more in (
        invocation.stdin.shown if invocation.stdin else "",
        invocation.upstream,
    ):
        said += f" {more}"
    first = line.split(" --", 1)[0]
    applies = first.startswith(("nsupdate", "octodns-sync", "dnscontrol push"))
    if _LOOKS.search(first) or not (applies or _CHANGES.search(first)):
        return None
    if invocation.program == "octodns-sync" and "--doit" not in line:
        return None
    if _ZONE_COMES.search(first) and not _PRIVATE.search(line):
        return None
    reason = "it changes DNS names by which machines and people find the API"
    names = [n for n in _DOTTED.findall(said) if not _FILE.search(n)]
    records = [*names, *(w for w in line.split() if re.fullmatch(_RECORD, w))]
    if _ZONE_GOES.search(first) or any(map(_OF_A_CLUSTER.search, records)):
        return invocation.unreplayed(reason, Reach.MACHINE)
    if names and not re.search(r"\s\d{2,}\b|--(?:record-)?id\b", line):
        # Names that no cluster has: www.example.com.
        return None
    return invocation.unreplayed(reason, Reach.ELSEWHERE)


_POWER = re.compile(
    r"ipmitool\b.* (?:chassis )?power (?:off|cycle|reset|soft)|racadm\b.* serveraction"
    r" (?:powerdown|powercycle|hardreset|graceshutdown)|maas\b.* (?:release"
    r"|power_off)\b"
    r"|metal device (?:delete|stop|reboot|reinstall)|qm (?:stop|shutdown"
    r"|destroy|reset|reboot)"
    r"|pvesh create \S+/status/(?:stop|shutdown|reset|reboot)"
    r"|xe vm-(?:shutdown|reboot|destroy"
    r"|uninstall)|virsh (?:destroy|shutdown|reboot|reset|undefine)"
    r"|govc vm\.(?:power|destroy)"
    r"|vagrant (?:halt|destroy|reload)|openstack baremetal node (?:power"
    r"|reboot|undeploy)"
)
"""Programs that take down machines of one's own."""

_STARTS = re.compile(
    r"docker(?:-| )compose (?:-\S+(?: [^\s-]\S*)? )*(?:up|run|start|restart)\b"
    r"|nomad (?:job )?run|gh workflow run|gh api \S*/dispatches|glab (?:ci"
    r"|pipeline) run"
    r"|argo (?:submit|resubmit|retry)|argocd app sync|tkn \S+ start|fly\b.* trigger-job"
    r"|aws (?:codebuild start-build|codepipeline start-pipeline-execution"
    r"|batch submit-job"
    r"|ecs run-task|events put-events|lambda invoke|stepfunctions start-execution)"
    r"|gcloud (?:builds (?:submit|triggers run)|workflows (?:run|execute)"
    r"|functions call)"
    r"|az (?:pipelines run|automation runbook start|functionapp function)"
    r"|spacectl stack (?:deploy|task|run)|env0 (?:deploy|destroy|run)"
    r"|jenkins-cli\b.* build"
    r"|java -jar \S*jenkins-cli\S* .*build|drone build (?:promote|restart)"
    r"|buildkite-agent"
    r" pipeline upload|rundeck|rd run|awx-cli|awx \S+ launch|fab\b|inv\b|invoke\b"
    r"|st2 (?:run|execution)|airflow dags trigger|prefect deployment run|dagger call"
    r"|circleci (?:run|trigger)|systemctl start [\w@-]+\.(?:service|timer)|fc -[se]"
)
"""What starts something that stands somewhere else."""


def read_kept_for_later(
    invocation: Invocation, target: str | None
) -> tuple[Invocation, ...] | Command | None:
    """A command that writes what a machine runs by itself later on: a cron table.

    Gives a program that reads the text, if the text stands there.
    """
    words = invocation.words[1:]
    if target is None:
        last = words[-1].shown if words else ""
        writes = invocation.program in (
            "cp",
            "mv",
            "install",
            "ln",
            "tee",
            "scp",
            "rsync",
        )
        if invocation.program == "crontab":
            files = [w.shown for w in words if not w.shown.startswith("-")]
            if files and not {"-l", "-r", "-e"} & {w.shown for w in words}:
                return _unreadable(
                    invocation, "the list does not show what this crontab runs"
                )
            return None
        if not writes or not RUNS_LATER.search(last):
            return None
    like = invocation.words[0]
    text = (
        invocation.stdin.shown if invocation.stdin is not None else invocation.upstream
    )
    if target is not None and invocation.program in ("echo", "printf"):
        text = " ".join(word.shown for word in words)
    if not text:
        return _unreadable(invocation, "the list does not show what runs there later")
    program = Word(("crontab",), "crontab", like.span)
    return (
        invocation._replace(
            words=(program,), stdin=Word((text,), like.raw, like.span), upstream=""
        ),
    )


RUNS_LATER = re.compile(
    r"/etc/cron|/var/spool/(?:cron|at)|/etc/anacrontab|/(?:etc|usr/lib"
    r"|lib)/systemd/system/"
    r"|systemd/user/|/etc/rc\.local|/etc/init\.d/|/etc/profile|/etc/bash"
    r"|\.(?:bash|zsh)rc"
    r"|\.(?:bash_)?profile\b|\.git/hooks/|LaunchDaemons|LaunchAgents"
    r"|/etc/update-motd\.d"
)
"""Files that a machine or a shell runs by itself at some later time."""


def _unreadable(invocation: Invocation, reason: str) -> Command:
    return invocation.unreadable(Unknown(invocation.program, reason), Reach.SHELL_TEXT)
