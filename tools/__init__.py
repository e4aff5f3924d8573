"""What writes the data files of the package."""
