# Writes a job and its task, each only if it does not exist: another write for the same job may be
# under way. On Virtuoso that is atomic. VALUES gives it the row without which it ignores the filter.
PREFIX mu: <http://mu.semte.ch/vocabularies/core/>
PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
PREFIX adms: <http://www.w3.org/ns/adms#>
INSERT {
  GRAPH $graph {
    $job a cogs:Job ;
      mu:uuid $job_id ;
      dct:creator $creator ;
      adms:status $job_status ;
      dct:created $created ;
      dct:modified $created ;
      task:operation $job_operation .
  }
}
WHERE {
  VALUES ?once { 1 }
  FILTER NOT EXISTS { GRAPH ?graph { $job a cogs:Job . } }
} ;
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
  VALUES ?once { 1 }
  FILTER NOT EXISTS { GRAPH ?graph { $task a task:Task . } }
}
