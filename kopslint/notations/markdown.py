"""Markdown runbooks: the shell in their code blocks, and commands that stand alone.

Prose is never a command, and neither is code within it. Prompts are taken off with the
columns kept, and what a command printed is distinguished from what was typed. Each
block becomes a text of its own; its heading or list item is its title. In blocks of
other languages, in HTML, tables and lists a line counts that calls a program of a
cluster.
"""

from __future__ import annotations

import json
import re
from shlex import quote
from typing import TYPE_CHECKING

from kopslint.notations import program_names
from kopslint.shell.ast import Opaque, Script, Unknown
from kopslint.shell.grammar import Fault, parse
from kopslint.shell.read import read_texts
from kopslint.shell.sessions import LEAVES, opened
from kopslint.shell.text import ShellText, lines_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

    from kopslint.text import Source


# ------------------------------------------------------------------------------------
# What was typed and what was printed: the lines of one code block
#
# In a block with prompts, the lines behind a prompt were typed and the rest was
# printed. Without prompts a line is taken as typed unless it plainly is not; a line
# that starts with a program known here is never dropped.

Line = tuple[int, int, str]

# The lines that a here-document, a block and a quotation have at most. What looks like
# the start of one may be none, and looking for the end costs reading on and parsing:
# so many characters for one command, and for the whole document.
LONGEST_COMMAND = 2000
LONGEST_BLOCK = 400
LONGEST_QUOTATION = 40
MOST_FOR_ONE = 200_000
MOST_READ = 2_000_000
# What may make a command go on in the next line.
_UNFINISHED = re.compile(r"""<<|["'`({]|\b(?:do|then|in|else)\b|[|&]\s*$""")
_BLOCK = re.compile(r"""[({]\s*$|\b(?:do|then|in|else)\b""")
# What may be the end of one that goes on.
_END = re.compile(r"""["'`)}]|\b(?:done|fi|esac)\b|^\t*\w+$""")
_JSON = re.compile(r"""\s*(?:[\[{]\s*$|\[\s*["{\[]|\{\s*")""")
_HEREDOC = re.compile(r"""<<(-?)[ \t]*(["']?)(\w+)\2""")

_PROMPT = re.compile(
    r"""
    [ \t]*
    (?:\([\w.:/-]+\)[ ])?
    (?P<host>
      \[[\w.-]+@[^\]\n]*\]
    | [\w.-]+@[\w.-]+(?::[^\s$\#%>]*)?(?:[ ][~/][^\s$\#%]*)?
    | (?:ba|z)?sh-[\d.]+
    | PS[ ][^>\n]*
    | [~/][\w./-]*
    )?
    [ ]?(?P<mark>[$%>\#\u276f\u279c])[ \t]+(?=\S)
    """,
    re.VERBOSE,
)
_BOX = re.compile(r"\[[ xX]\][ \t]+")
_NO_PROMPT = re.compile(r"[ \t]*")
_PROGRAM_NAMES = """
    kops kubectl etcdctl etcdutl etcd-manager-ctl etcd-dump-logs terraform tofu
    terragrunt aws gcloud gsutil az openstack doctl hcloud linode-cli scw helm docker
    podman crictl ctr nerdctl ssh scp sudo su env export set unset source cd ls cat
    echo printf sleep curl wget jq yq grep sed awk sort head tail tee diff git go make
    vi vim nano cp mv rm mkdir chmod chown systemctl service journalctl watch time
    timeout xargs
    for while until if case read eval exec bash sh exit true false test wait kill
    pkill killall mount umount dig ping python python3 pip ansible-playbook alias
    apt apt-get brew tar unzip
"""
_PROGRAMS = frozenset(_PROGRAM_NAMES.split())
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]\s]*\])?\+?=")
# Commands that a block starts with: paths, variables, subshells, tests, comments.
_SHELL_START = re.compile(r"""\.{0,2}/|~/|"?\$|[\[({!#]|\\?\w[\w.-]*\(\)""")


def looks_like_shell(lines: Sequence[Line]) -> bool:
    """Whether a block without an info string holds commands."""
    for _, _, text in lines:
        prompt = _PROMPT.match(text)
        if prompt is not None and _is_prompt(prompt):
            return True
        # Behind ``# `` it is a prompt or a comment, and either speaks of commands.
        if _program(text.lstrip("# ")) in _PROGRAMS:
            return True
    marks = [_PROMPT.match(text) for _, _, text in lines]
    return any(_bare_marks(lines, marks))


