"""From the store and the running process to one `StatusReport`."""
