"""The order that is safe: searched over the same steps that a check replays.

Nothing here runs a command. How a runbook is shown belongs to the command line.
"""