def is_call(text: str) -> bool:
    """Whether a text calls a program known here, with arguments."""
    words = text.split()
    return len(words) > 1 and words[0] in _PROGRAMS


def without_prompt(text: str) -> int:
    """How many characters of a line are a prompt, or a box that is to be ticked."""
    box = _BOX.match(text)
    start = box.end() if box is not None else 0
    prompt = _PROMPT.match(text, start)
    return prompt.end() if prompt is not None and _is_prompt(prompt) else start


class Transcripts:
    """Takes the typed lines out of the code blocks of one document."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._read = 0
        # How many shells were opened and not left: in a pod ``# `` is a prompt.
        self._opened = 0

    def typed(self, lines: Sequence[Line], *, console: bool = False) -> list[Line]:
        """The lines of a block that were typed, without their prompts.

        A ``console`` shows what a terminal showed, its prompts among it.
        """
        marks = [_PROMPT.match(text) for _, _, text in lines]
        clear = [mark if mark and _is_prompt(mark) else None for mark in marks]
        if not any(clear):
            clear = _bare_marks(lines, marks)
        if any(clear) or console:
            clear = self._with_roots(lines, marks, clear)
        if not any(clear):
            return self._without_output(lines)
        typed: list[Line] = []
        index = 0
        while index < len(lines):
            prompt = clear[index]
            if prompt is None:
                index += 1
                continue
            number, column, text = lines[index]
            command = [(number, column + prompt.end(), text[prompt.end() :])]
            for following in range(index + 1, min(index + LONGEST_COMMAND, len(lines))):
                if clear[following] is not None:
                    break
                command.append(_without_second_prompt(lines[following]))
            command = self._command(command)
            typed += command
            index += len(command)
        return typed

    def _with_roots(
        self,
        lines: Sequence[Line],
        marks: Sequence[re.Match[str] | None],
        clear: Sequence[re.Match[str] | None],
    ) -> list[re.Match[str] | None]:
        """The prompts, with the ``# `` of shells that were opened among them."""
        found: list[re.Match[str] | None] = []
        prompted = any(clear)
        for (_, _, text), mark, prompt in zip(lines, marks, clear, strict=True):
            root = mark if mark and self._opened and mark["mark"] == "#" else None
            here = prompt or (root if root and _is_typed(text[root.end() :]) else None)
            bare = not prompted and here is None and _is_typed(text)
            found.append(here or (_NO_PROMPT.match(text) if bare else None))
            typed = text[found[-1].end() :] if found[-1] is not None else ""
            words = typed.split()
            if prompt is not None and prompt["mark"] != "#" and words[:1] != ["exit"]:
                # Outside again, or never inside.
                self._opened = 0
            if opened(words) is not None:
                self._opened += 1
            elif words[:1] and words[0] in LEAVES:
                self._opened = max(0, self._opened - 1)
        # Without a prompt and without such a shell it is for others to tell.
        roots = any(f and f.group().strip() == "#" for f in found)
        return found if prompted or roots else [None] * len(lines)

    def _command(self, lines: Sequence[Line]) -> list[Line]:
        """The first line and those after it that it needs to be complete."""
        size = 1
        while size < len(lines) and re.search(r"\\[ \t]*$", lines[size - 1][2]):
            size += 1
        end, looked, reach = size, 0, 0
        most = min(MOST_READ, self._read + MOST_FOR_ONE)
        while end <= len(lines) and self._read < most:
            for _, _, line in lines[looked:end]:
                self._read += len(line)
                if _UNFINISHED.search(line):
                    block = _BLOCK.search(line) is not None
                    reach = max(reach, LONGEST_BLOCK if block else LONGEST_QUOTATION)
                if "<<" in line and (behind := self._behind_heredocs(line, lines, end)):
                    end = behind
                    reach = max(reach, end - size + LONGEST_QUOTATION)
            looked = end
            if end >= size + reach:
                break
            if end == size or _END.search(lines[end - 1][2]):
                text = lines_text(self._source, lines[:end])
                self._read += len(text.text)
                if not any(isinstance(node, Fault) for node in parse(text)):
                    return list(lines[:end])
            end += 1
        return list(lines[:size])

    def _behind_heredocs(self, line: str, lines: Sequence[Line], after: int) -> int:
        """The number of lines up to where the here-documents of a line end, or 0."""
        end = after
        for tabs, _, mark in _HEREDOC.findall(line):
            for index in range(end, len(lines)):
                text = lines[index][2]
                self._read += len(text)
                if (text.lstrip("\t") if tabs else text) == mark:
                    end = index + 1
                    break
        return end if end > after else 0

    def _json(self, lines: Sequence[Line], index: int) -> int:
        """How many lines from ``index`` on are JSON that a command printed."""
        if self._read > MOST_READ or not _JSON.match(lines[index][2]):
            return 0
        text = "\n".join(line[2] for line in lines[index : index + LONGEST_BLOCK])
        text = text.lstrip()
        self._read += len(text)
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except (ValueError, RecursionError):
            return 0
        behind = text[end:].split("\n", 1)[0].strip()
        return 0 if behind else text.count("\n", 0, end) + 1

    def _without_output(self, lines: Sequence[Line]) -> list[Line]:
        """The lines of a block without prompts that can be commands."""
        mixed = any(_program(text) in _PROGRAMS for _, _, text in lines)
        typed: list[Line] = []
        output = False
        index = indented = 0
        while index < len(lines):
            text = lines[index][2].strip()
            known = _program(text) in _PROGRAMS
            blanks = len(lines[index][2]) - len(lines[index][2].lstrip())
            if size := self._json(lines, index):
                index += size
                output = mixed
                continue
            if not text or known or _SHELL_START.match(text) or _ASSIGNMENT.match(text):
                output = False
            elif not re.match(r"[a-z]", text):
                output = True
            elif re.match(r"\S+:(?:\s|$)", text) or (typed and blanks > indented):
                output = mixed
            elif not mixed:
                output = False
            if output:
                index += 1
                continue
            indented = blanks
            command = self._command(lines[index : index + LONGEST_COMMAND])
            typed += command
            index += len(command)
        return typed


