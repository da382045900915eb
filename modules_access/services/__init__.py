"""What can be done with modules: one verb a file."""
