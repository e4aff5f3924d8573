r"""Text that a job's log may show without any of it being taken for a command.

A runner reads what a job prints. GitHub's obeys a line that begins with ``::``, after
whatever spaces, and ``##[`` anywhere (actions/runner, Runner.Common/ActionCommand.cs),
Azure's ``##vso[`` (microsoft/azure-pipelines-agent, Command.cs), TeamCity's
``##teamcity[``. Here these are written in another way: in text like a control
character, as ``\x23``, and otherwise as the form has it, so that what is read is the
same.
"""

from __future__ import annotations

import re
from enum import Enum

# What ends a line to some reader, and what may stand before a command.
_AT_START = re.compile("(\\A|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])([^\\S\n\r]*):(?=:)")
_ANYWHERE = re.compile(r"#(?=#[A-Za-z]*\[)")


class Written(Enum):
    """What is printed, with how it writes a number sign and a colon."""

    TEXT = (r"\x23", r"\x3a")
    JSON = (r"\u0023", r"\u003a")
    XML = ("&#35;", "&#58;")
    # Every line is a command of kopslint's own, with nothing of the input before it.
    COMMANDS = (r"\x23", ":")


def inert(text: str, written: Written = Written.TEXT) -> str:
    """The text without anything in it that a runner would take for a command."""
    sign, colon = written.value
    if "##" in text:
        text = _ANYWHERE.sub(lambda _: sign, text)
    if "::" in text:
        text = _AT_START.sub(lambda found: f"{found[1]}{found[2]}{colon}", text)
    return text
