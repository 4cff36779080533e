# Leaves one value each: the earliest date of creation, the latest of modification and the most
# advanced status. Each operation removes only a value for which it sees a better one. A day and a
# time are compared as texts: Oxigraph cannot compare their values.
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX adms: <http://www.w3.org/ns/adms#>
DELETE {
  GRAPH ?graph { ?subject dct:created ?value . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH ?graph { ?subject dct:created ?value , ?better . }
  FILTER (IF(DATATYPE(?better) = DATATYPE(?value), ?better < ?value, STR(?better) < STR(?value)))
} ;
DELETE {
  GRAPH ?graph { ?subject dct:modified ?value . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH ?graph { ?subject dct:modified ?value , ?better . }
  FILTER (IF(DATATYPE(?better) = DATATYPE(?value), ?better > ?value, STR(?better) > STR(?value)))
} ;
DELETE {
  GRAPH ?graph { ?subject adms:status ?value . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  VALUES (?value ?better) {
    $advances
  }
  GRAPH ?graph { ?subject adms:status ?value , ?better . }
}
