"""What operators ask at a terminal: `flask check`, `schedule`, `status` and `run-job`."""
