"""The configuration that a run has: where it is found, read and checked.

A file counts for everything below its folder, up to the root of the repository.
"""

from __future__ import annotations

import os
import re
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from kopslint.config.patterns import EVERY_CLUSTER, Layout, Patterns
from kopslint.errors import InputError
from kopslint.findings import Severity
from kopslint.inputs.boundary import boundary_here
from kopslint.inputs.decode import MAX_BYTES, decode, shown
from kopslint.records import Record
from kopslint.syntax.yaml import YamlMapping, find, read_yaml, span_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pydantic_core import ErrorDetails

    from kopslint.config.schema import ConfigModel, OverrideModel, TemplateModel
    from kopslint.discovery.calls import Given
    from kopslint.inputs.git import Snapshot
    from kopslint.text import Source, Span


NAME = ".kopslint.yaml"
_FILES = (NAME, "pyproject.toml")

# What pydantic calls its complaints, as sentences about a setting.
_SENTENCES = {
    "string_type": "{field} must be text: put it in quotes",
    "string_too_short": "{field} is empty",
    "list_type": "{field} must be a list",
    "too_short": "{field} is empty",
    "dict_type": "{field} must be a mapping",
    "model_type": "{field} must be a mapping",
    "literal_error": "{field} must be one of {expected}",
    "missing": "{field} is missing",
    "string_pattern_mismatch": "{field} must be a version such as '1.31'",
}


class Named(Record):
    """A selector of rules as somebody wrote it.

    ``span`` is where, if it was in a file; ``origin`` is what else it came from.
    """

    text: str
    span: Span | None = None
    severity: Severity | None = None
    origin: str = ""


class FileOverride(Record):
    """An override as it is written: its rules are still only named."""

    files: Patterns
    ignore: tuple[Named, ...] = ()
    severity: tuple[Named, ...] = ()


class Configuration(Record):
    """What a configuration file says; ``path`` is None if there is none.

    ``layout.folder`` is absolute, and what its patterns and ``rule_paths`` are
    relative to.
    """

    layout: Layout
    path: str | None = None
    select: tuple[Named, ...] | None = None
    ignore: tuple[Named, ...] = ()
    severity: tuple[Named, ...] = ()
    overrides: tuple[FileOverride, ...] = ()
    fail_on: str | None = None
    kops_version: str | None = None
    rule_paths: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    documentation: str | None = None


def find_configuration(start: Path) -> Configuration:
    """The configuration for ``start``, a file or a folder that need not exist.

    It is the nearest ``.kopslint.yaml``, or ``pyproject.toml`` with a table
    ``tool.kopslint``, in its folder or above it in the same repository. Outside a
    repository only the folder itself counts: what lies above may be anybody's.

    Raises InputError as ``read_configuration`` does.
    """
    # The methods of Path raise where one may not look; what lies there, if anything,
    # is refused by whoever reads the inputs.
    place = Path(os.path.abspath(start))  # noqa: PTH100 - Keeps symbolic links.
    folder = next(p for p in (place, *place.parents) if os.path.isdir(p))  # noqa: PTH112
    folders = [folder, *folder.parents]
    roots = [
        n
        for n, each in enumerate(folders, 1)
        if os.path.exists(each / ".git")  # noqa: PTH110
    ]
    for each in folders[: roots[0] if roots else 1]:
        for name in _FILES:
            if os.path.isfile(each / name):  # noqa: PTH113
                found = _read(each / name, each)
                if found is not None:
                    return found
    return Configuration(Layout(str(folders[roots[0] - 1] if roots else folder)))


def read_configuration(path: Path) -> Configuration:
    """The configuration in a file that was named.

    Its patterns are relative to the current folder, because the file may lie
    anywhere. Raises InputError, with the place, for what cannot be read or is not
    as it must be.
    """
    found = _read(path, Path.cwd())
    if found is None:
        raise InputError(
            f"{shown(path)} has no table tool.kopslint", hint="name another file"
        )
    return found