def _is_typed(text: str) -> bool:
    return _program(text) in _PROGRAMS | LEAVES


def _is_prompt(mark: re.Match[str]) -> bool:
    """A prompt that nothing else looks like; bare ``#`` and ``>`` are not."""
    return mark["host"] is not None or mark["mark"] in "$%\u276f\u279c"


def _bare_marks(
    lines: Sequence[Line], marks: Sequence[re.Match[str] | None]
) -> list[re.Match[str] | None]:
    """``# `` or ``> `` as a prompt, if programs stand behind it and only there."""
    if any(_program(text) in _PROGRAMS for _, _, text in lines):
        return [None] * len(lines)
    return [
        mark if mark and _program(text[mark.end() :]) in _PROGRAMS else None
        for (_, _, text), mark in zip(lines, marks, strict=True)
    ]


def _without_second_prompt(line: Line) -> Line:
    """A further line of a command, without the ``> `` that bash shows there."""
    number, column, text = line
    return (number, column + 2, text[2:]) if text.startswith("> ") else line


def _program(text: str) -> str:
    words = text.split(maxsplit=1)
    # ``kops; kops get ig``: what ends a command is no part of its name.
    return words[0].rstrip(";&|") if words else ""


_LANGUAGES = {"bash", "sh", "shell", "zsh", "console", "terminal", "shell-session"}
_LANGUAGES |= {"shellsession", "sh-session", "bash-session", "shellscript"}
_CONSOLES = {"console", "terminal", "shell-session", "shellsession", "sh-session"}
_CONSOLES |= {"bash-session"}
_CODE = {"python", "py", "ruby", "rb", "js", "javascript", "ts", "typescript", "go"}
_CODE |= {"perl", "powershell", "pwsh", "ps1", "groovy", "java", "rust", "hcl"}
# A label of a step, and not a warning: "Apply:", "Then run".
_LABEL = re.compile(
    r"(?!.*\b(?:not|never|avoid|instead|don't|dont|wrong|bad|old|before|without)\b)"
    r"(?:\[[ xX]\] ?)?(?:[^.!?`]{0,80}:"
    r"|(?:(?:and )?(?:then|next|now|first|finally),? )?(?:run|execute|type|enter))?",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(
    r"\b(?:description|meaning|explanation|purpose|effect|usage|does|about)\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"</?[A-Za-z][\w-]*(?:\s[^<>]*)?/?>")
_KEY = re.compile(r"[ ]*(?:- +)*(?:[\w.-]+:[ ]+)?[\"']?")
_NOT_TO_RUN = {"wrong", "output", "console-output", "skip"}
_LONGEST_STEP = 2000
_AROUND_STEPS = {"text", "code_inline", "softbreak", "hardbreak"}
_AROUND_STEPS |= {"strong_open", "strong_close", "em_open", "em_close"}
_SKIP = re.compile(r"<!--\s*kopslint:\s*skip\s*-->")
_MARKS = {
    **dict.fromkeys(
        ("adoc", "asciidoc", "asc"),
        re.compile(r"^(?:-{4,}|\.{4,}|\[(?:source|listing|,).*\])\s*$"),
    ),
    "org": re.compile(
        r"(?i)^\s*#\+begin_(?:src[ ]+(?P<language>\w+)|src|example).*$"
        r"|^\s*#\+end_(?:src|example)\s*$|^: (?=\S)"
    ),
}
"""What begins and ends a block of code in AsciiDoc and Org, a line of its own."""
_HIGHLIGHT = re.compile(r"^(\s*)\{%-?\s*(end)?highlight\b\s*(\w*).*%\}\s*$")


def read_markdown(source: Source, at_hand: Sequence[Source] = ()) -> Script:
    """The commands of all shell blocks, in order, sharing variables.

    A block is shell if its info string says so, or if it has none and its lines
    are commands. A paragraph that is nothing but inline code, as the steps of a list
    often are, counts if it calls a program known here. ``<!-- kopslint: skip -->``
    before a block leaves it out. A paragraph or a cell of a table that is a call as a
    whole counts too, and code behind a label (``Apply: `kops update cluster` ``). What
    a block in a language that is not read calls is in ``Script.unread``.
    """
    unread: list[Opaque] = []
    script = read_texts(_blocks(source, unread), at_hand=at_hand, typed=True)
    return script._replace(unread=(*script.unread, *unread))


def _blocks(source: Source, unread: list[Opaque]) -> Iterator[ShellText]:
    from markdown_it import MarkdownIt

    transcripts = Transcripts(source)
    title: str | None = None
    # Titles of the list items around, innermost last.
    items: list[str | None] = []
    skipped = False
    table = Table()
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse("\n".join(_plain_markdown(source)))
    for index, token in enumerate(tokens):
        match token.type:
            case "list_item_open":
                items.append(None)
            case "list_item_close":
                items.pop()
            case "html_block":
                skipped = _SKIP.search(token.content) is not None
                if not skipped:
                    yield from _html(source, token, title, transcripts)
            case "table_open":
                table = Table()
            case "inline":
                text = _visible(token)
                opening = tokens[index - 1].type
                if opening == "heading_open":
                    title, items = text, [None] * len(items)
                elif items and items[-1] is None:
                    items[-1] = text
                if opening == "paragraph_open" and not skipped:
                    yield from _paragraph(source, token, title)
                elif opening == "th_open":
                    table.heads.append(text)
                elif opening == "td_open" and not skipped and table.is_of_steps:
                    yield from _cell(source, token, title, table)
                skipped = _SKIP.search(token.content) is not None
            case "fence" | "code_block":
                block_title = next((i for i in reversed(items) if i), title)
                if not skipped:
                    yield from _shell(source, token, block_title, transcripts, unread)
                skipped = False


class Table:
    """The heads of a table, and how far its row at hand has been read."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self._row = self._column = 0

    @property
    def is_of_steps(self) -> bool:
        """Whether its rows are steps, and no explanations of commands."""
        return not any(_EXPLAINS.search(head) for head in self.heads)

    def place(self, line: str, number: int, text: str) -> int:
        """The column of a cell's text in the line of its row, or -1."""
        if number != self._row:
            self._row, self._column = number, 0
        found = line.find(text, self._column)
        self._column = found + len(text) if found >= 0 else self._column
        return found


def _plain_markdown(source: Source) -> list[str]:
    """The lines without front matter, marks of code of other documents as fences."""
    marks = _MARKS.get(source.path.lower().rpartition(".")[2])
    lines = (_HIGHLIGHT.sub(_fence, line) for line in source.lines)
    plain = [marks.sub(_as_fence, line) if marks else line for line in lines]
    if plain and plain[0].rstrip() == "---":
        end = next((i for i, line in enumerate(plain[1:], 1) if line[:3] == "---"), 0)
        plain[: end + 1] = [""] * (end + 1)
    return plain


def _as_fence(mark: re.Match[str]) -> str:
    """A fence for a line that begins or ends a block; blanks for a mark before code."""
    if mark[0].startswith(":"):
        return " " * len(mark[0])
    return (
        ""
        if mark[0].startswith("[")
        else f"```{mark.groupdict().get('language') or ''}"
    )


def _fence(tag: re.Match[str]) -> str:
    return f"{tag[1]}```" if tag[2] else f"{tag[1]}```{tag[3]}"


def _visible(token: Token) -> str:
    """The first line of an inline token as a reader sees it."""
    parts = []
    for child in token.children or []:
        if child.type in {"softbreak", "hardbreak"}:
            break
        if child.type in {"text", "code_inline"}:
            parts.append(child.content)
    return "".join(parts).strip().rstrip(":")


def _paragraph(source: Source, token: Token, title: str | None) -> Iterator[ShellText]:
    """The commands of a paragraph: code alone or behind a label, and lines of calls."""
    if token.map is None or len(token.content) > _LONGEST_STEP:
        return
    if found := _steps(source, token):
        yield lines_text(source, _at_breaks(found), title)
        return
    lines: list[Line] = []
    for number, text in enumerate(token.content.split("\n"), token.map[0] + 1):
        column = source.line(number).find(text)
        skip = without_prompt(text)
        continued = bool(lines) and lines[-1][2].endswith("\\")
        if column >= 0 and (continued or program_names.is_call(text[skip:])):
            lines.append((number, column + skip + 1, text[skip:]))
    if lines:
        yield lines_text(source, lines, title)


def _steps(source: Source, token: Token) -> list[Line]:
    """The code of a paragraph that is nothing else but labels; empty if it is more."""
    children = token.children or []
    assert token.map is not None  # noqa: S101 (the caller has looked)
    number, column = token.map[0] + 1, 0
    found: list[Line] = []
    written = ""
    for child in children:
        if child.type not in _AROUND_STEPS:
            return []
        if child.type in {"softbreak", "hardbreak"}:
            number, column, written = number + 1, 0, ""
        elif child.type == "text":
            written += child.content
        elif child.type == "code_inline":
            if written.strip(" .,;") and not _LABEL.fullmatch(written.strip()):
                return []
            written = ""
            skip = without_prompt(child.content)
            ticks, code = child.markup, re.escape(child.content)
            match = re.compile(rf"{ticks} ?({code}) ?{ticks}").search(
                source.line(number), column
            )
            if match is None or not is_call(child.content[skip:]):
                return []
            column = match.end()
            found.append((number, match.start(1) + skip + 1, child.content[skip:]))
    return [] if written.strip(" .,;!") else found


def _cell(
    source: Source, token: Token, title: str | None, table: Table
) -> Iterator[ShellText]:
    """The commands of a cell that is nothing but code, or a call as a whole."""
    if token.map is None or len(token.content) > _LONGEST_STEP:
        return
    number = token.map[0] + 1
    codes = [c for c in token.children or [] if c.type == "code_inline"]
    others = "".join(c.content for c in token.children or [] if c.type == "text")
    texts = [c.content for c in codes] if not others.strip(" .,;") else []
    texts = texts or ([token.content.strip()] if not codes else [])
    found = []
    for text in texts:
        column = table.place(source.line(number), number, text)
        skip = without_prompt(text)
        calls = is_call if codes else program_names.is_call
        if column >= 0 and calls(text[skip:]):
            found.append((number, column + skip + 1, text[skip:]))
    if found:
        yield lines_text(source, _at_breaks(found), title)


def _html(
    source: Source, token: Token, title: str | None, transcripts: Transcripts
) -> Iterator[ShellText]:
    """The commands in a block of HTML: what ``<pre>`` holds, and lines that are calls.

    A fence without a blank line before it is only text there, and meant as a fence.
    """
    if token.map is None:
        return
    content = _COMMENT.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), token.content)
    content = _TAG.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), content)
    lines: list[Line] = []
    for number, text in enumerate(content.split("\n"), token.map[0] + 1):
        inner = text.strip()
        if inner and not inner.startswith(("```", "~~~")):
            lines.append((number, len(text) - len(text.lstrip()) + 1, inner))
    if "<pre" in token.content.lower() and looks_like_shell(lines):
        typed = transcripts.typed(lines)
    else:
        typed = calls(lines, "")
    if typed:
        yield lines_text(source, typed, title)


