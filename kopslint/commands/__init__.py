"""Program calls to typed commands: kops and the tools run beside it.

This room knows each tool's command line.
"""