def configuration_in(state: Snapshot, start: Path) -> Configuration:
    """The configuration for ``start`` as ``find_configuration``, in a state of git.

    Raises InputError as that does.
    """
    inner = inner_path(state.root, start)
    folders = [inner, *inner.parents] if inner is not None else []
    for folder in folders:
        for name in _FILES:
            found = read_in(state, folder / name)
            if found is not None:
                return found
    return Configuration(Layout(str(state.root)))


def read_in(
    state: Snapshot, path: PurePosixPath, folder: Path | None = None
) -> Configuration | None:
    """The configuration in a file of a state of git; None if there is none.

    ``folder`` is what its patterns are relative to, by default its own. Raises
    InputError as ``read_configuration``.
    """
    inner = state.followed(str(path))
    if inner is None:
        raise InputError(
            f"{state.called(str(path))} of {state.title} is a link that leads out of"
            " the repository",
            hint="put the file there, not a link",
        )
    source = state.read([inner], lambda _: True).get(inner)
    if source is None:
        return None
    folder = state.root / path.parent if folder is None else folder

    def has_folder(name: str) -> bool:
        place = Path(os.path.abspath(folder / name))  # noqa: PTH100 - Keeps links.
        inside = inner_path(state.root, place)
        if inside is None:
            return place.is_dir()
        below = f"{state.followed(str(inside))}/"
        return any(file.startswith(below) for file in state.files)

    return _understood(source, folder, has_folder)


def inner_path(root: Path, path: Path) -> PurePosixPath | None:
    """A path from the top folder of a repository; None if it is not in there.

    Links below that folder are kept: a change can make one of anything.
    """
    place = os.path.abspath(path)  # noqa: PTH100 - Keeps symbolic links.
    if not Path(place).is_relative_to(root):
        place = os.path.realpath(path)
    if not Path(place).is_relative_to(root):
        return None
    return PurePosixPath(Path(place).relative_to(root).as_posix())


def _read(path: Path, folder: Path) -> Configuration | None:
    boundary_here().refuse_what_leads_out(path)
    try:
        with path.open("rb") as file:
            source = decode(_called(path), file.read(MAX_BYTES + 1))
    except OSError as error:
        raise InputError(
            f"the configuration {shown(path)} cannot be read: {error.strerror}",
            hint="name another one with --config, or use --no-config",
        ) from None
    return _understood(source, folder, lambda name: (folder / name).is_dir())


def _understood(
    source: Source, folder: Path, has_folder: Callable[[str], bool]
) -> Configuration | None:
    # Most runs have no configuration, and need neither a reader nor a model of it.
    if source.path.endswith(".toml") and "kopslint" not in source.text:
        return None

    written = read_written(source)
    if written is None:
        return None
    from pydantic import ValidationError

    from kopslint.config.schema import ConfigModel

    try:
        model = ConfigModel.model_validate(written.values)
    except ValidationError as error:
        raise _complaint(written, error.errors()[0]) from None
    return _configuration(source.path, folder, written, model, has_folder)


def _called(path: Path) -> str:
    """The path from the current folder, or in full where that is clearer."""
    relative = os.path.relpath(path)
    return shown(path if relative.startswith("..") else Path(relative))


