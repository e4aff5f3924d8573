"""The order that is safe: searched over the same steps that a check replays.

Nothing here runs a command or knows how a runbook is shown on a terminal.
"""
