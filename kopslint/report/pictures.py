"""Pictures as SVG: quorum over the steps, and the pictures of the documentation.

A member is a track that runs through the steps, and each state has a shape of its own
besides its colour. A picture has no script, no style of its own and no link: whoever
shows it brings ``STYLE``, and ``standing_alone`` makes it a file. Every text in it is
escaped here.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kopslint.records import Record
from kopslint.report.display import visible
from kopslint.report.quorum import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kopslint.findings import EtcdView, TimelineEntry

LIGHT = """
  --k-ink: #1f2328; --k-soft: #59636e; --k-line: #d1d9e0; --k-paper: #ffffff;
  --k-votes: #1a7f37; --k-away: #9a6700; --k-dead: #cf222e; --k-joins: #0969da;
  --k-gone: #6e7781; --k-control: #818b98; --k-lost: #ffebe9; --k-thin: #fff8c5;
  --k-box: #f6f8fa;
"""
DARK = """
  --k-ink: #e6edf3; --k-soft: #9198a1; --k-line: #3d444d; --k-paper: #0d1117;
  --k-votes: #3fb950; --k-away: #d29922; --k-dead: #ff7b72; --k-joins: #58a6ff;
  --k-gone: #9198a1; --k-control: #656c76; --k-lost: #4b1113; --k-thin: #3a2d04;
  --k-box: #151b23;
"""

STYLE = """
.k-picture { font: 13px/1.2 ui-sans-serif, system-ui, -apple-system, "Segoe UI",
  "Liberation Sans", "DejaVu Sans", sans-serif; }
.k-picture text { fill: var(--k-ink); }
.k-picture .k-soft { fill: var(--k-soft); }
.k-picture .k-strong { font-weight: 600; }
.k-picture .k-small { font-size: 11px; }
.k-picture .k-tiny { font-size: 9.5px; }
.k-picture .k-code { font-family: ui-monospace, "Liberation Mono", "DejaVu Sans Mono",
  monospace; font-size: 12px; }
.k-picture .k-line { stroke: var(--k-line); fill: none; }
.k-picture .k-arrow { stroke: var(--k-soft); stroke-width: 1.5; fill: none; }
.k-picture .k-head { fill: var(--k-soft); }
.k-picture .k-box { fill: var(--k-box); stroke: var(--k-line); }
.k-picture .k-bad { fill: var(--k-dead); }
.k-picture .k-good { fill: var(--k-votes); }
.k-picture .k-lost { fill: var(--k-lost); }
.k-picture .k-thin { fill: var(--k-thin); }
.k-picture .k-cursor { fill: none; stroke: var(--k-joins); stroke-width: 2; }
.k-picture .k-hit { fill: transparent; cursor: pointer; }
.k-picture .k-track { stroke-width: 3; stroke-linecap: round; fill: none; }
.k-picture .k-votes { stroke: var(--k-votes); fill: var(--k-votes); }
.k-picture .k-away { stroke: var(--k-away); fill: var(--k-paper); stroke-width: 2.5; }
.k-picture .k-dead { stroke: var(--k-dead); fill: none; stroke-width: 3; }
.k-picture .k-joins { stroke: var(--k-joins); fill: var(--k-paper); stroke-width: 2.5; }
.k-picture .k-gone { stroke: var(--k-gone); fill: var(--k-paper); stroke-width: 2;
  stroke-dasharray: 2 3; }