def _shell(
    source: Source,
    token: Token,
    title: str | None,
    transcripts: Transcripts,
    unread: list[Opaque],
) -> Iterator[ShellText]:
    info = token.info.lower().replace("{", " ").replace("}", " ").split()
    if _NOT_TO_RUN & set(info) or token.map is None:
        return
    language = info[0].lstrip(".") if info else ""
    # The first line of a fence is the fence itself.
    first = token.map[0] + (2 if token.type == "fence" else 1)
    lines = [
        (number, _column(source.line(number), line), line)
        for number, line in enumerate(token.content.split("\n"), first)
    ]
    lines = _dedented(lines)
    if language in _LANGUAGES or (not language and looks_like_shell(lines)):
        typed = transcripts.typed(lines, console=language in _CONSOLES)
    else:
        typed = calls(lines, language)
        if (
            not typed
            and language in _CODE
            and program_names.names_a_call(token.content)
        ):
            number, column, text = next(
                line for line in lines if program_names.names_a_call(line[2])
            )
            span = source.span(number, column, number, column + len(text))
            reason = f"this block is in {language}, which is not read"
            unread.append(Opaque(Unknown(language, reason), span))
    if typed:
        yield lines_text(source, _at_breaks(typed), title)


def _at_breaks(lines: Sequence[Line]) -> list[Line]:
    """The same where ``<br>`` ends a line, as those mean it who write it into code.

    The columns stay, for a line end and blanks take the place of the tag.
    """
    return [
        (number, column, _LINE_BREAK.sub(lambda tag: "\n".ljust(len(tag[0])), text))
        for number, column, text in lines
    ]


