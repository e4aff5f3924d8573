"""Go's text/template with sprig's functions, executed on values that may be unknown.

This room knows no kops: it reads a template, evaluates it in bounded time and size, and
keeps for every character of the text where it was written. Nothing is executed and no
file is opened.
"""
