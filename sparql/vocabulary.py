"""IRIs and texts of the vocabularies that jobs, tasks and errors are written in."""

STATUS_BASE = "http://redpencil.data.gift/id/concept/JobStatus/"
XSD_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
ERROR_SUBJECT = "Delta Producer Background Jobs Initiator"  # by which alerting filters errors
NO_OPERATION = "http://redpencil.data.gift/id/jobs/concept/JobOperation/none"  # no job has it
