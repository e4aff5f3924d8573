"""A report in the forms that people and machines read.

This room knows findings and how to show them. Everything it prints is already in words.
"""