def _configuration(
    path: str,
    folder: Path,
    written: Written,
    model: ConfigModel,
    has_folder: Callable[[str], bool],
) -> Configuration:
    specs = _patterns(written, model.specs, ("specs",)) if model.specs else None
    commands = tuple(
        (
            None if cluster == EVERY_CLUSTER else cluster,
            _patterns(written, texts, ("commands", cluster)),
        )
        for cluster, texts in model.commands.items()
    )
    for n, name in enumerate(model.rule_paths):
        if not has_folder(name):
            raise InputError(
                f"there is no rules folder {name}",
                span=written.at(("rule-paths", n)),
                hint=f"kopslint looks for it in {shown(folder)}",
            )
    return Configuration(
        layout=Layout(
            str(folder),
            specs,
            commands,
            tuple(
                _template(written, each, folder, n)
                for n, each in enumerate(model.templates)
            ),
        ),
        path=path,
        select=None
        if model.select is None
        else _named(written, model.select, ("select",)),
        ignore=_named(written, model.ignore, ("ignore",)),
        severity=_severities(written, model.severity, ("severity",)),
        overrides=tuple(
            _override(written, each, ("overrides", n))
            for n, each in enumerate(model.overrides)
        ),
        fail_on=model.fail_on,
        kops_version=model.kops_version,
        rule_paths=tuple(model.rule_paths),
        retired=tuple(model.retired),
        documentation=model.documentation,
    )


def _template(
    written: Written, model: TemplateModel, folder: Path, number: int
) -> Given:
    from kopslint.discovery.calls import Given

    return Given(
        folder=str(folder),
        templates=tuple(model.template),
        values=tuple(model.values),
        snippets=tuple(model.snippets),
        sets=tuple(model.set),
        name=model.name,
        span=written.at(("templates", number)),
    )


def _override(written: Written, model: OverrideModel, place: Place) -> FileOverride:
    return FileOverride(
        files=_patterns(written, model.files, (*place, "files")),
        ignore=_named(written, model.ignore, (*place, "ignore")),
        severity=_severities(written, model.severity, (*place, "severity")),
    )


def _patterns(written: Written, texts: list[str], place: Place) -> Patterns:
    for n, text in enumerate(texts):
        try:
            Patterns([text])
        except ValueError as error:
            span = written.at(_existing(written.values, (*place, n)))
            raise InputError(str(error), span=span, hint="correct it") from None
    return Patterns(texts)


def _named(written: Written, texts: Iterable[str], place: Place) -> tuple[Named, ...]:
    return tuple(Named(t, written.at((*place, n))) for n, t in enumerate(texts))


def _severities(
    written: Written, by_rule: Mapping[str, str], place: Place
) -> tuple[Named, ...]:
    return tuple(
        Named(text, written.key_at((*place, text)), Severity(severity))
        for text, severity in by_rule.items()
    )


def _existing(values: object, place: Place) -> Place:
    """The steps of a place that lead somewhere in what was really written."""
    found: list[str | int] = []
    for step in place:
        if isinstance(values, dict) and step in values:
            values = values[step]
        elif isinstance(values, list) and isinstance(step, int):
            values = values[step] if step < len(values) else None
        else:
            continue
        found.append(step)
    return tuple(found)


def _complaint(written: Written, error: ErrorDetails) -> InputError:
    """What is wrong with the first setting that is, as a sentence with its place."""
    from kopslint.config.schema import ConfigModel, OverrideModel, TemplateModel

    place = _existing(written.values, error["loc"])
    name = str(error["loc"][-1])
    span = written.at(place)
    if error["type"] == "extra_forbidden":
        span = written.key_at(place)
        from difflib import get_close_matches

        fields = ConfigModel.model_fields
        if "overrides" in error["loc"]:
            fields = OverrideModel.model_fields
        elif "templates" in error["loc"]:
            fields = TemplateModel.model_fields
        known = [each.alias or key for key, each in fields.items()]
        near = get_close_matches(name.replace("_", "-"), known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(known)}"
        return InputError(f"unknown setting {name}", span=span, hint=hint)
    words = [str(step) for step in place if isinstance(step, str)] or [name]
    if error["type"] == "missing":
        words.append(name)
    sentence = _SENTENCES.get(error["type"], "{field}: " + error["msg"])
    expected = error.get("ctx", {}).get("expected", "")
    message = sentence.format(field=".".join(words), expected=expected)
    return InputError(message, span=span, hint="see 'kopslint schema config'")


