PREFIX mu: <http://mu.semte.ch/vocabularies/core/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX oslc: <http://open-services.net/ns/core#>
PREFIX deltas: <http://redpencil.data.gift/vocabularies/deltas/>
INSERT {
  GRAPH <http://mu.semte.ch/graphs/system/jobs> {
    <http://redpencil.data.gift/id/jobs/error/e> a oslc:Error, deltas:Error ;
      mu:uuid "e" ;
      dct:subject "Delta Producer Background Jobs Initiator" ;
      oslc:message "no \"dump\":\nwhy \\ ever" ;
      dct:created "2024-01-06T06:00:00.000Z"^^<http://www.w3.org/2001/XMLSchema#dateTime> ;
      dct:creator <http://lblod.data.gift/services/initiator/public> .
  }
}
WHERE {
  VALUES ?once { 1 }
  FILTER NOT EXISTS { GRAPH ?graph { <http://redpencil.data.gift/id/jobs/error/e> a oslc:Error . } }
}
