"""The service's domain on a virtual clock and a virtual store: one seed is one run."""
