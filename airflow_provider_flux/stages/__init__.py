"""The work of a run, as plain functions: read, transform, write, settle."""
