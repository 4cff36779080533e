"""Measurements of the service beside the bare store, in one run."""
