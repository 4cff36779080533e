# Ends a job and its unfinished tasks, as they were read: what ended meanwhile stays as it is, and a
# job that got another active task is left alone.
PREFIX dct: <http://purl.org/dc/terms/>
PREFIX adms: <http://www.w3.org/ns/adms#>
DELETE {
  GRAPH ?graph {
    ?subject adms:status ?status ;
      dct:modified ?modified .
  }
}
INSERT {
  GRAPH ?graph {
    ?subject adms:status $ended ;
      dct:modified $now .
  }
}
WHERE {
  VALUES ?subject {
    $subjects
  }
  GRAPH ?graph {
    ?subject adms:status ?status .
    OPTIONAL { ?subject dct:modified ?modified . }
  }
  FILTER (?status IN ($active))
  FILTER NOT EXISTS {
    GRAPH ?taskGraph {
      ?other dct:isPartOf $job ;
        adms:status ?otherStatus .
    }
    FILTER (?otherStatus IN ($active) && $unknown)
  }
}
