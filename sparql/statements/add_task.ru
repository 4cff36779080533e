# Gives an active job its task, if it has none.
PREFIX mu: <http://mu.semte.ch/vocabularies/core/>
PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
PREFIX adms: <http://www.w3.org/ns/adms#>
INSERT {
  GRAPH $graph {
    $task a task:Task ;
      mu:uuid $task_id ;
      adms:status $task_status ;
      dct:created $created ;
      dct:modified $created ;
      task:operation $task_operation ;
      task:index "0" ;
      dct:isPartOf $job .
  }
}
WHERE {
  VALUES ?status {
    $active
  }
  GRAPH $graph {
    $job a cogs:Job ;
      adms:status ?status .
  }
  FILTER NOT EXISTS { GRAPH ?taskGraph { ?task dct:isPartOf $job . } }
}
