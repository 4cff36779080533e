# Removes every triple of some subjects from one graph; from every graph if $graph is a variable. Virtuoso needs half
# the time if the graph is named.
DELETE {
  GRAPH $graph { ?subject ?predicate ?object . }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH $graph { ?subject ?predicate ?object . }
}
