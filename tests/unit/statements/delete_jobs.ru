PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
DELETE {
  GRAPH ?graph { ?subject ?predicate ?object . }
}
WHERE {
  {
    GRAPH ?jobGraph {
      ?subject a cogs:Job ;
        task:operation <http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/dump/public> .
    }
  } UNION {
    GRAPH ?jobGraph {
      ?job a cogs:Job ;
        task:operation <http://redpencil.data.gift/id/jobs/concept/JobOperation/deltas/dump/public> .
    }
    GRAPH ?taskGraph {
      ?subject a task:Task ;
        dct:isPartOf ?job .
    }
  }
  GRAPH ?graph { ?subject ?predicate ?object . }
}
