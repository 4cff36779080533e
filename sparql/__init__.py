"""The triplestore: statements as text, answers as values, and the one client that talks to it."""
