"""Lines that call a program of a cluster, found in text of which nothing else is known.

A key of YAML that no pipeline is known to have, a paragraph, a fence in some other
language: what stands there is a command if it calls one of the programs that are
asked for here, with one of their verbs, and does not go on like a sentence.
"""

from __future__ import annotations

import re

from kopslint.records import Record

_VERBS = {
    "kops": "create|delete|describe|distrust|edit|export|get|import|promote|reconcile"
    "|replace|rolling-?update|set|toolbox|trust|unset|update|upgrade|validate",
    "etcdctl": "alarm|auth|compaction|defrag|del|endpoint|get|member|move-leader|put"
    "|snapshot|user|role",
    "etcdutl": "snapshot|defrag",
    "etcd-manager-ctl": "restore-backup|list-backups|list-commands|delete-command",
    "kubectl": "apply|cordon|debug|delete|drain|exec|uncordon",
    "(?:terraform|tofu|terragrunt)": "apply|destroy|plan",
    "aws": "autoscaling|ec2|s3|s3api|ssm",
    "gcloud": "compute|storage",
    "az": "vm|vmss|storage",
    "openstack": "server|volume",
}
_OPTION = r"(?:--?[\w-]+(?:=\S+|[ \t]+[^-\s]\S*)?[ \t]+)"
_CALL = "|".join(
    rf"{program}(?:-v?\d[\w.]*)?[ \t]+{_OPTION}{{0,6}}?(?:{verbs})"
    for program, verbs in _VERBS.items()
)
_BEFORE = (
    r"(?:[A-Za-z_]\w*=(?:\"[^\"]*\"|'[^']*'|\S*)[ \t]+"
    r"|(?:sudo|env|time|nohup|exec|command)[ \t]+(?:-\w+[ \t]+)*)"
)
CALL = rf"{_BEFORE}{{0,8}}(?:[\w.$~{{}}-]*/)*(?:{_CALL})(?![\w-])"
# Patterns are texts here: most lists never need them, and these take long to compile.
_NAMED = rf"(?<![\w./@-])(?:{_CALL})(?![\w-])"
# The program and its arguments apart: exec("kops", ["delete", ...]), [kops, delete].
_APART = "|".join(
    rf"""(?:\[\s*["']?|["']){program}["']?\s*,\s*\[?\s*["']?(?:{verbs})\b"""
    for program, verbs in _VERBS.items()
    if program in ("kops", "etcdctl")
)
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?<=\s)#.*"
# What a sentence has and a command has not: "kops delete ig is never run here".
_SENTENCE = (
    r"(?i)(?<![\w-])(?:is|are|was|were|will|would|does|did|not|never|the|an|then|than|that"
    r"|which|when|before|because|should|must|may|might|of|with|this|these|you|we"
    r"|your|our)(?=[\s,;:!?]|$)|[.,:!?]$"
)
# A program and its arguments as a list of strings: of JSON, Python and many others.
_LIST = (
    r"""(["'])(?:[\w./-]*/)?(?:kops|etcdctl)\1(?:\s*,\s*\[?\s*(?:"[^"\n]*"|'[^'\n]*'"""
    r"""|[A-Za-z_]\w*(?:[.\[][\w.\]]+)?(?=\s*[,\])])))+\s*,?\s*\]?"""
)
_ITEM = r""""([^"\n]*)"|'([^'\n]*)'|([A-Za-z_]\w*(?:[.\[][\w.\]]+)?)"""
_STRING = re.compile(
    r""""((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\\n]|\\.)*)`"""
)
# In a notebook: what runs a line in a shell.
_RUNS = re.compile(r"[!%@$](?:sh |bash )?[ \t]*")
LONGEST = 2000
# What libraries of clouds and of etcd call what takes machines, disks, members away.
TAKES_AWAY = re.compile(
    r"(?i)(?:terminate|stop|reboot|delete|detach|deallocate)_?(?:instances?|volumes?"
    r"|servers?|droplets?|auto_?scaling_?group|objects?|bucket|stack|nodes?)(?:Command)?\s*\("
    r"|\bmember_?remove\b|\.objects\.(?:all\(\)|filter\(.*\))\.delete\b"
)


class Found(Record):
    """A stretch of a line that is a command, or words that make one."""

    start: int
    end: int
    words: tuple[tuple[int, int], ...] = ()


def is_call(line: str) -> bool:
    """Whether a whole line is a call, and no sentence that starts with its name."""
    line = line.strip()
    if len(line) > LONGEST or re.match(CALL, line) is None:
        return False
    plain = re.sub(_QUOTED, "", line).rstrip()
    return re.search(_SENTENCE, plain.rstrip("\\").rstrip()) is None


def names_a_call(text: str) -> bool:
    """Whether a text names one of the programs with one of its verbs, anywhere."""
    return re.search(_NAMED, text) is not None or re.search(_APART, text) is not None


def holds_a_call(text: str) -> bool:
    """Whether a line of a text is a call."""
    return any(is_call(line) for line in text.split("\n"))


def calls_in(line: str) -> list[Found]:
    """The calls in a line of another language: in its strings, or as lists of them."""
    if len(line) > LONGEST:
        return []
    found: list[Found] = []
    for match in re.finditer(_LIST, line):
        words = tuple(
            word.span(word.lastindex or 0)
            for word in re.compile(_ITEM).finditer(line, *match.span())
        )
        found.append(Found(*match.span(), words))
    done = found[-1].end if found else 0
    for match in _STRING.finditer(line, done):
        start, end = match.span(match.lastindex or 0)
        runs = _RUNS.match(line, start)
        start = runs.end() if runs is not None else start
        while line.endswith("\\n", start, end):
            end -= 2
        if is_call(line[start:end]):
            found.append(Found(start, end))
    return found
