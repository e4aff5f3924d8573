"""Command lists, read once, and which of their commands concern which cluster.

Reading a list costs the import of a shell parser, so nothing is imported before
there is a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.model.addresses import Address, Misnamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kopslint.commands.model import Command
    from kopslint.kops.spec import Manifest
    from kopslint.model.assumptions import Assumption
    from kopslint.model.simulation import Simulation
    from kopslint.observed.observation import Observation
    from kopslint.shell.ast import Script, SimpleCommand
    from kopslint.text import Source


class CommandLists:
    """The command lists of a check, read once.

    ``clusters`` are the clusters of the inputs; ``partial`` says that there are more
    elsewhere. ``sources`` are the lists, and ``scripts`` what was read from them.
    ``at_hand`` are files that the commands may name besides the inputs.
    ``misnamed`` are commands that name a cluster which is none of them; ``unread`` are
    the lists from which no command could be read.
    """

    def __init__(
        self,
        sources: tuple[Source, ...],
        clusters: set[str],
        *,
        partial: bool,
        at_hand: tuple[Source, ...] = (),
    ) -> None:
        self.scripts: tuple[Script, ...] = ()
        self.misnamed: tuple[Misnamed, ...] = ()
        self.unread: tuple[Source, ...] = ()
        self._clusters = frozenset(clusters)
        self._partial = partial
        self._addresses: dict[int, Address] = {}
        if not sources:
            return
        from kopslint.commands.parse import recognise
        from kopslint.model.addresses import addresses
        from kopslint.model.spec_files import SpecsAtHand
        from kopslint.notations.command_list import read_commands, simple_commands

        # By the call itself: in two turns of a loop the same words may look up two ids.
        known: dict[int, tuple[Command, ...]] = {}

        def commands_of(call: SimpleCommand) -> tuple[Command, ...]:
            if id(call) not in known:
                known[id(call)] = recognise(call)
            return known[id(call)]

        self._recognise = commands_of
        self._specs_at_hand = SpecsAtHand(at_hand)
        self.sources = sources
        self.scripts = tuple(
            read_commands(source, at_hand=at_hand) for source in sources
        )
        self.unread = tuple(
            source
            for source, script in zip(sources, self.scripts, strict=True)
            if not script.unread and next(simple_commands(script.body), None) is None
        )
        if len(self.unread) < len(sources):
            self.scripts = tuple(map(_told, sources, self.scripts))
        for script in self.scripts:
            calls = [(call, commands_of(call)) for call in simple_commands(script.body)]
            self._addresses.update(addresses(calls, self._clusters))
            if not self._partial:
                commands = [command for _, found in calls for command in found]
                self.misnamed += tuple(filter(None, map(self._misnamed, commands)))

    def replay(
        self,
        before: Manifest,
        after: Manifest,
        kops_version: str | None = None,
        observation: Observation | None = None,
    ) -> Simulation:
        """Replay the lists on one cluster, run by ``kops_version`` if it is known.

        They start from what was observed, if anything was.
        """
        from kopslint.model.replay import simulate

        simulation = simulate(
            before,
            after,
            self.scripts,
            self._recognise,
            self._concerning(after),
            self._specs_at_hand,
            kops_version,
            observation,
        )
        return simulation.replaced(
            assumptions=(*simulation.assumptions, *self._assumed(simulation))
        )

    def made_by(self, simulation: Simulation) -> tuple[Command, ...]:
        """The commands of those lists that made the cluster; see ``bring_up``."""
        from kopslint.model.bring_up import made_by

        pairs = zip(self.sources, self.scripts, strict=True)
        return made_by(simulation, [source for source, s in pairs if s.unread])

    def without(self, commands: tuple[Command, ...]) -> CommandLists | None:
        """The lists that have none of these commands; None if no list is left."""
        past = {command.span.source for command in commands}
        pairs = zip(self.sources, self.scripts, strict=True)
        left = {source: script for source, script in pairs if source not in past}
        if not left:
            return None
        from copy import copy

        lists = copy(self)
        lists.scripts, lists.sources = tuple(left.values()), tuple(left)
        return lists

    def _assumed(self, simulation: Simulation) -> Iterator[Assumption]:
        """What was taken for granted of the cluster that the steps reach."""
        for step in simulation.steps:
            address = self._addresses.get(id(step.command))
            if address is not None and address.assumed is not None:
                yield address.assumed.placed(step.command.span, step.number)

    def _concerning(self, manifest: Manifest) -> Callable[[Command], bool]:
        """Which commands are about a cluster: those that name it or name none.

        A name without a dot is none: kops takes no such cluster. Source: kops
        pkg/apis/kops/validation/legacy.go, ``ValidateCluster``.
        """
        name = manifest.name

        def concerns(command: Command) -> bool:
            named = self._cluster_of(command)
            written = command.cluster is not None
            return named in (None, name) or (written and "." not in str(named))

        return concerns

    def _cluster_of(self, command: Command) -> str | None:
        if command.cluster is not None:
            return command.cluster.text
        address = self._addresses.get(id(command))
        return address.cluster if address is not None else None

    def _misnamed(self, command: Command) -> Misnamed | None:
        cluster = self._cluster_of(command)
        if cluster is None or cluster in self._clusters:
            return None
        address = self._addresses.get(id(command))
        word = command.cluster or (address.word if address is not None else None)
        return Misnamed(command, cluster, word) if word is not None else None


def _told(source: Source, script: Script) -> Script:
    """A list beside others; one that names calls, of which none is read, says so."""
    from kopslint.notations.command_list import simple_commands
    from kopslint.notations.program_names import names_a_call
    from kopslint.shell.ast import Opaque, Unknown

    if script.unread or next(simple_commands(script.body), None) is not None:
        return script
    named = (n for n, line in enumerate(source.lines, 1) if names_a_call(line))
    number = next(named, None)
    if number is None:
        return script
    span = source.span(number, 1, number, len(source.line(number)) + 1)
    reason = "no command could be read from this list, although it mentions some"
    return script._replace(unread=(Opaque(Unknown(source.path, reason), span),))
