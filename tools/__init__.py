"""What `run.py` does: environments, test lanes, lock files. Standard library only."""
