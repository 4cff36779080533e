"""What people and scripts call over HTTP."""
