PREFIX dct: <http://purl.org/dc/terms/>
PREFIX adms: <http://www.w3.org/ns/adms#>
DELETE {
  GRAPH ?graph {
    ?subject adms:status ?status ;
      dct:modified ?modified .
  }
}
INSERT {
  GRAPH ?graph {
    ?subject adms:status <http://redpencil.data.gift/id/concept/JobStatus/failed> ;
      dct:modified "2024-01-06T06:00:00.000Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> .
  }
}
WHERE {
  VALUES ?subject {
    <http://redpencil.data.gift/id/job/DUMP-busy>
    <http://redpencil.data.gift/id/task/1>
    <http://redpencil.data.gift/id/task/3>
  }
  GRAPH ?graph {
    ?subject adms:status ?status .
    OPTIONAL { ?subject dct:modified ?modified . }
  }
  FILTER (?status IN (<http://redpencil.data.gift/id/concept/JobStatus/busy>, <http://redpencil.data.gift/id/concept/JobStatus/scheduled>))
  FILTER NOT EXISTS {
    GRAPH ?taskGraph {
      ?other dct:isPartOf <http://redpencil.data.gift/id/job/DUMP-busy> ;
        adms:status ?otherStatus .
    }
    FILTER (?otherStatus IN (<http://redpencil.data.gift/id/concept/JobStatus/busy>, <http://redpencil.data.gift/id/concept/JobStatus/scheduled>) && ?other NOT IN (<http://redpencil.data.gift/id/job/DUMP-busy>, <http://redpencil.data.gift/id/task/1>, <http://redpencil.data.gift/id/task/3>))
  }
}
