"""One program call on its way to a meaning, and plain reading of its options.

An invocation is what is left once wrappers are off; it still carries the text of
the whole command. Which options mean what is for the programs' own modules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kopslint.commands.model import Unreadable, Unreplayed
from kopslint.records import Record
from kopslint.shell.ast import Unknown, Word, cut, head

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kopslint.commands.model import Reach
    from kopslint.text import Span


class Invocation(Record):
    """A program call: ``words`` starts with the program.

    ``text`` and ``span`` are those of the command as people wrote it. ``places``
    are texts that stand around it: the name of the pod or container that it runs in,
    then the comment that introduces it. ``inside`` are those pods, containers and
    machines alone, the innermost first, and ``context`` the context or kubeconfig by
    which kubectl got there. ``each`` is whether it runs once for each of several items,
    and ``at_once`` what runs them at the same time (``xargs -P3``), if anything does.
    ``hosts`` are the machines that it is typed on, if it is on others than this one,
    and ``fans_out`` is whether they may be any number. ``upstream`` is what is in front
    of it in its pipeline.
    """

    words: tuple[Word, ...]
    text: str
    span: Span
    environment: Mapping[str, Word] = {}
    places: tuple[str, ...] = ()
    stdin: Word | None = None
    at_once: str = ""
    hosts: tuple[Word, ...] = ()
    fans_out: bool = False
    upstream: str = ""
    inside: tuple[Word, ...] = ()
    each: bool = False
    context: Word | None = None

    def within(self, place: Word, words: tuple[Word, ...]) -> Invocation:
        """What runs in a pod, a container or a machine, which has its own settings."""
        environment = {
            name: value
            for name, value in self.environment.items()
            if not name.startswith(("ETCDCTL_", "KUBECONFIG"))
        }
        return self._replace(
            words=words,
            environment=environment,
            places=(place.shown, *self.places),
            inside=(place, *self.inside),
        )

    @property
    def program(self) -> str:
        """The base name of the program, or "" if it is unknown."""
        return program_name(self.words[0]) if self.words else ""

    def unreplayed(
        self, reason: str, reach: Reach, about: tuple[Word, ...] = ()
    ) -> Unreplayed:
        """The call as a command that is known, and that nothing follows."""
        return Unreplayed(
            text=self.text, span=self.span, reason=reason, reach=reach, about=about
        )

    def unreadable(self, reason: Unknown, reach: Reach) -> Unreadable:
        """The call as a command of which nobody knows from here what it does."""
        return Unreadable(text=self.text, span=self.span, reason=reason, reach=reach)


# Builds of a program carry their version or platform in the name, and scripts keep
# the program in a variable of its name. A NUL stands for an unknown piece.
_UNKNOWN = "\0"
_PROGRAMS = (
    *("kops", "kubectl", "etcdctl", "etcdutl", "etcd-manager-ctl"),
    *("terraform", "tofu"),
)
_BUILD = (
    rf"({'|'.join(_PROGRAMS)})"
    r"(?:[-_.]?v?[\d\0][\w.+\0-]*|[-_](?:linux|darwin|windows|amd64|arm64)[\w-]*)?"
    r"(?:\.exe)?"
)
_IN_VARIABLE = (
    ("ETCD_MANAGER_CTL", "etcd-manager-ctl"),
    ("ETCDCTL", "etcdctl"),
    ("KUBECTL", "kubectl"),
    ("TERRAFORM", "terraform"),
    ("KOPS", "kops"),
)


def program_name(word: Word) -> str:
    """The base name of the program that a word runs, or "" if it is unknown.

    ``$BIN/kops``, ``./kops-1.28`` and ``"${KOPS}"`` are all ``kops``.
    """
    path = "".join(p if isinstance(p, str) else _UNKNOWN for p in word.pieces)
    name = path.rstrip("/").rpartition("/")[2]
    if name == _UNKNOWN:
        variable = word.shown.rpartition("/")[2].upper()
        return next((p for part, p in _IN_VARIABLE if part in variable), "")
    if name not in _PROGRAMS and name.startswith(_PROGRAMS):
        build = re.fullmatch(_BUILD, name)
        if build is not None:
            return build[1]
    return "" if _UNKNOWN in name else name


class Arguments(Record):
    """The words after a program: positional ones, and values by option name.

    Options are named without their hyphens. An option that stands alone has no
    values.
    """

    positionals: tuple[Word, ...]
    options: Mapping[str, tuple[Word, ...]]

    def has(self, *names: str) -> bool:
        """Whether one of the options is given."""
        return any(name in self.options for name in names)

    def value(self, *names: str) -> Word | None:
        """The last value of the first of the options that has one."""
        for name in names:
            if self.options.get(name):
                return self.options[name][-1]
        return None

    def all(self, *names: str) -> tuple[Word, ...]:
        """All values of the options."""
        return tuple(w for name in names for w in self.options.get(name, ()))


def is_option(word: Word) -> bool:
    """Whether a word is an option: it starts with a hyphen and is not one alone."""
    return head(word).startswith("-") and len(word.shown) > 1


def arguments(
    words: Sequence[Word], valued: str = "", *, many: bool = False
) -> Arguments:
    """Sort words into options and positional arguments.

    ``valued`` names, between blanks, the options that take the next word; with
    ``many`` every option takes all words up to the next option, as in ``aws``.
    ``-n5`` is the option ``n`` with a value if ``n`` is among ``valued``.
    """
    names = valued.split()
    positionals: list[Word] = []
    options: dict[str, list[Word]] = {}
    # Taken from the end, for a list is slow at its start.
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        if word.text == "--":
            positionals += reversed(rest)
            break
        if not is_option(word):
            positionals.append(word)
            continue
        name, value = _option(word, names)
        values = options.setdefault(name, [])
        if value is not None:
            values.append(value)
        elif many:
            while rest and not is_option(rest[-1]):
                values.append(rest.pop())
        elif name in names and rest:
            values.append(rest.pop())
    return Arguments(
        tuple(positionals), {name: tuple(values) for name, values in options.items()}
    )


def skip_options(words: Sequence[Word], valued: str = "") -> int:
    """How many leading words are options and their values."""
    names = valued.split()
    at = 0
    while at < len(words) and is_option(words[at]):
        if words[at].text == "--":
            return at + 1
        name, value = _option(words[at], names)
        at += 2 if value is None and name in names else 1
    return min(at, len(words))


def _option(word: Word, valued: Collection[str]) -> tuple[str, Word | None]:
    """The name of an option, and its value if it is in the same word."""
    start = head(word)
    name, equals, _ = start.partition("=")
    if equals:
        return name.lstrip("-"), cut(word, len(name) + 1)
    short = start[1:2]
    if not start.startswith("--") and short in valued and len(word.shown) > 2:
        return short, cut(word, 2)
    return name.lstrip("-"), None


def unknown_word(name: str, reason: str, like: Word, of: str = "") -> Word:
    """A word whose value is known only at run time, in the place of another.

    ``of`` is what its value comes from, if that is written.
    """
    return Word((Unknown(name, reason, of=of),), like.raw, like.span)
