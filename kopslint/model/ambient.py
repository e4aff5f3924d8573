"""Whether a list says which cluster it is for, or leaves that to the shell around it.

kops without ``--name`` works on the cluster that KOPS_CLUSTER_NAME, the current context
or a state store with one cluster gives; kubectl on the current context. Sources: kops
cmd/kops/root.go, ProcessArgs; kubectl config.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.model import NodeCommand

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kopslint.commands.model import Command
    from kopslint.text import Span

_NAMES_ONE = re.compile(
    r"(?m)^[^#\n]*(?:\bKOPS_STATE_STORE\b|\bKOPS_CLUSTER_NAME\b|\bKUBECONFIG\b"
    r"|--state\b|--name\b|--context\b|--kubeconfig\b|\bkubectx\b|\buse-context\b"
    r"|\bkubecfg\b|\bexport kubeconfig\b)"
)


def left_to_the_shell(commands: Iterable[Command]) -> Span | None:
    """The first command that changes something of whatever cluster the shell is on.

    None if the list names one anywhere: by name, state store, context or kubeconfig.
    """
    commands = tuple(commands)
    if any(c.cluster is not None or c.context is not None for c in commands):
        return None
    changing = [command for command in commands if _changes_one(command)]
    sources = dict.fromkeys(command.span.source for command in commands)
    if not changing or any(_NAMES_ONE.search(source.text) for source in sources):
        return None
    return changing[0].span


def _changes_one(command: Command) -> bool:
    if isinstance(command, NodeCommand):
        return True
    return bool(command.kops) and bool(command.meaning.planes)
