"""The rules' functions: from a spec, a change and a replayed list to what is wrong.

A rule named ``even-member-count`` has the function ``even_member_count`` here.
"""
