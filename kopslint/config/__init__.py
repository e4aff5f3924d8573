"""The configuration of a repository, and which clusters a change touches."""
