"""The HTML status page, rendered from a `StatusReport` alone."""
