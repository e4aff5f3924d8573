"""What kops knows: API objects, its command line, and what it refuses."""