_LINE_BREAK = re.compile(r"<br ?/?>")


def calls(lines: Sequence[Line], language: str) -> list[Line]:
    """The lines of another language that are calls, or hold them in their strings."""
    typed: list[Line] = []
    for number, column, text in lines:
        skip = 0
        if language in {"diff", "patch"}:
            if text.startswith("-"):
                continue
            skip = 1 if text[:1] in {"+", " "} else 0
        key = _KEY.match(text, skip) if language in {"yaml", "yml"} else None
        skip = key.end() if key is not None else skip
        skip += without_prompt(text[skip:])
        skip += len(text[skip:]) - len(text[skip:].lstrip())
        continued = bool(typed) and typed[-1][2].endswith("\\")
        if continued or program_names.is_call(text[skip:]):
            typed.append((number, column + skip, text[skip:]))
            continue
        if text.lstrip().startswith(("#", "//", "--")):
            continue
        for found in program_names.calls_in(text):
            if found.words:
                code = " ".join(
                    quote(text[a:b]) if text[a - 1] in "\"'" else f"<{text[a:b]}>"
                    for a, b in found.words
                )
            else:
                code = text[found.start : found.end]
            typed.append((number, column + found.start, code))
    return typed


def _dedented(lines: list[Line]) -> list[Line]:
    """The lines without the blanks that all of them start with."""
    texts = [text for _, _, text in lines if text.strip()]
    size = min((len(text) - len(text.lstrip(" ")) for text in texts), default=0)
    return [(number, column + size, text[size:]) for number, column, text in lines]


def _column(line: str, content: str) -> int:
    """Where the content of a block line starts in its line of the file."""
    if line.endswith(content):
        return len(line) - len(content) + 1
    # A tab that was half indentation became blanks.
    return (
        len(line) - len(content.lstrip()) + 1 - (len(content) - len(content.lstrip()))
    )
