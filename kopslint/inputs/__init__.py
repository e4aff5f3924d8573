"""Where text comes from: files, folders, globs, standard input, git revisions.

This room reads text. What the text means is known to the rooms after it.
"""