# ------------------------------------------------------------------------------------
# A configuration file as plain values, each with the place where it is written
#
# YAML has exact places; of TOML the line is looked for.

Place = tuple[str | int, ...]

_TOML_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Written(Record):
    """The values of a file, and where they are.

    ``at`` is the span of the value at a place, or of its key if the value is no
    scalar; ``key_at`` is always the key's.
    """

    values: dict[str, object]
    at: Callable[[Place], Span]
    key_at: Callable[[Place], Span]


def read_written(source: Source) -> Written | None:
    """The configuration in a YAML file, or in ``tool.kopslint`` of a TOML file.

    None if a TOML file has no such table. Raises InputError for what is neither.
    """
    if source.path.endswith(".toml"):
        return _toml(source)
    documents = read_yaml(source)
    if len(documents) > 1:
        raise InputError(
            "a configuration has only one document",
            span=documents[1].span,
            hint="remove everything after ---",
        )
    root = documents[0].root if documents else None
    if root is None or not root.plain:
        return Written({}, lambda _: source.whole(), lambda _: source.whole())
    if not isinstance(root, YamlMapping):
        raise InputError(
            "a configuration is a mapping of settings",
            span=root.span,
            hint="write it as 'setting: value'",
        )
    for again, _ in root.duplicates:
        raise InputError(
            f"{again.key.text} is set twice", span=again.key.span, hint="remove one"
        )
    values: dict[str, object] = {
        entry.key.text: entry.value.plain for entry in root.entries
    }
    return Written(
        values, lambda place: span_of(root, *place), partial(_key_span, root)
    )


def _key_span(root: YamlMapping, place: Place) -> Span:
    """The key at a place, or what is there if that has none."""
    holder = find(root, *place[:-1])
    if isinstance(holder, YamlMapping) and isinstance(place[-1], str):
        entry = holder.entry(place[-1])
        if entry is not None:
            return entry.key.span
    return span_of(root, *place)


def _toml(source: Source) -> Written | None:
    import tomllib

    try:
        tool = tomllib.loads(source.text).get("tool")
    except tomllib.TOMLDecodeError as error:
        found = _TOML_PLACE.search(str(error))
        line, column = map(int, (found and found[1] and found.groups()) or (1, 1))
        raise InputError(
            f"not valid TOML: {_TOML_PLACE.sub('', str(error))}",
            span=source.span(line, column, line, column + 1),
            hint="correct it",
        ) from None
    except (RecursionError, ValueError):
        # Nested too deep, or a number of more digits than Python reads.
        raise InputError(
            "this TOML cannot be read", span=source.whole(), hint="make it simpler"
        ) from None
    table = tool.get("kopslint") if isinstance(tool, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise InputError(
            "tool.kopslint is not a table",
            span=source.whole(),
            hint="write [tool.kopslint]",
        )
    find_line = partial(_toml_span, source)
    return Written(table, find_line, find_line)


def _toml_span(source: Source, place: Place) -> Span:
    """The line of the last key of a place that can be found below the table's head.

    A table may be written in several ways, so that this is no proof; it is where a
    person would look.
    """
    line = next(
        (n for n, text in enumerate(source.lines, 1) if "tool.kopslint" in text), 1
    )
    span = _words(source, line, "tool.kopslint")
    for key in place:
        pattern = re.compile(
            rf"""(?:^|[\[{{,.\s"'])({re.escape(str(key))})["']?\s*(?:=|\]|\.)"""
        )
        for number in range(line, len(source.lines) + 1):
            found = pattern.search(source.line(number))
            if isinstance(key, str) and found:
                line = number
                start, end = found.start(1) + 1, found.end(1) + 1
                span = source.span(line, start, line, end)
                break
    return span


def _words(source: Source, line: int, words: str) -> Span:
    column = source.line(line).find(words) + 1
    return source.span(line, max(column, 1), line, max(column, 1) + len(words))
