"""What a repository holds, known by content: specs, templates with their values.

A template is rendered here as kops would, with what its command lines say and the rest
unknown, and is a spec like any other from then on.
"""
