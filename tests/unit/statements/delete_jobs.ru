PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX oslc: <http://open-services.net/ns/core#>
DELETE {
  GRAPH ?graph { ?error ?predicate ?object . }
}
WHERE {
  VALUES ?job {
    <http://redpencil.data.gift/id/job/DUMP-busy>
    <http://redpencil.data.gift/id/job/HEALING-busy>
  }
  GRAPH ?errorGraph {
    ?error dct:references ?job ;
      a oslc:Error .
  }
  GRAPH ?graph { ?error ?predicate ?object . }
} ;
DELETE {
  GRAPH ?graph { ?task ?predicate ?object . }
}
WHERE {
  VALUES ?job {
    <http://redpencil.data.gift/id/job/DUMP-busy>
    <http://redpencil.data.gift/id/job/HEALING-busy>
  }
  GRAPH ?taskGraph {
    ?task dct:isPartOf ?job ;
      a task:Task .
  }
  GRAPH ?graph { ?task ?predicate ?object . }
} ;
DELETE {
  GRAPH ?graph { ?job ?predicate ?object . }
}
WHERE {
  VALUES ?job {
    <http://redpencil.data.gift/id/job/DUMP-busy>
    <http://redpencil.data.gift/id/job/HEALING-busy>
  }
  GRAPH ?graph { ?job ?predicate ?object . }
}
