PREFIX mu: <http://mu.semte.ch/vocabularies/core/>
PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
PREFIX adms: <http://www.w3.org/ns/adms#>
INSERT DATA {
  GRAPH <http://mu.semte.ch/graphs/system/jobs> {
    <http://redpencil.data.gift/id/job/a> a cogs:Job ;
      mu:uuid "a" ;
      dct:creator <http://lblod.data.gift/services/delta-producer-background-jobs-initiator> ;
      adms:status <http://redpencil.data.gift/id/concept/JobStatus/busy> ;
      dct:created "2024-01-06T06:00:00.000Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
      dct:modified "2024-01-06T06:00:00.000Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
      task:operation <http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/dump/public> .
  }
} ;
INSERT DATA {
  GRAPH <http://mu.semte.ch/graphs/system/jobs> {
    <http://redpencil.data.gift/id/task/07a8a890-c19e-58e6-9d1d-61774cb774dc> a task:Task ;
      mu:uuid "07a8a890-c19e-58e6-9d1d-61774cb774dc" ;
      adms:status <http://redpencil.data.gift/id/concept/JobStatus/scheduled> ;
      dct:created "2024-01-06T06:00:00.000Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
      dct:modified "2024-01-06T06:00:00.000Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
      task:operation <http://redpencil.data.gift/id/jobs/concept/TaskOperation/deltas/dump> ;
      task:index "0" ;
      dct:isPartOf <http://redpencil.data.gift/id/job/a> .
  }
}
