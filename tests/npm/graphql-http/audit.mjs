// Runs every audit of GraphQL over HTTP that the package `graphql-http` has against the server at a URL.
//
//   node audit.mjs http://127.0.0.1:8080/graphql
//
// Prints each audit that is not met, also where it is only a recommendation, and last a line of JSON. Exits with 0 when
// all are met, 1 when one is not, 2 when it was called wrongly.

import { serverAudits } from 'graphql-http';

const [url, ...rest] = process.argv.slice(2);
if (!url || rest.length > 0) {
  console.error('usage: node audit.mjs URL');
  process.exit(2);
}

const results = await Promise.all(
  serverAudits({ url }).map(async ({ id, name, fn }) => {
    try {
      return await fn();
    } catch (fault) {
      return { id, name, status: 'error', reason: String(fault?.cause ?? fault) };
    }
  }),
);

const summary = { total: results.length, ok: 0, notice: 0, warn: 0, error: 0 };
for (const { id, name, status, reason, response } of results) {
  summary[status] += 1;
  if (status === 'ok') continue;
  const body = response && !response.bodyUsed ? await response.text() : '';
  console.log(`${status} ${id} ${name}: ${reason}`);
  if (response) console.log(`  ${response.status} ${response.headers.get('content-type')} ${body.slice(0, 500)}`);
}
console.log(JSON.stringify(summary));
process.exit(summary.total > 0 && summary.ok === summary.total ? 0 : 1);
