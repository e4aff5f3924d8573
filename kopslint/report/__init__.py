"""A report in the forms that people and machines read.

This room knows findings and how to show them. It must not know rules, kops or how
a finding came about: everything it prints is already in words.
"""
