PREFIX dct: <http://purl.org/dc/terms/>
PREFIX adms: <http://www.w3.org/ns/adms#>
DELETE {
  GRAPH ?graph { ?subject dct:created ?value . }
}
WHERE {
  VALUES ?subject {
    <http://redpencil.data.gift/id/job/1>
    <http://redpencil.data.gift/id/job/2>
  }
  GRAPH ?graph { ?subject dct:created ?value , ?better . }
  FILTER (?better < ?value)
} ;
DELETE {
  GRAPH ?graph { ?subject dct:modified ?value . }
}
WHERE {
  VALUES ?subject {
    <http://redpencil.data.gift/id/job/1>
    <http://redpencil.data.gift/id/job/2>
  }
  GRAPH ?graph { ?subject dct:modified ?value , ?better . }
  FILTER (?better > ?value)
} ;
DELETE {
  GRAPH ?graph { ?subject adms:status ?value . }
}
WHERE {
  VALUES ?subject {
    <http://redpencil.data.gift/id/job/1>
    <http://redpencil.data.gift/id/job/2>
  }
  VALUES (?value ?better) {
    (<http://redpencil.data.gift/id/concept/JobStatus/scheduled> <http://redpencil.data.gift/id/concept/JobStatus/busy>)
    (<http://redpencil.data.gift/id/concept/JobStatus/scheduled> <http://redpencil.data.gift/id/concept/JobStatus/failed>)
    (<http://redpencil.data.gift/id/concept/JobStatus/scheduled> <http://redpencil.data.gift/id/concept/JobStatus/canceled>)
    (<http://redpencil.data.gift/id/concept/JobStatus/scheduled> <http://redpencil.data.gift/id/concept/JobStatus/success>)
    (<http://redpencil.data.gift/id/concept/JobStatus/busy> <http://redpencil.data.gift/id/concept/JobStatus/failed>)
    (<http://redpencil.data.gift/id/concept/JobStatus/busy> <http://redpencil.data.gift/id/concept/JobStatus/canceled>)
    (<http://redpencil.data.gift/id/concept/JobStatus/busy> <http://redpencil.data.gift/id/concept/JobStatus/success>)
    (<http://redpencil.data.gift/id/concept/JobStatus/failed> <http://redpencil.data.gift/id/concept/JobStatus/canceled>)
    (<http://redpencil.data.gift/id/concept/JobStatus/failed> <http://redpencil.data.gift/id/concept/JobStatus/success>)
    (<http://redpencil.data.gift/id/concept/JobStatus/canceled> <http://redpencil.data.gift/id/concept/JobStatus/success>)
  }
  GRAPH ?graph { ?subject adms:status ?value , ?better . }
}