.k-picture .k-track.k-away { stroke-dasharray: 2 6; }
.k-picture .k-track.k-dead { stroke-width: 1.5; stroke-dasharray: 6 4; }
.k-picture .k-track.k-joins { stroke-width: 1.5; }
"""
"""How the classes of all pictures look; the colours are variables of the page."""

SCROLL = """
.k-scroll { display: grid; justify-content: safe center; overflow-x: auto; }
.k-scroll > svg { grid-area: 1 / 1; display: block; max-width: none; }
.k-scroll > .k-names { position: sticky; left: 0; z-index: 1; pointer-events: none; }
.k-names .k-ground { fill: var(--k-ground, var(--k-paper)); }
"""
"""A frame in which a picture is scrolled sideways and its names stay where they are."""

COLOURS = f"""
:root {{ color-scheme: light dark; {LIGHT} }}
@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {{ {DARK} }} }}
:root[data-theme="dark"] {{ color-scheme: dark; {DARK} }}
:root[data-theme="light"] {{ color-scheme: light; }}
@media print {{ :root:root:root {{ color-scheme: light; {LIGHT} }} }}
"""
"""The colours of a page that has a choice of its own and follows the system else."""

WORDS = {
    "votes": "votes",
    "away": "away, comes back",
    "dead": "dead, still registered",
    "joins": "joins, not started yet",
    "gone": "runs, no longer a member",
}
"""What the shapes stand for."""


class Moment(Record):
    """A column of a picture: an etcd cluster after a step or inside of it.

    ``label`` is the number of the step, ``during`` which machine is away.
    """

    label: str
    during: str
    view: EtcdView | None
    back: tuple[str, ...] = ()


def moments(entries: Iterable[TimelineEntry], name: str) -> list[Moment]:
    """The moments of one etcd cluster, in the order in which they come."""
    return [
        Moment(
            str(entry.step),
            row.label,
            row.etcd.get(name),
            tuple(row.back.get(name, ())),
        )
        for entry in entries
        for row in rows(entry)
    ]


def state_of(member: str, moment: Moment) -> str:
    """What a member is at a moment: a key of ``WORDS``, or nothing."""
    view = moment.view
    if view is None:
        return ""
    if member in view.expelled:
        return "gone"
    if member not in view.members:
        return ""
    if member in view.alive:
        return "votes"
    if member in view.joining:
        return "joins"
    return "away" if member in moment.back else "dead"


def members_of(told: Iterable[Moment]) -> list[str]:
    """Every member that occurs, in the order in which they come."""
    views = [moment.view for moment in told if moment.view is not None]
    return list(
        dict.fromkeys(
            name for view in views for name in (*view.members, *view.expelled)
        )
    )


_TOP = 30
_TRACK = 26
# What all columns share if there is enough for each, and what a column may have.
_ROOM = 940
_WIDE = 108
_NARROW = 34


def left_of(told: Iterable[Moment], names: Iterable[str]) -> int:
    """How wide the column of names is, for members and for these etcd clusters."""
    members = (_short(member) for member in members_of(told))
    titles = (_title(name) for name in names)
    return 20 + 8 * max(map(len, (*members, *titles)), default=0)


def quorum(
    name: str,
    told: Sequence[Moment],
    ident: str,
    room: int = _ROOM,
    left: int | None = None,
) -> str:
    """The members of an etcd cluster as tracks through the steps.

    ``ident`` makes the names of its parts unlike those of other pictures of a page. A
    column has the number of its moment in ``data-moment``, for a script that follows;
    all of them share ``room`` while there is enough for each. ``left`` is the width of
    the column of names, where several pictures are to have the same.
    """
    names = members_of(told)
    left = left_of(told, (name,)) if left is None else left
    wide = min(max(room // max(len(told), 1), _NARROW), _WIDE)
    height = _height(names)
    parts = [
        *_names(name, names),
        *_grounds(told, left, wide, height),
        *_tracks(names, told, left, wide),
        *_feet(told, left, wide, height),
        _box("k-cursor", left, 3, wide, height - 6, ' rx="6" visibility="hidden"'),
        *(
            _box("k-hit", left + wide * n, 0, wide, height, f' data-moment="{n}"')
            for n in range(len(told))
        ),
    ]
    return picture(
        left + wide * len(told) + 8, height,
        f"Quorum of etcd {name} over the steps", in_words(name, told),
        parts, ident, extra=f' data-left="{left}" data-wide="{wide}"',
    )  # fmt: skip


def names_alone(name: str, told: Sequence[Moment], left: int | None = None) -> str:
    """The left column of ``quorum``, to stay in sight while the picture is scrolled.

    It covers that column of the picture, and is nothing to a screen reader, which has
    the names from the picture.
    """
    members = members_of(told)
    left = left_of(told, (name,)) if left is None else left
    height = _height(members)
    parts = [
        f'<rect class="k-ground" width="{left}" height="{height}"/>',
        *_names(name, members),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="k-picture k-names"'
        f' viewBox="0 0 {left} {height}" width="{left}" height="{height}"'
        f' aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
    )


def _height(members: Sequence[str]) -> int:
    return _TOP + _TRACK * len(members) + 50


def _title(name: str) -> str:
    return f"etcd {name}"


def _names(name: str, members: Sequence[str]) -> Iterator[str]:
    """What stands left of the tracks."""
    yield _text(8, 18, _title(name), "k-strong")
    for row, member in enumerate(members):
        y = _TOP + _TRACK * row + _TRACK // 2
        yield _text(8, y + 4, _short(member), "k-code")
    yield _text(8, _height(members) - 30, "vote", "k-soft k-small")


def in_words(name: str, told: Sequence[Moment]) -> str:
    """The same in a sentence for each moment at which something changes."""
    said: list[str] = []
    last = None
    for moment in told:
        view = moment.view
        if view is None or view == last:
            continue
        last = view
        when = f"Step {moment.label}{f', {moment.during}' if moment.during else ''}"
        writes = {"yes": "", "no": ", no quorum", "maybe": ", quorum at risk"}
        said.append(
            f"{when}: {len(view.alive)} of {len(view.members)} members of {name} vote,"
            f" {view.quorum} needed{writes[view.writable]}."
        )
    return " ".join(said)


def _grounds(
    told: Sequence[Moment], left: int, wide: int, height: int
) -> Iterator[str]:
    """What stands behind a column: whether etcd may write there."""
    for number, moment in enumerate(told):
        look = {"NO QUORUM": "k-lost", "": ""}.get(_said(moment), "k-thin")
        if look:
            yield _box(look, left + wide * number, 3, wide, height - 6)


def _said(moment: Moment) -> str:
    """What is to be said of a moment, if anything is."""
    view = moment.view
    if view is None or view.writable == "no":
        return "NO QUORUM" if view else ""
    if view.writable == "maybe":
        return "AT RISK"
    return "0 SPARE" if view.tolerance <= 0 and len(view.members) > 1 else ""


def _tracks(
    names: Sequence[str], told: Sequence[Moment], left: int, wide: int
) -> Iterator[str]:
    for row, member in enumerate(names):
        y = _TOP + _TRACK * row + _TRACK // 2
        states = [state_of(member, moment) for moment in told]
        for number, state in enumerate(states):
            x = left + wide * number + wide // 2
            if state and number + 1 < len(states) and states[number + 1]:
                # A member stays what it was until the next moment begins.
                look = state if state == states[number + 1] else states[number + 1]
                yield (
                    f'<line class="k-track k-{look}" x1="{x}" y1="{y}"'
                    f' x2="{x + wide}" y2="{y}"/>'
                )
        for number, state in enumerate(states):
            yield from shape(state, left + wide * number + wide // 2, y)


def shape(state: str, x: int, y: int) -> Iterator[str]:
    """The shape of a member in one state."""
    match state:
        case "":
            return
        case "dead":
            yield (
                f'<path class="k-dead" d="M{x - 6} {y - 6}L{x + 6} {y + 6}'
                f'M{x - 6} {y + 6}L{x + 6} {y - 6}"/>'
            )
        case "away":
            yield f'<circle class="k-away" cx="{x}" cy="{y}" r="7"/>'
            yield f'<path class="k-away" d="M{x} {y - 4}V{y}H{x + 4}"/>'
        case _:
            yield f'<circle class="k-{state}" cx="{x}" cy="{y}" r="6"/>'


def _feet(told: Sequence[Moment], left: int, wide: int, height: int) -> Iterator[str]:
    """Numbers of steps above, and how many vote below."""
    for number, moment in enumerate(told):
        x = left + wide * number + wide // 2
        away = moment.during.startswith("while")
        label = f"in {moment.label}" if away and wide >= 44 else moment.label
        yield _text(x, 20, label, "k-soft k-small", "middle")
        view = moment.view
        if view is None:
            continue
        said = _said(moment)
        alive = f"{len(view.alive)}/{len(view.members)}"
        bad = said == "NO QUORUM"
        yield _text(
            x, height - 30, alive, "k-bad k-strong" if bad else "k-small", "middle"
        )
        if said and wide >= 44:
            look = f"{'k-bad' if bad else 'k-soft'} k-tiny k-strong"
            first, _, second = said.partition(" ")
            yield _text(x, height - 18, first, look, "middle")
            yield _text(x, height - 8, second, look, "middle")


def legend(told: Iterable[Moment]) -> list[str]:
    """The states that occur, in the order of ``WORDS``."""
    every = list(told)
    found = {state_of(m, moment) for moment in every for m in members_of([moment])}
    return [state for state in WORDS if state in found]


def sign(state: str) -> str:
    """A shape alone, as it stands beside its meaning."""
    return (
        '<svg class="k-picture" viewBox="0 0 20 20" width="20" height="20"'
        f' aria-hidden="true" focusable="false">{"".join(shape(state, 10, 10))}</svg>'
    )


# ------------------------------------------------------------------------------------
# Pictures of the documentation


def picture(
    width: int,
    height: int,
    title: str,
    words: str,
    parts: Iterable[str],
    ident: str,
    extra: str = "",
) -> str:
    """A picture with its title and the same in words, for who cannot see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="k-picture" role="img"'
        f' viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' aria-labelledby="{ident}-title {ident}-words"{extra}>'
        f'<title id="{ident}-title">{_safe(title)}</title>'
        f'<desc id="{ident}-words">{_safe(words)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def standing_alone(svg: str) -> str:
    """A picture as a file that brings its colours for light and dark."""
    dark = f"@media (prefers-color-scheme: dark) {{ svg {{ {DARK} }} }}"
    colours = f"svg {{ {LIGHT} }} {dark}"
    ground = '<rect width="100%" height="100%" rx="8" fill="var(--k-paper)"/>'
    head, _, rest = svg.partition("</desc>")
    return f"{head}</desc><style>{colours}{STYLE}</style>{ground}{rest}\n"


