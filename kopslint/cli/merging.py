"""``kopslint merge``: the reports of all shards as one, judged as one check."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kopslint.cli.settings import configuration_for, fail_on_for, settings_for
from kopslint.cli.telling import told
from kopslint.errors import InputError
from kopslint.source.collect import collect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kopslint.cli.checking import CheckOptions
    from kopslint.cli.voice import Voice


def run_merge(files: Sequence[str], options: CheckOptions, voice: Voice) -> bool:
    """Merge the reports in ``files``, write the result, and say whether it is in order.

    Of the options those count that say what is done with a report. Raises
    ``KopslintError`` for reports that are no whole.
    """
    from kopslint.engine.merge import merge
    from kopslint.report.part_reader import read_parts

    configuration = configuration_for(
        (), os.environ, config=options.config, no_config=options.no_config
    )
    settings = settings_for(configuration, os.environ, house=options.house)
    fail_on = fail_on_for(options.fail_on, configuration, os.environ)
    report = merge(read_parts(collect(files, suffixes=(".json",), stdin=_no_stdin)))
    return told(report, options, settings, fail_on, voice)


def _no_stdin() -> str:
    raise InputError(
        "the standard input holds one report, and a merge needs several",
        hint="name the files of all reports, or the folder that they are in",
    )
