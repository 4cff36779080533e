# Removes errors.
DELETE {
  GRAPH ?graph { ?error ?predicate ?object . }
}
WHERE {
  VALUES ?error {
    $errors
  }
  GRAPH ?graph { ?error ?predicate ?object . }
}
