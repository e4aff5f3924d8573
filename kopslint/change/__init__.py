"""Before against after, object by object, whatever order they are written in."""
