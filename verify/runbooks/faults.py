"""What may go wrong with a call: each kind of fault, by its name.

A fault is given the words of the call, what carries it out, and the world. It may carry
it out or not, and answers whatever it likes.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, NamedTuple

from verify.calls import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verify.runbooks.programs import Programs

    Act = Callable[[Programs, Sequence[str]], Answer]


class Fault(NamedTuple):
    """A kind of fault, and the first and the last call that it strikes, from 1."""

    kind: str
    first: int
    last: int

    def strikes(self, call: int) -> bool:
        """Whether a call is one of those that fail."""
        return self.first <= call <= self.last


FOR_EVER = 10**9


def _refused(_programs: Programs, words: Sequence[str]) -> Answer:
    return Answer(err=f"{words[0]}: refused\n", status=1)


def _unauthorised(_programs: Programs, _words: Sequence[str]) -> Answer:
    text = "error: You must be logged in to the server (Unauthorized)\n"
    return Answer(err=text, status=1)


def _silent(_programs: Programs, _words: Sequence[str]) -> Answer:
    return Answer(status=1)


def _nothing(_programs: Programs, _words: Sequence[str]) -> Answer:
    return Answer()


def _blank(_programs: Programs, _words: Sequence[str]) -> Answer:
    return Answer("\n \n")


def _missing(_programs: Programs, words: Sequence[str]) -> Answer:
    return Answer(err=f"bash: {words[0]}: command not found\n", status=127)


def _killed(_programs: Programs, _words: Sequence[str]) -> Answer:
    return Answer(err="Killed\n", status=137)


def _hangs(_programs: Programs, _words: Sequence[str]) -> Answer:
    return Answer(hangs=True)


def _error_on_stdout(_programs: Programs, _words: Sequence[str]) -> Answer:
    return Answer("Error from server: etcdserver: request timed out\n")


def _error_on_stderr(_programs: Programs, _words: Sequence[str]) -> Answer:
    return Answer(err="Error: context deadline exceeded\n")


def _login_page(_programs: Programs, _words: Sequence[str]) -> Answer:
    return Answer("<html>, started, <body>, Sign in, to continue, false</html>\n")


def _all_on_stderr(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    return Answer("", done.out + done.err, done.status)


def _twice(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    return done._replace(out=done.out * 2)


def _cut(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    return done._replace(out=done.out[: len(done.out) // 2])


def _cut_and_failed(programs: Programs, words: Sequence[str]) -> Answer:
    return _cut(programs, words)._replace(status=1, err="unexpected EOF\n")


def _first_line(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    return done._replace(out="".join(done.out.splitlines(keepends=True)[:1]))


def _reversed(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    lines = done.out.splitlines(keepends=True)
    return done._replace(out="".join(reversed(lines)))


def _carriage_returns(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    return done._replace(out=done.out.replace("\n", "\r\n"))


def _no_line_end(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    return done._replace(out=done.out.rstrip("\n"))


def _warns_on_stdout(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    return done._replace(out=f"Warning: a new release is out, get it\n{done.out}")


def _warns_on_stderr(programs: Programs, words: Sequence[str]) -> Answer:
    done = programs.call(words)
    return done._replace(err=f"Warning: a new release is out\n{done.err}")


def _done_but_failed(programs: Programs, words: Sequence[str]) -> Answer:
    programs.call(words)
    return Answer(err="Error: read tcp: connection reset by peer\n", status=1)


def _done_but_hangs(programs: Programs, words: Sequence[str]) -> Answer:
    programs.call(words)
    return Answer(hangs=True)


def _done_in_silence(programs: Programs, words: Sequence[str]) -> Answer:
    programs.call(words)
    return Answer()


def _slow(programs: Programs, words: Sequence[str]) -> Answer:
    return programs.call(words)


def _other_cluster(programs: Programs, words: Sequence[str]) -> Answer:
    """A cluster with other names in it answers; nothing is done."""
    if "remove" in words or words[0] != "kubectl":
        return _refused(programs, words)
    done = programs.call(words)
    cluster = programs.world.cluster
    out = done.out.replace(cluster, f"other-{cluster}").replace(", etcd-", ", etcd-o")
    return done._replace(
        out=out.replace(", vol-", ", vol-9").replace(", kops-", ", k-")
    )


def _listed(programs: Programs, words: Sequence[str], change: str) -> Answer:
    """A member list in which one member is another, or one more."""
    if "list" not in words or "member" not in words:
        return programs.call(words)
    world = programs.world
    pod = next(w for w in words if w.startswith("etcd-manager"))
    etcd = pod.removeprefix("etcd-manager-").partition("-")[0]
    saved = world.etcd[etcd]
    world.etcd[etcd] = members = copy.deepcopy(saved)
    last = members[-1]
    if change == "learner":
        last.learner = True
    elif change == "unstarted":
        last.started = False
    elif change == "stranger":
        members.append(last.__class__("1f", "etcd-stranger"))
    elif change == "left out":
        members.pop()
    elif change == "renamed":
        last.name += "x"
    try:
        return programs.call(words)
    finally:
        world.etcd[etcd] = saved


def _learner(programs: Programs, words: Sequence[str]) -> Answer:
    return _listed(programs, words, "learner")


def _unstarted(programs: Programs, words: Sequence[str]) -> Answer:
    return _listed(programs, words, "unstarted")


def _stranger(programs: Programs, words: Sequence[str]) -> Answer:
    return _listed(programs, words, "stranger")


def _left_out(programs: Programs, words: Sequence[str]) -> Answer:
    return _listed(programs, words, "left out")


def _renamed(programs: Programs, words: Sequence[str]) -> Answer:
    return _listed(programs, words, "renamed")


def _unhealthy(programs: Programs, words: Sequence[str]) -> Answer:
    if "health" not in words:
        return programs.call(words)
    done = programs.call(words)
    err = "https://h:4001 is unhealthy: failed to commit proposal\nError: unhealthy\n"
    return Answer(done.out, err, 1)


_DEEDS = ("replace", "update", "rolling-update", "reconcile", "edit", "apply", "init")


def honest(fault: Act) -> Act:
    """The same fault where kops or terraform stores, applies or rolls: it does so.

    A kops that says that it has stored what it has not is nothing that a script finds.
    """

    def act(programs: Programs, words: Sequence[str]) -> Answer:
        deed = words[0] in ("kops", "terraform") and words[1:2] != []
        if deed and words[1] in _DEEDS:
            programs.call(words)
        return fault(programs, words)

    return act


KINDS: dict[str, Act] = {
    "refused": _refused,
    "unauthorised": _unauthorised,
    "fails without a word": _silent,
    "answers nothing": honest(_nothing),
    "answers blanks": honest(_blank),
    "not installed": _missing,
    "killed": _killed,
    "hangs": _hangs,
    "error on stdout, status 0": honest(_error_on_stdout),
    "error on stderr, status 0": honest(_error_on_stderr),
    "login page": honest(_login_page),
    "answers on stderr": _all_on_stderr,
    "answers twice": _twice,
    "cut": _cut,
    "cut, and failed": _cut_and_failed,
    "first line alone": _first_line,
    "reversed": _reversed,
    "carriage returns": _carriage_returns,
    "no line end": _no_line_end,
    "warns on stdout": _warns_on_stdout,
    "warns on stderr": _warns_on_stderr,
    "done, but failed": _done_but_failed,
    "done, but hangs": _done_but_hangs,
    "done, but answers nothing": _done_in_silence,
    "slow": _slow,
    "another cluster": _other_cluster,
    "a learner": _learner,
    "an unstarted member": _unstarted,
    "a stranger": _stranger,
    "a member left out": _left_out,
    "a member renamed": _renamed,
    "unhealthy": _unhealthy,
    "script killed": _hangs,
    "script killed, call done": _done_but_hangs,
    "interrupted": _hangs,
}
"""Every kind of fault. What happens to the script itself is done by its runner."""

ENDS_SCRIPT = {
    "script killed": "KILL",
    "script killed, call done": "KILL",
    "interrupted": "INT",
}
"""The signal that ends the script, by the kind of fault that sends it."""
