# Removes jobs, their tasks and the errors that reference them. The jobs go last: if only a part of
# the request was done, they are found again. The subjects are found before their triples: with a
# BIND of ?job beside its triples Oxigraph takes quadratic time.
PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX oslc: <http://open-services.net/ns/core#>
DELETE {
  GRAPH ?graph { ?error ?predicate ?object . }
}
WHERE {
  VALUES ?job {
    $jobs
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
    $jobs
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
    $jobs
  }
  GRAPH ?graph { ?job ?predicate ?object . }
}
