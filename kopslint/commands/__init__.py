"""Program calls to typed commands: kops and the tools run beside it.

This room knows each tool's command line. It must not know what a command does to
a cluster.
"""
