# Leaves one value each: the earliest date of creation, the latest of modification and the most
# advanced status. Each operation removes only a value for which it sees a better one. A day and a
# time are compared as texts: Oxigraph cannot compare their values. Several of these are one request,
# so there is no prefix. The subject is no variable: for a list of subjects, Virtuoso sometimes read
# the status of everything.
DELETE {
  GRAPH ?graph { $subject <http://purl.org/dc/terms/created> ?value . }
}
WHERE {
  GRAPH ?graph { $subject <http://purl.org/dc/terms/created> ?value , ?better . }
  FILTER (IF(DATATYPE(?better) = DATATYPE(?value), ?better < ?value, STR(?better) < STR(?value)))
} ;
DELETE {
  GRAPH ?graph { $subject <http://purl.org/dc/terms/modified> ?value . }
}
WHERE {
  GRAPH ?graph { $subject <http://purl.org/dc/terms/modified> ?value , ?better . }
  FILTER (IF(DATATYPE(?better) = DATATYPE(?value), ?better > ?value, STR(?better) > STR(?value)))
} ;
DELETE {
  GRAPH ?graph { $subject <http://www.w3.org/ns/adms#status> ?value . }
}
WHERE {
  VALUES (?value ?better) {
    $advances
  }
  GRAPH ?graph { $subject <http://www.w3.org/ns/adms#status> ?value , ?better . }
}
