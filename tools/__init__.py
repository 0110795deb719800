"""What `run.py` does: environments, test lanes, lock files (standard library only); and makers of generated pages."""
