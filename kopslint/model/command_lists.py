"""Command lists, read once, and which of their commands concern which cluster.

Reading a list costs the import of a shell parser, so nothing is imported before
there is a list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from kopslint.commands.model import Command
    from kopslint.kops.spec import Manifest
    from kopslint.model.simulation import Simulation
    from kopslint.shell.ast import Script, SimpleCommand
    from kopslint.text import Source


class CommandLists:
    """The command lists of a check, read once.

    ``clusters`` are the clusters of the inputs; ``partial`` says that there are more
    elsewhere. ``at_hand`` are files that the commands may name besides the inputs.
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
        self.misnamed: tuple[Command, ...] = ()
        self.unread: tuple[Source, ...] = ()
        self._clusters = frozenset(clusters)
        self._partial = partial
        self._named: frozenset[str] = frozenset()
        if not sources:
            return
        from kopslint.commands.parse import recognise
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
        self.scripts = tuple(
            read_commands(source, at_hand=at_hand) for source in sources
        )
        self.unread = tuple(
            source
            for source, script in zip(sources, self.scripts, strict=True)
            if not script.unread and next(simple_commands(script.body), None) is None
        )
        everything = [
            command
            for script in self.scripts
            for call in simple_commands(script.body)
            for command in self._recognise(call)
        ]
        self._named = frozenset(filter(None, map(_named_cluster, everything)))
        if not self._partial:
            self.misnamed = tuple(c for c in everything if self._is_misnamed(c))

    def replay(
        self, before: Manifest, after: Manifest, kops_version: str | None = None
    ) -> Simulation:
        """Replay the lists on one cluster, run by ``kops_version`` if it is known."""
        from kopslint.model.replay import simulate

        return simulate(
            before,
            after,
            self.scripts,
            self._recognise,
            self._concerning(after),
            self._specs_at_hand,
            kops_version,
        )

    def _concerning(self, manifest: Manifest) -> Callable[[Command], bool]:
        """Which commands are about a cluster: those that name it or name none.

        If nothing names the only cluster there is, a name that fits none is taken
        to mean it: the list was written for another cluster or with an example's
        name. That is said by a rule.
        """
        name = manifest.name
        alone = (
            len(self._clusters) == 1
            and not self._named & self._clusters
            and not self._partial
        )

        def concerns(command: Command) -> bool:
            named = _named_cluster(command)
            return named is None or named == name or alone

        return concerns

    def _is_misnamed(self, command: Command) -> bool:
        named = _named_cluster(command)
        return named is not None and named not in self._clusters


def _named_cluster(command: Command) -> str | None:
    return command.cluster.text if command.cluster is not None else None
