# Writes a job and its task. Consumers get the two operations in this order, the job first.
PREFIX mu: <http://mu.semte.ch/vocabularies/core/>
PREFIX task: <http://redpencil.data.gift/vocabularies/tasks/>
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX cogs: <http://vocab.deri.ie/cogs#>
PREFIX adms: <http://www.w3.org/ns/adms#>
INSERT DATA {
  GRAPH $graph {
    $job a cogs:Job ;
      mu:uuid $job_id ;
      dct:creator $creator ;
      adms:status $job_status ;
      dct:created $created ;
      dct:modified $created ;
      task:operation $job_operation .
  }
} ;
INSERT DATA {
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
