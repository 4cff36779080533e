"""Periodic care for existing jobs: reports stuck ones, repairs incomplete ones."""
