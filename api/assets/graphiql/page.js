// Starts GraphiQL on this server, with documents to try. A token in the address (#token=…) signs in.
'use strict';

const token = new URLSearchParams(location.hash.slice(1)).get('token');
const headers = JSON.stringify({ Authorization: `Bearer ${token ?? 'paste a session token or an API key here'}` }, null, 2);

const socketUrl = new URL('/graphql/ws', location.href);
socketUrl.protocol = socketUrl.protocol === 'https:' ? 'wss:' : 'ws:';

// The headers editor holds the token: a subscription needs it when it connects.
let authorization = token ? `Bearer ${token}` : undefined;
const httpFetch = GraphiQL.createFetcher({ url: '/graphql' });
const socketFetch = () => GraphiQL.createFetcher({
  url: '/graphql',
  wsClient: graphqlWs.createClient({ url: socketUrl.href, connectionParams: { authorization } }),
});
const isSubscription = (params, options) => {
  const operations = options?.documentAST?.definitions.filter((d) => d.kind === 'OperationDefinition') ?? [];
  const named = operations.find((d) => d.name?.value === params.operationName) ?? operations[0];
  return named?.operation === 'subscription';
};
const fetcher = (params, options) => {
  authorization = options?.headers?.Authorization ?? options?.headers?.authorization ?? authorization;
  return isSubscription(params, options) ? socketFetch()(params, options) : httpFetch(params, options);
};

const defaultTabs = [
  { query: `# Who am I, and what may I do?
query Viewer {
  viewer {
    actor { name kind }
    role { key name }
    permissions { name }
    companies { id name role { key } }
  }
  company { name currency chart }
}`, headers },
  { query: `# The newest invoices with what is on them
query NewestInvoices {
  invoices(first: 10) {
    totalCount
    edges {
      node {
        number
        issueDate
        dueDate
        paymentState
        total { amount currency }
        customer { name }
        lines { description quantity net { amount } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`, headers },
  { query: `# The figures, live: leave it running
subscription Figures {
  kpis {
    revision
    snapshot
    kpis {
      key
      label
      value { number amounts { amount currency } }
    }
  }
}`, headers },
  { query: `# Bills that wait for approval
query BillsToApprove {
  bills(first: 20, filter: { states: [RECEIVED] }) {
    edges {
      node {
        id
        number
        supplier { name }
        payable { amount currency }
        findings { rule message }
      }
    }
  }
}`, headers },
  { query: `# Electronic invoices in three steps: 1. createUpload, 2. PUT the file to the url, 3. importBills
mutation Upload {
  createUpload(input: { name: "invoice.xml", mediaType: "application/xml", size: 6749 }) {
    file { id } uploadUrl expiresAt userErrors { code field message }
  }
}

mutation Import($ids: [ID!]!) {
  importBills(input: { uploadIds: $ids }) {
    files { file { id name } bill { id number } userError { code message } }
  }
}`, headers },
];

ReactDOM.createRoot(document.getElementById('graphiql')).render(
  React.createElement(GraphiQL, { fetcher, defaultTabs, defaultHeaders: headers, shouldPersistHeaders: false }),
);
