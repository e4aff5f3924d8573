"""The notations that command lists are written in: from text to shell."""
