# Leaves one value each: the earliest date of creation, the latest of modification and the most
# advanced status. Each operation removes only a value for which it sees a better one.
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
  FILTER (?better < ?value)
} ;
DELETE {
  GRAPH ?graph { ?subject dct:modified ?value . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH ?graph { ?subject dct:modified ?value , ?better . }
  FILTER (?better > ?value)
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
