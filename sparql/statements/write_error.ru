# Writes an error unless it exists: two replicas may word the same error differently, and alerting
# breaks on a second value. VALUES gives Virtuoso the row without which it ignores FILTER NOT EXISTS.
PREFIX mu: <http://mu.semte.ch/vocabularies/core/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX oslc: <http://open-services.net/ns/core#>
PREFIX deltas: <http://redpencil.data.gift/vocabularies/deltas/>
INSERT {
  GRAPH $graph {
    $error a oslc:Error, deltas:Error ;
      mu:uuid $error_id ;
      dct:subject $subject ;
      oslc:message $message ;
      dct:created $created ;
      dct:creator $creator$reference .
  }
}
WHERE {
  VALUES ?once { 1 }
  FILTER NOT EXISTS { GRAPH ?graph { $error a oslc:Error . } }
}