def planes() -> str:
    """The four planes and etcd, and which command changes which."""
    boxes = (
        ("Registry", "the state store", "create, edit, replace,", "delete ig"),
        ("Cloud", "groups, machines, disks", "update --yes,", "delete ig --yes"),
        ("Control spec", "a count, no names", "update --yes", ""),
        ("Nodes", "what they run with", "rolling-update --yes", ""),
    )
    parts = [_text(12, 24, "Different commands change each plane", "k-soft")]
    for number, (name, what, *verbs) in enumerate(boxes):
        x = 12 + number * 188
        parts += [
            _box("k-box", x, 40, 174, 104, ' rx="8"'),
            _text(x + 87, 64, name, "k-strong", "middle"),
            _text(x + 87, 84, what, "k-soft", "middle"),
            *(
                _text(x + 87, 108 + 18 * line, verb, "k-code", "middle")
                for line, verb in enumerate(verbs)
                if verb
            ),
        ]
    parts += [
        *_arrow(475, 144, 475, 204),
        _text(486, 178, "read when the leader changes", "k-soft k-small"),
        _box("k-box", 200, 204, 376, 84, ' rx="8"'),
        _text(388, 228, "etcd's member list", "k-strong", "middle"),
        _text(388, 248, "changed by etcd-manager and etcdctl", "k-soft", "middle"),
        *(p for n in range(3) for p in shape("votes", 328 + n * 30, 270)),
        *(p for n in range(3, 5) for p in shape("dead", 328 + n * 30, 270)),
    ]
    return picture(
        764, 300, "The four planes of a kops cluster, and etcd",
        "kops commands change registry, cloud, control spec and nodes. Only"
        " etcd-manager, whose leader reads the control spec when leadership changes,"
        " and etcdctl change etcd's member list.",
        parts, "planes",
    )  # fmt: skip


