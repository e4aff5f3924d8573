"""What a file is, by what it holds: a spec, a template of one, or neither.

Names say little: specs are kept as ``cluster.yaml.template`` and Markdown holds
examples of specs. Only marks are looked at, so that a file of somebody else's costs
next to nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from kopslint.errors import InputError
from kopslint.syntax.yaml import read_yaml

if TYPE_CHECKING:
    from kopslint.text import Source

Kind = Literal["go", "jinja", "terraform"]

# What talks about specs or makes them, and is none.
_OTHERS = (
    *(".md", ".markdown", ".mdx", ".rst", ".adoc", ".html", ".txt", ".log", ".diff"),
    *(".sh", ".bash", ".zsh", ".mk", ".tf", ".hcl", ".go", ".py", ".rb", ".js", ".ts"),
    *(".java", ".groovy", ".rs", ".php", ".pl", ".c", ".h", ".lock", ".sum", ".patch"),
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".zip", ".gz", ".tgz", ".ipynb"),
    # What somebody has put aside is no spec any more.
    *(".off", ".bak", ".old", ".orig", ".disabled", ".save", ".swp", ".tmp", "~"),
    *(".jsonnet", ".libsonnet", ".cue", ".csv", ".erb.md", ".toml", ".ini", ".css"),
)
# Of programs, and of forges: what lies there configures them.
_NOT_OURS = frozenset(
    {
        *(".git", ".github", ".gitlab", ".circleci", ".terraform", ".venv", ".tox"),
        *("node_modules", "testdata"),
    }
)
_NO_SPEC = re.compile(r"(?i)(?:^|/)(?:gnu)?(?:makefile|jenkinsfile|dockerfile)[^/]*$")
_NOT_READ = (
    *(".png", ".jpg", ".jpeg", ".gif", ".svg", ".pdf", ".zip", ".gz", ".tgz", ".ico"),
    *(".go", ".sum", ".mod", ".lock", ".css", ".html", ".java", ".rs", ".tf", ".ts"),
    *(".c", ".h", ".js", ".woff", ".woff2", ".ttf", ".jar", ".so"),
)
PLAIN = (".yaml", ".yml", ".json")
# An object's own line, and not a word about one.
_OBJECT = re.compile(
    rb"(?m)^[\s\-{,\"']*apiVersion[\"']?[ \t]*:[ \t]*[\"']?"
    rb"kops(?:\.k8s\.io)?/v1alpha\d"
)


_MARKS = (b"kops.k8s.io/", b"kops/v1alpha")
# What YAML and JSON may write instead of a character, and a line that goes on.
_ESCAPED = re.compile(
    rb"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})"
    rb"|([/\"\\])|\r?\n[ \t]*)"
)
# Ways to write the tag of a value in Base64, in which no mark can be seen.
_IN_BASE64 = re.compile(rb"!!binary|!!\S*%|!<|(?m:^%TAG)")
_UTF16 = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def looks_like_kops(data: bytes) -> bool:
    """Whether a file may hold kops objects, however their names are written.

    That is so for every file in which a reader of YAML or JSON finds one. A file in
    UTF-16 is one, too: kops reads it, and whoever reads it here says that it must not
    be.
    """
    return (
        any(mark in unescaped(data) for mark in _MARKS)
        or _IN_BASE64.search(data) is not None
    )


def is_kops_text(data: bytes) -> bool:
    """As ``looks_like_kops``, of what is a text at all."""
    return b"\0" not in data and looks_like_kops(data)


def unescaped(data: bytes) -> bytes:
    """The bytes with everything that is escaped in them written out.

    Outside of quotes a backslash means nothing: what is written out then is in no file
    in that way, which makes a file be read that need not be.
    """
    encoding = _UTF16.get(data[:2])
    if encoding is None and b"\0" in data[:2]:
        encoding = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
    if encoding is not None:
        data = data.decode(encoding, "replace").encode(errors="replace")
    return _ESCAPED.sub(_written_out, data) if b"\\" in data else data


def _written_out(escape: re.Match[bytes]) -> bytes:
    digits = escape[1] or escape[2] or escape[3]
    if digits is None:
        return escape[4] or b""
    number = int(digits, 16)
    is_character = number < 0xD800 or 0xDFFF < number <= 0x10FFFF
    return chr(number).encode() if is_character else escape[0]


def may_be_spec(path: str) -> bool:
    """Whether a file of this name, hidden ones left out, may be a spec."""
    name = path.lower()
    *folders, last = path.split("/")
    hidden = last.startswith(".") or not _NOT_OURS.isdisjoint(folders)
    return not (hidden or name.endswith(_OTHERS) or _NO_SPEC.search(name))


def holds_spec(path: str, data: bytes) -> bool:
    """Whether a file that is called otherwise than YAML holds an object of kops."""
    return path.lower().endswith(PLAIN) or _OBJECT.search(data) is not None


def is_plain_spec(path: str, source: Source) -> bool:
    """Whether a file that has the marks of kops is a spec as it is, and no template."""
    return (
        holds_spec(path, source.text.encode()) and template_kind(source) is None
    ) or source.is_rendered


def may_give_values(path: str) -> bool:
    """Whether a file of this name may be a template, or values, or a call of one."""
    return not path.lower().endswith(_NOT_READ)


# A line that is one variable, for lines that nobody knows.
_ALONE = re.compile(r"(?m)^[ \t]*(?:\$(?:\{[^{}\n]*\}|[A-Za-z_]\w*)[ \t]*)+$")


def template_kind(source: Source) -> Kind | None:
    """The language of a text that is a template; None for a text that is YAML as it is.

    Marks in quotes leave a text the YAML that it is: what stands there is filled in.
    """
    text = source.text
    alone = _ALONE.search(text) is not None
    if not alone and "{{" not in text and "%{" not in text and "{%" not in text:
        return None
    try:
        read_yaml(source)
    except InputError:
        pass
    else:
        # A line of an action alone would have been refused, and the rest are values.
        if not re.search(r"(?m)^\s*\{\{", text):
            return None
    if "{%" in text and not re.search(r"%\{\s*~?\s*(?:if|for|else|end)", text):
        return "jinja"
    # What stands between braces may be a format for docker, in a script of the spec.
    is_go = text.count("{{") >= text.count("${")
    return "go" if "{{" in text and is_go else "terraform"
