"""From texts to an observation: every output in them is found by its shape.

A text may be a file with one output, or anything in which outputs were pasted. What
stands before an output says of whom it is; nothing is guessed, and what looks like an
output and cannot be read is said.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.observed import documents, etcdctl, machines, tables
from kopslint.observed.etcdctl import unread
from kopslint.observed.lines import (
    Setting,
    command_in,
    is_session,
    lines_of,
    named_after,
    nearest,
    setting_of,
    time_on,
)
from kopslint.observed.merge import merged
from kopslint.observed.observation import (
    Contradiction,
    Published,
    QueuedRestore,
    Reading,
)
from kopslint.observed.statements import (
    AlarmsTold,
    MachinesTold,
    PodsTold,
    PublishedTold,
    QueueTold,
    Statement,
    UnreadTold,
)
from kopslint.records import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kopslint.observed.lines import Line
    from kopslint.observed.observation import Observation
    from kopslint.text import Source, Span

_CLUSTER = re.compile(
    r"(?:Validating cluster|Your cluster|# cluster:?)\s+(?P<name>[\w.-]+)"
)
_STORE = re.compile(r"Backup Store:\s+(?P<store>\S+)")
_PROTO = re.compile(
    r'member_count:\s*(?P<count>\d+)(?:\s+etcd_version:\s*"(?P<version>[^"]*)")?'
)
_RESTORE = re.compile(r'restore_backup:.*\bbackup:\s*"(?P<backup>[^"]*)"')
_NO_POD = re.compile(r'Error from server \(NotFound\): pods "(?P<pod>[^"]+)" not found')
_UNREACHED = re.compile(
    r"(?:The connection to the server \S+ was refused|Unable to connect to the server"
    r"|Error from server \((?!NotFound)|error: (?:unable to upgrade connection|You must"
    r"|context \S+ does not exist)|E\d{4} .*couldn't get current server API group list"
    r"|Error: (?:cannot load kubecfg|error listing nodes|unexpected error)).*"
)
_CUT = re.compile(r"[0-9a-f]{12,16}, ?(?:\w+)?$|https?://\S+:\d{4}, ?[0-9a-f]{6,16}\b")
_ENDED = re.compile(r"# exit (?P<status>\d+)")


class Named(Record):
    """A text to be read, and the etcd cluster that it was said to be of, if any."""

    source: Source
    etcd_cluster: str | None = None


def read_observation(texts: Iterable[Named]) -> Observation:
    """What all texts say together."""
    statements: list[Statement] = []
    contradictions: list[Contradiction] = []
    for text in texts:
        scan = _Scan(text)
        statements += scan.statements()
        contradictions += scan.contradictions
    return merged(statements, contradictions)


class _Scan:
    """One text, read from its first line to its last."""

    def __init__(self, text: Named) -> None:
        self.text = text
        self.lines = lines_of(text.source)
        self.times = [
            (line.number, moment)
            for line in self.lines
            if (moment := time_on(line)) is not None
        ]
        self.setting = Setting()
        self.session = Setting()
        self.cluster: str | None = None
        self.contradictions: list[Contradiction] = []

    def statements(self) -> Iterator[Statement]:
        """Everything that the text says."""
        told = False
        index = 0
        while index < len(self.lines):
            found, index = self._at(index)
            for statement in found:
                told = True
                yield statement
        if not told:
            yield unread(
                "this text contains no known output of etcdctl, kops or kubectl",
                self.text.source.whole(),
            )

    def _at(self, index: int) -> tuple[list[Statement], int]:
        """What is told from a line on, and the index of the first line behind it."""
        line = self.lines[index]
        if not line.bare or line.bare.startswith('{"level":'):
            return [], index + 1
        command = command_in(line)
        if command is not None:
            return [], self._heard(command, index)
        read = self._reading
        for reader in (etcdctl.simple, etcdctl.fields):
            found = reader(self.lines, index, read)
            if found is not None:
                return found
        if line.bare[0] in "+┌╭|│" or tables.is_border(line):
            boxed = tables.boxed(self.lines, index)
            if boxed is not None:
                return [*etcdctl.table(boxed, read)], boxed.next
        chunk = documents.chunk_at(self.lines, index)
        if chunk is not None:
            return [*documents.told_by(chunk, self.setting, read)], chunk.end
        columned = machines.columned(self.lines, index, self.setting, read)
        if columned is not None:
            return columned
        return [*self._alone(line)], index + 1

    def _heard(self, command: str, index: int) -> int:
        """Take up a command; the index of the first line behind it."""
        index += 1
        while command.endswith("\\") and index < len(self.lines):
            command = f"{command[:-1]} {self.lines[index].bare}"
            index += 1
        said = setting_of(command)
        if command == "exit":
            self.session = Setting()
        elif is_session(command):
            etcd_cluster = said.etcd_cluster or self.session.etcd_cluster
            node = said.node or self.session.node
            self.session = Setting("", etcd_cluster, node)
        if "etcdctl" in command.split(maxsplit=1)[0] or "=" in command.split()[0]:
            said = said._replace(
                etcd_cluster=said.etcd_cluster or self.session.etcd_cluster,
                node=said.node or self.session.node,
            )
        self.setting = said
        return index

    def _reading(
        self, command: str, form: str, span: Span, by_ports: str | None
    ) -> Reading:
        """What is known of an output: of which etcd cluster, of whom, and when."""
        path = self.text.source.path
        given = self.text.etcd_cluster
        if given and by_ports and given != by_ports:
            self.contradictions.append(
                Contradiction(
                    f"this was passed as etcd {given}, but its ports are those of etcd"
                    f" {by_ports}",
                    f"{given},{by_ports}",
                    (span,),
                    by_ports,
                )
            )
        told = by_ports or given or self.setting.etcd_cluster
        return Reading(
            command,
            form,
            span,
            etcd_cluster=told or named_after(path),
            node=self.setting.node,
            taken=nearest(self.times, span.line),
            cluster=self.cluster,
        )

    def _alone(self, line: Line) -> Iterator[Statement]:
        """What a single line says that belongs to no table and no document."""
        text = line.bare
        if (cluster := _CLUSTER.match(text)) is not None:
            self.cluster = cluster["name"].rstrip(".")
            if text.endswith(" is ready"):
                reading = self._reading(machines.VALIDATE, "table", line.span(), None)
                yield MachinesTold(reading, (), complete=False)
        elif (store := _STORE.match(text)) is not None:
            said = setting_of(store["store"])
            etcd_cluster = said.etcd_cluster or self.setting.etcd_cluster
            self.setting = self.setting._replace(etcd_cluster=etcd_cluster)
            if "list-commands" in self.setting.asks:
                yield QueueTold(self._control(documents.COMMANDS, line), ())
        elif (restore := _RESTORE.search(text)) is not None:
            count = _PROTO.search(text)
            queued = QueuedRestore(
                restore["backup"],
                line.span(),
                int(count["count"]) if count is not None else None,
            )
            yield QueueTold(self._control(documents.COMMANDS, line), (queued,))
        elif (count := _PROTO.match(text)) is not None:
            published = Published(int(count["count"]), line.span(), count["version"])
            yield PublishedTold(self._control(documents.CONTROL_SPEC, line), published)
        elif (pod := _NO_POD.match(text)) is not None:
            absent = machines.pod(pod["pod"], "no", line.span())
            if absent is not None:
                reading = self._reading(machines.PODS, "error", line.span(), None)
                yield PodsTold(reading, (absent,), complete=False)
        elif (ended := _ENDED.fullmatch(text)) is not None:
            yield from self._ended(ended["status"], line)
        else:
            yield from self._failed(line)

    def _control(self, command: str, line: Line) -> Reading:
        return self._reading(command, "proto", line.span(), None)

    def _ended(self, status: str, line: Line) -> Iterator[Statement]:
        """The end of an output that ``kopslint observe`` took: it may be empty."""
        asks = self.setting.asks
        if status == "0" and "alarm list" in asks:
            reading = self._reading(etcdctl.ALARMS, "simple", line.span(), None)
            yield AlarmsTold(reading, ())
        if status == "0" and "list-commands" in asks:
            yield QueueTold(self._control(documents.COMMANDS, line), ())
        self.setting = Setting()

    def _failed(self, line: Line) -> Iterator[UnreadTold]:
        """What is said of a line on which a program gave up, or that was cut."""
        reason = etcdctl.failure(line)
        if reason is not None:
            yield unread(
                f"etcd did not answer here: {reason}. It is down or has no quorum",
                line.span(),
                silent=True,
            )
        elif line.bare.startswith("error: unable to upgrade connection"):
            yield unread(
                "the machine of this pod did not answer", line.span(), silent=True
            )
        elif _UNREACHED.match(line.bare) is not None:
            yield unread(
                "the cluster's API did not answer here", line.span(), silent=True
            )
        elif _CUT.match(line.bare) is not None:
            yield unread("this looks like a truncated line of etcdctl", line.span())
