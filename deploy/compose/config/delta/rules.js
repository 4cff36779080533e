// Who hears of which change.
// - ignoreFromSelf: a service must not hear of its own writes, or it starts over and over.
// - gracePeriod: milliseconds in which changes are collected into one message.
// - optOutMuScopeIds: the maintainer marks its own bulk writes with these. No other service needs them.

const BULK = [
  'http://redpencil.data.gift/id/concept/muScope/deltas/initialSync',
  'http://redpencil.data.gift/id/concept/muScope/deltas/publicationGraphMaintenance'
];

export default [
  {
    // All changes: the maintainer finds in them the data that it publishes, and its tasks.
    match: {},
    callback: {
      url: 'http://delta-producer-publication-graph-maintainer/delta',
      method: 'POST'
    },
    options: {
      resourceFormat: 'v0.0.1',
      gracePeriod: 1000,
      ignoreFromSelf: true,
      optOutMuScopeIds: BULK
    }
  },
  {
    // New tasks: the publisher takes those of dumps.
    match: {
      predicate: { type: 'uri', value: 'http://www.w3.org/ns/adms#status' },
      object: { type: 'uri', value: 'http://redpencil.data.gift/id/concept/JobStatus/scheduled' }
    },
    callback: {
      url: 'http://delta-producer-dump-file-publisher/delta',
      method: 'POST'
    },
    options: {
      resourceFormat: 'v0.0.1',
      gracePeriod: 1000,
      ignoreFromSelf: true,
      optOutMuScopeIds: BULK
    }
  },
  {
    // Every status: the controller schedules the next task, or closes the job.
    match: {
      predicate: { type: 'uri', value: 'http://www.w3.org/ns/adms#status' }
    },
    callback: {
      url: 'http://job-controller/delta',
      method: 'POST'
    },
    options: {
      resourceFormat: 'v0.0.1',
      gracePeriod: 1000,
      ignoreFromSelf: true,
      optOutMuScopeIds: BULK
    }
  },
  {
    // New errors.
    match: {
      predicate: { type: 'uri', value: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#type' },
      object: { type: 'uri', value: 'http://open-services.net/ns/core#Error' }
    },
    callback: {
      url: 'http://error-alert/delta',
      method: 'POST'
    },
    options: {
      resourceFormat: 'v0.0.1',
      gracePeriod: 1000,
      ignoreFromSelf: true
    }
  }
];
