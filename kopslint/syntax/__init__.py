"""YAML and JSON as trees in which every key and value has its place in the text."""
