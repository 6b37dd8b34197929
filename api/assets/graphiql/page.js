// Starts GraphiQL on this server's own endpoint.
//
// Subscriptions come as server-sent events over fetch, so the Authorization header of the header
// box goes with every kind of operation. Headers are never stored in the browser.
'use strict';

(() => {
  const ENDPOINT = '/graphql';

  /** True when the operation to run is a subscription. */
  function isSubscription(document, operationName) {
    const operations = (document?.definitions ?? []).filter(
      (definition) => definition.kind === 'OperationDefinition',
    );
    const operation = operationName
      ? operations.find((candidate) => candidate.name?.value === operationName)
      : operations[0];
    return operation?.operation === 'subscription';
  }

  function post(params, headers, accept, signal) {
    return fetch(ENDPOINT, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', accept },
      body: JSON.stringify(params),
      signal,
    });
  }

  /** The answers of an event stream, one by one. */
  async function* events(params, headers) {
    const stop = new AbortController();
    try {
      const response = await post(params, headers, 'text/event-stream', stop.signal);
      if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
        yield await response.json();
        return;
      }
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        text += value;
        const parts = text.split('\n\n');
        text = parts.pop();
        for (const part of parts) {
          if (part.startsWith('event: complete')) return;
          const data = part.split('\n').find((line) => line.startsWith('data: '));
          if (data) yield JSON.parse(data.slice('data: '.length));
        }
      }
    } finally {
      stop.abort();
    }
  }

  function fetcher(params, options) {
    const headers = options?.headers ?? {};
    if (isSubscription(options?.documentAST, params.operationName)) {
      return events(params, headers);
    }
    return post(params, headers, 'application/graphql-response+json, application/json;q=0.9').then(
      (response) => response.json(),
    );
  }

  const { GraphiQL, React, ReactDOM } = window;
  ReactDOM.createRoot(document.getElementById('graphiql')).render(
    React.createElement(GraphiQL.GraphiQL ?? GraphiQL, {
      fetcher,
      defaultHeaders: '{\n  "Authorization": "Bearer "\n}',
      defaultEditorToolsVisibility: 'headers',
      isHeadersEditorEnabled: true,
      shouldPersistHeaders: false,
      showPersistHeadersSettings: false,
      defaultQuery:
        '# Put your key behind "Bearer " in the Headers box below, then press the\n' +
        '# re-fetch button at the lower left to load the schema.\n\n' +
        'query Whoami {\n  __typename\n}\n',
    }),
  );
})();
