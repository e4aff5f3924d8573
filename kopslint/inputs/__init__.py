"""Where text comes from: files, folders, globs, standard input, git revisions.

This room knows positions in text. It must not know YAML, shell or kops.
"""
