# Removes every triple of some subjects.
DELETE {
  GRAPH ?graph { ?subject ?predicate ?object . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH ?graph { ?subject ?predicate ?object . }
}
