"""Command lists that acted on a cluster before a change and do not after it.

A list of which only ``true``, comments, texts that are echoed, branches that nothing
reaches or questions are left is replayed without a word, like one that was never there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kopslint.commands.kops import Keypair, UpdateCluster
from kopslint.commands.model import NodeCommand, Reach, Unreadable, Unreplayed
from kopslint.errors import InputError
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.commands.model import Command
    from kopslint.kops.spec import Manifest
    from kopslint.model.simulation import Simulation
    from kopslint.text import Source


class ChangedList(Record):
    """A command list on both sides of a change, and the files of before it may name."""

    before: Source
    after: Source
    at_hand: tuple[Source, ...] = ()


class IdleList(Record):
    """A list that does nothing any more, and the first command of before that did."""

    source: Source
    did: Command


def idle_lists(
    changed: Iterable[ChangedList],
    before: Manifest,
    simulation: Simulation | None,
    made_by: Iterable[Command] = (),
) -> Iterator[IdleList]:
    """Which of the changed lists do nothing any more to the cluster of ``before``.

    ``simulation`` is the replay of the lists after the change, ``made_by`` are commands
    that were left out of it. Each list of before is replayed by itself, so that one
    that was idle already is none of them.
    """
    changed = tuple(changed)
    if not changed or (simulation is not None and simulation.truncated):
        return
    acting = {command.span.source for command in (*made_by, *_deeds(simulation))}
    if simulation is not None:
        acting |= {each.span.source for each in simulation.undecided}
    for each in changed:
        did = _first_deed(each, before) if each.after not in acting else None
        if did is not None:
            yield IdleList(each.after, did)


def _first_deed(changed: ChangedList, before: Manifest) -> Command | None:
    from kopslint.model.command_lists import CommandLists

    sources = (changed.before,)
    try:
        lists = CommandLists(
            sources, {before.name}, partial=True, at_hand=changed.at_hand
        )
    except InputError:
        # Nobody could say what it did.
        return None
    return next(_deeds(lists.replay(before, before)), None)


def _deeds(simulation: Simulation | None) -> Iterator[Command]:
    for step in simulation.steps if simulation is not None else ():
        if _acts(step.command):
            yield step.command


def _acts(command: Command) -> bool:
    """Whether a command changes something, or nobody knows whether it does.

    A preview changes nothing; files for terraform are written to be applied.
    """
    match command:
        case Unreadable(reach=reach) | Unreplayed(reach=reach):
            return reach is not Reach.ELSEWHERE
        case Keypair() | NodeCommand():
            return True
        case UpdateCluster(target=target) if target is not None:
            return True
    return bool(command.meaning.planes)