def orders(wrong: Sequence[Moment], right: Sequence[Moment], room: int = _ROOM) -> str:
    """Why an order matters: the same change in two orders, one above the other."""
    first = quorum("main", wrong, "wrong", room)
    second = quorum("main", right, "right", room)
    (one_width, one_height), (two_width, two_height) = map(_size, (first, second))
    width = max(one_width, two_width)
    parts = [
        _text(8, 18, "Machines first: two dead members stay, a roll stops the API",
              "k-strong k-bad"),
        f'<g transform="translate(0 24)">{_inner(first)}</g>',
        _text(8, one_height + 52, "Members first: nothing is ever at risk",
              "k-strong k-good"),
        f'<g transform="translate(0 {one_height + 58})">{_inner(second)}</g>',
    ]  # fmt: skip
    return picture(
        max(width, 520), one_height + two_height + 62, "The same change in two orders",
        f"Machines first. {in_words('main', wrong)} Members first."
        f" {in_words('main', right)}",
        parts, "orders",
    )  # fmt: skip


def _size(svg: str) -> tuple[int, int]:
    box = svg.partition('viewBox="0 0 ')[2].partition('"')[0]
    width, height = box.split(" ")
    return int(width), int(height)


def _inner(svg: str) -> str:
    """What a picture draws, without its frame and words."""
    return svg.partition("</desc>")[2].removesuffix("</svg>")


def _arrow(x1: int, y1: int, x2: int, y2: int) -> Iterator[str]:
    yield f'<path class="k-arrow" d="M{x1} {y1}L{x2} {y2 - 6}"/>'
    yield f'<path class="k-head" d="M{x2} {y2}l-5 -9h10z"/>'


def _box(look: str, x: int, y: int, width: int, height: int, more: str = "") -> str:
    place = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    return f'<rect class="{look}" {place}{more}/>'


def _text(x: int, y: int, text: str, look: str = "", anchor: str = "") -> str:
    attributes = f' class="{look}"' if look else ""
    attributes += f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{x}" y="{y}"{attributes}>{_safe(text)}</text>'


def _short(text: str, most: int = 14) -> str:
    shown = visible(text)
    # Names of one cluster differ at their end: control-plane-us-east-1a.
    return shown if len(shown) <= most else f"{shown[:5]}…{shown[6 - most :]}"


def _safe(text: str) -> str:
    return escape(visible(text))
