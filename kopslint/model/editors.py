"""Editors that are programs: what ``EDITOR="sed -i ..." kops edit`` stores.

kops writes the object to a file, runs the editor with it, and stores what is in the
file then. A person types what the change under review is for; a program does what it
is told, which is worked out for plain substitutions and assignments.

Sources: k8s.io/kubectl pkg/cmd/util/editor/editor.go, kops cmd/kops/edit_cluster.go.
"""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING, Literal

from kopslint.errors import InputError
from kopslint.kops.decode import read_fleet
from kopslint.kops.spec import Cluster, InstanceGroup
from kopslint.model.written_files import read_sed, yq_assigned
from kopslint.shell.ast import Word
from kopslint.syntax.yaml import Scalar, YamlMapping, YamlSequence
from kopslint.text import Source

if TYPE_CHECKING:
    from kopslint.syntax.yaml import Node
    from kopslint.text import Span

_OF_PEOPLE = frozenset(
    {
        "vi",
        "vim",
        "nvim",
        "view",
        "nano",
        "pico",
        "emacs",
        "emacsclient",
        "code",
        "subl",
    }
    | {"micro", "joe", "mcedit", "gedit", "kate", "atom", "helix", "hx", "ne", "mate"}
    | {"codium", "idea", "notepad", "editor", "sensible-editor", "zed", "gvim", "mvim"}
)
_OF_NOBODY = frozenset({"true", "cat", ":", "echo", "less", "more", "ls"})


def who_edits(editor: Word | None) -> Literal["person", "nobody", "program"]:
    """Who changes the object: a person, nobody, or a program by itself.

    An editor that the environment does not name, or only at run time, is a person's.
    """
    words = _words(editor)
    if not words:
        return "person" if editor is None or editor.text is None else "program"
    name = posixpath.basename(words[0])
    if name in _OF_PEOPLE:
        # Scripted: `vim -c ":%s/1/0/" -c wq`, `emacs --batch`.
        scripted = {"-c", "-s", "-S", "-es", "-Es", "--batch", "--cmd", "--eval"}
        return "program" if scripted & set(words[1:]) else "person"
    return "nobody" if name in _OF_NOBODY else "program"


def edited_by(
    editor: Word, old: Cluster | InstanceGroup, span: Span
) -> Cluster | InstanceGroup | None:
    """What a program makes of an object; None if that is not worked out.

    What it changes stands at ``span``.
    """
    words = _words(editor)
    text = _printed(old)
    if not words:
        return None
    source = Source(span.source.path, text)
    if words[0] == "sed":
        made = tuple(Word((w,), w, editor.span) for w in words[1:])
        sed = read_sed(made)
        if sed is None or not sed.in_place or sed.files:
            return None
        source = Source(span.source.path, sed.edit(text))
    elif words[0] == "yq":
        options = [w for w in words[1:] if w not in ("-i", "--inplace", "e", "eval")]
        changed = yq_assigned(source, options[0]) if len(options) == 1 else None
        if changed is None or not {"-i", "--inplace"} & set(words):
            return None
        source = changed
    else:
        return None
    return _read(source, old, span)


def _words(editor: Word | None) -> list[str]:
    """The words of an editor, as kubectl's code cuts them; none if a shell decides."""
    text = editor.text if editor is not None else None
    if text is None:
        return []
    if not any(quote in text for quote in "\"'\\"):
        return text.split(" ")
    try:
        lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        return []
    shell = any(set(word) <= set("();<>|&") for word in words if word)
    return [] if shell or "$" in text or "`" in text else words


def _printed(old: Cluster | InstanceGroup) -> str:
    """The object about as kops prints it: keys in order, two spaces."""
    import yaml

    return yaml.safe_dump(old.node.plain, sort_keys=True, default_flow_style=False)


def _read(
    source: Source, old: Cluster | InstanceGroup, span: Span
) -> Cluster | InstanceGroup | None:
    try:
        fleet = read_fleet([source])
    except InputError:
        return None
    manifest = next(iter(fleet.manifests.values()), None)
    if manifest is None or fleet.flaws or manifest.flaws:
        return None
    from kopslint.kops.decode import make_cluster, make_group

    if isinstance(old, Cluster):
        new = manifest.cluster
        if new is None:
            return None
        node = _placed(old.node, new.node, span)
        return make_cluster(node, old.version)[0]
    group = manifest.groups.get(old.name)
    if group is None:
        return None
    made = make_group(_placed(old.node, group.node, span), old.version)[0]
    return made._replace(cluster=old.cluster) if made is not None else None


def _placed(old: YamlMapping, new: YamlMapping, span: Span) -> YamlMapping:
    """``new`` with what is as it was in its old place, and the rest at ``span``."""
    placed = _at(old, new, span)
    assert isinstance(placed, YamlMapping)  # noqa: S101 (a mapping stays one)
    return placed


def _at(old: Node | None, new: Node, span: Span) -> Node:
    if old is not None and old.plain == new.plain:
        return old
    if isinstance(new, YamlMapping):
        was = old if isinstance(old, YamlMapping) else None
        entries = []
        for entry in new.entries:
            before = was.entry(entry.key.text) if was is not None else None
            key = before.key if before is not None else entry.key._replace(span=span)
            inner = before.value if before is not None else None
            entries.append(entry._replace(key=key, value=_at(inner, entry.value, span)))
        where = was.span if was is not None else span
        return YamlMapping(tuple(entries), where)
    if isinstance(new, YamlSequence):
        items = old.items if isinstance(old, YamlSequence) else ()
        at_same = len(items) == len(new.items)
        made = tuple(
            _at(items[i] if at_same else None, item, span)
            for i, item in enumerate(new.items)
        )
        return YamlSequence(made, old.span if at_same and old is not None else span)
    assert isinstance(new, Scalar)  # noqa: S101 (there is nothing else)
    return new._replace(span=span)
