"""The terminal front: options in, exit status out."""
