"""Prefixes and IRIs of the vocabularies that jobs, tasks and errors are written in."""

PREFIXES = {
    "mu": "http://mu.semte.ch/vocabularies/core/",
    "task": "http://redpencil.data.gift/vocabularies/tasks/",
    "dct": "http://purl.org/dc/terms/",
    "cogs": "http://vocab.deri.ie/cogs#",
    "adms": "http://www.w3.org/ns/adms#",
    "oslc": "http://open-services.net/ns/core#",
    "deltas": "http://redpencil.data.gift/vocabularies/deltas/",
}

STATUS_BASE = "http://redpencil.data.gift/id/concept/JobStatus/"
XSD_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"

SERVICE = "http://lblod.data.gift/services/delta-producer-background-jobs-initiator"
ERROR_SUBJECT = "Delta Producer Background Jobs Initiator"
