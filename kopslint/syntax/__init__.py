"""Text to structure: YAML trees with spans, shell scripts to statements.

This room knows notations. It must not know what any program or field means.
"""
