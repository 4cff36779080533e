"""The domain: which job to create, when, and creating it. Free of HTTP and SPARQL."""
