# Removes tasks that are still scheduled and whose job still does not exist.
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
PREFIX adms: <http://www.w3.org/ns/adms#>
DELETE {
  GRAPH ?graph { ?task ?predicate ?object . }
}
WHERE {
  VALUES ?task {
    $tasks
  }
  GRAPH ?taskGraph {
    ?task adms:status $scheduled ;
      dct:isPartOf ?job .
  }
  FILTER NOT EXISTS { GRAPH ?jobGraph { ?job a cogs:Job . } }
  GRAPH ?graph { ?task ?predicate ?object . }
}
