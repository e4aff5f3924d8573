"""The specs of a folder or a repository, found by what its files hold."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from kopslint.discovery.content import (
    PLAIN,
    holds_spec,
    is_plain_spec,
    looks_like_kops,
    may_be_spec,
    template_kind,
)
from kopslint.discovery.renderings import Renderings
from kopslint.errors import InputError
from kopslint.inputs.boundary import boundary_here
from kopslint.inputs.decode import MAX_BYTES, decode, shown
from kopslint.records import Record
from kopslint.text import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from kopslint.discovery.calls import Given
    from kopslint.discovery.renderings import Files, Rendering

MOST_FILES = 100_000


class Folder:
    """The files below a folder that is in no repository."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def files(self) -> Mapping[str, str | None]:
        """The regular files, hidden ones left out, by their paths from the folder."""
        found: dict[str, str | None] = {}
        for here, folders, names in os.walk(self.root):
            folders[:] = sorted(f for f in folders if not f.startswith("."))
            for name in sorted(names):
                path = Path(here, name)
                if not name.startswith(".") and path.is_file():
                    found[path.relative_to(self.root).as_posix()] = None
            if len(found) > MOST_FILES:
                break
        return found

    def called(self, path: str) -> str:
        """The path as people name it from the current folder."""
        return shown(Path(os.path.relpath(self.root / path)))

    def read(
        self, paths: Iterable[str], wanted: Callable[[bytes], bool]
    ) -> dict[str, Source]:
        """The files among ``paths`` whose bytes are wanted, by path."""
        found = {}
        boundary = boundary_here()
        for path in paths:
            place = self.root / path
            try:
                boundary.refuse_what_leads_out(place)
                with place.open("rb") as file:
                    data = file.read(MAX_BYTES + 1)
            except OSError:
                continue
            if wanted(data):
                found[path] = decode(self.called(path), data)
        return found


class Found(Record):
    """What was found: specs as they are, and those that came out of templates."""

    plain: tuple[Source, ...]
    rendered: tuple[Rendering, ...]

    def without(self, others: set[Source]) -> tuple[Source, ...]:
        """All specs but some."""
        return tuple(source for source in self.specs if source not in others)

    @property
    def otherwise(self) -> Found | None:
        """The same where conditions on unknown values do not hold; None without any."""
        if all(each.other is None for each in self.rendered):
            return None
        rendered = (
            each._replace(source=each.other or each.source) for each in self.rendered
        )
        return self._replace(rendered=tuple(rendered))

    @property
    def specs(self) -> tuple[Source, ...]:
        """All of them, what cannot be read among them."""
        made = (each.spec for each in self.rendered)
        return (*self.plain, *(source for source in made if source is not None))


def state_here() -> Files:
    """The files of the repository of the current folder, or else of the folder."""
    from kopslint.inputs.git import Git, WorkTree

    try:
        return WorkTree(Git())
    except InputError:
        return Folder(Path.cwd())


def found_in(
    state: Files,
    below: str = "",
    only: Iterable[str] | None = None,
    given: Iterable[Given] = (),
) -> Found:
    """The specs of a state below a folder of it, or among some of its files.

    A file that has the marks of kops and is no text, as of an encrypted repository, is
    left out: its bytes have no marks.
    """
    prefix = f"{below}/" if below not in ("", ".") else ""
    paths = state.files if only is None else only
    perhaps = [p for p in paths if p.startswith(prefix) and may_be_spec(p)]
    texts: dict[str, Source] = {}
    unread: list[Source] = []

    def wanted(data: bytes) -> bool:
        return looks_like_kops(data)

    try:
        texts.update(state.read(perhaps, wanted))
    except InputError:
        for path in perhaps:
            try:
                texts.update(state.read([path], wanted))
            except InputError as error:
                # An archive may hold any bytes, and is no spec for that.
                if path.lower().endswith(PLAIN):
                    unread.append(unread_source(path, error))
    plain, templates = [], []
    for path, source in texts.items():
        if is_plain_spec(path, source):
            plain.append(source)
        elif holds_spec(path, source.text.encode()):
            templates.append(path)
    # What is rendered without any mark of kops in its own text: snippets hold them.
    rendered: list[Rendering] = []
    with suppress(InputError):
        renderings = Renderings(state, given)
        rendered = renderings.touching(templates) if templates else []
        known = {each.key for each in rendered}
        if only is None:
            rendered += [e for e in renderings.named(prefix) if e.key not in known]
    kept = tuple(e for e in rendered if e.spec is not None and _is_spec(e.spec))
    return Found((*plain, *unread), kept)


def unread_source(path: str, error: InputError) -> Source:
    """A file of which nothing is known but why."""
    source = Source(path, "")
    source.unread = error
    return source


def _is_spec(source: Source) -> bool:
    return looks_like_kops(source.text.encode())


# ------------------------------------------------------------------------------------
# Templates among files that somebody named


class _Alone:
    """A single text, for a template that lies in no folder: on the standard input."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.files: Mapping[str, str | None] = {source.path: None}

    def read(
        self, paths: Iterable[str], wanted: Callable[[bytes], bool]
    ) -> dict[str, Source]:
        """The text, if it is asked for and wanted."""
        path, text = self._source.path, self._source.text
        return {path: self._source} if path in paths and wanted(text.encode()) else {}


def with_templates(
    sources: Iterable[Source],
    state_of: Callable[[str | None], Files],
    given: Sequence[Given] = (),
) -> tuple[Source, ...]:
    """These specs, each template as the specs that come out of it.

    ``state_of`` gives the files around one, of a revision or of the disk.
    """
    found: dict[Source, None] = {}
    states: dict[str | None, Renderings] = {}
    for source in sources:
        if source.unread or not _perhaps(source) or template_kind(source) is None:
            found[source] = None
            continue
        if source.revision not in states:
            states[source.revision] = Renderings(state_of(source.revision), given)
        renderings = states[source.revision]
        path = renderings.path_of(source)
        made = renderings.touching([path]) if path else []
        # Of a call of several templates the others may come, too.
        made = made or Renderings(_Alone(source)).touching([source.path])
        specs = [each.spec for each in made if each.spec is not None]
        kept = [spec for spec in specs if _is_spec(spec)]
        found.update(dict.fromkeys(kept or [source]))
    return _each_once(found)


def _each_once(sources: Iterable[Source]) -> tuple[Source, ...]:
    """The sources, of several that came out of a template alike only one."""
    kept: dict[object, Source] = {}
    for source in sources:
        key = (source.path, source.text) if source.is_rendered else source
        kept.setdefault(key, source)
    return tuple(kept.values())


def _perhaps(source: Source) -> bool:
    return any(sign in source.text for sign in ("{{", "%{", "{%", "$"))


def called_otherwise(folder: str) -> list[Path]:
    """The specs and templates below a folder that are not called as YAML."""
    place = Folder(Path(folder))
    paths = [p for p in place.files if may_be_spec(p) and not p.endswith(PLAIN)]
    found = []
    for path in paths:
        with suppress(InputError):
            texts = place.read([path], looks_like_kops)
            if path in texts and holds_spec(path, texts[path].text.encode()):
                found.append(place.root / path)
    return found
