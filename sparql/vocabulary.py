"""IRIs and texts of the vocabularies that jobs, tasks and errors are written in."""

STATUS_BASE = "http://redpencil.data.gift/id/concept/JobStatus/"
XSD_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
ERROR_SUBJECT = "Delta Producer Background Jobs Initiator"  # by which alerting filters errors
NOTHING_IRI = "http://redpencil.data.gift/id/concept/none"  # what no triple has
JOB_CLASS = "http://vocab.deri.ie/cogs#Job"
TASK_CLASS = "http://redpencil.data.gift/vocabularies/tasks/Task"
ERROR_CLASS = "http://open-services.net/ns/core#Error"
PROPERTIES = {  # of jobs and tasks, as far as this service reads them
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#type": "type",
    "http://mu.semte.ch/vocabularies/core/uuid": "id",
    "http://purl.org/dc/terms/creator": "creator",
    "http://www.w3.org/ns/adms#status": "status",
    "http://purl.org/dc/terms/created": "created",
    "http://purl.org/dc/terms/modified": "modified",
    "http://redpencil.data.gift/vocabularies/tasks/operation": "operation",
    "http://redpencil.data.gift/vocabularies/tasks/index": "index",
    "http://purl.org/dc/terms/isPartOf": "job",
}
