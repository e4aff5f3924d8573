"""What kops knows: API objects, its command line, and what it refuses.

This room must not know etcd's moves, rules, or how anything is printed.
"""
