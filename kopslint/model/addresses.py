"""Which cluster a command reaches that names none: that of its context or kubeconfig.

What kubectl is told on the way (``kubectl config use-context``, ``kops export
kubeconfig``) holds from there on, in the order in which the list stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from kopslint.commands.model import Command
    from kopslint.model.assumptions import Assumption
    from kopslint.shell.ast import SimpleCommand, Word

    Calls = Sequence[tuple[SimpleCommand, tuple[Command, ...]]]


_MANAGED = (
    ("aws", "eks", "update-kubeconfig"),
    ("az", "aks", "get-credentials"),
    ("gcloud", "container", "clusters", "get-credentials"),
    ("eksctl", "utils", "write-kubeconfig"),
)


class Address(Record):
    """The cluster that a command reaches, the word that tells, and what was assumed."""

    cluster: str
    word: Word | None
    assumed: Assumption | None = None


class Misnamed(Record):
    """A command about a cluster that is none of the inputs, and what says so."""

    command: Command
    cluster: str
    word: Word


def addresses(calls: Calls, known: Collection[str]) -> dict[int, Address]:
    """The cluster of each command that reaches one by way of kubectl, by identity."""
    found: dict[int, Address] = {}
    open_: list[tuple[int, Command]] = []
    for number, (command, word) in enumerate(_told(calls)):
        address = _address(word, known) if word is not None else None
        if address is not None:
            found[id(command)] = address
        elif len(known) > 1:
            open_.append((number, command))
    if open_:
        for _, command in open_:
            neighbour = _nearest(command, calls, known)
            if neighbour is not None:
                found[id(command)] = neighbour
    return found


def _told(calls: Calls) -> Iterator[tuple[Command, Word | None]]:
    """The commands that reach etcd or its managers, each with what tells of what."""
    from kopslint.commands import model

    current: Word | None = None
    file: str | None = None
    for call, commands in calls:
        given = {each.name: each.value for each in call.environment}
        config = given.get("KUBECONFIG")
        managed = _managed(call)
        if managed is not None:
            current, file = managed, config.shown if config else None
        for command in commands:
            match command:
                case model.Reads(switches=switches) if switches is not None:
                    current, file = switches, config.shown if config else None
                case model.Reads(cluster=cluster, verb=verb) if (
                    cluster is not None and verb.startswith("kops export kube")
                ):
                    current, file = cluster, config.shown if config else None
                case (
                    model.MemberRemove()
                    | model.MemberAdd()
                    | model.RestartManagers()
                    | model.NodeCommand()
                ):
                    yield command, _word(call, command, config, current, file)


def _managed(call: SimpleCommand) -> Word | None:
    """The word that makes kubectl speak to a cluster that a cloud runs itself.

    No such cluster is one of kops.
    """
    words = [word.text for word in call.words]
    for start in _MANAGED:
        if words[: len(start)] == [*start]:
            return call.words[1]
    return None


def _word(
    call: SimpleCommand,
    command: Command,
    config: Word | None,
    current: Word | None,
    file: str | None,
) -> Word | None:
    """A context on the line, else a kubeconfig, else what was chosen before."""
    by_kubectl = any((word.text or "").endswith("kubectl") for word in call.words)
    if command.context is not None:
        by_file = config is not None and command.context.shown == config.shown
        same = current is not None and by_file and config and config.shown == file
        return current if same else command.context
    return current if by_kubectl else None


def _address(word: Word, known: Collection[str]) -> Address | None:
    from kopslint.commands.kube_context import cluster_called
    from kopslint.model.assumptions import Kind, assume

    meant = cluster_called(word, known)
    if meant is None:
        return None
    assumed = None
    if not meant.exactly and meant.cluster in known:
        text = f"{word.shown} means {meant.cluster}"
        assumed = assume(Kind.CLUSTER, word.shown, text)
    return Address(meant.cluster, word, assumed)


def _nearest(command: Command, calls: Calls, known: Collection[str]) -> Address | None:
    """The cluster of the next command that names one, else of the last before."""
    from kopslint.model.assumptions import Kind, assume

    everything = [each for _, commands in calls for each in commands]
    at = next(i for i, each in enumerate(everything) if each is command)
    for each in _outwards(everything, at):
        name = each.cluster.text if each.cluster is not None else None
        if name is not None and name in known:
            text = (
                f"the text does not say which cluster this reaches: {name} is assumed"
            )
            return Address(name, None, assume(Kind.CLUSTER, command.text, text))
    return None


def _outwards(commands: Sequence[Command], at: int) -> Iterable[Command]:
    return (*commands[at + 1 :], *reversed(commands[:at]))
