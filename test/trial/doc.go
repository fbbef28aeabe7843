// Package trial holds fakehub, and Backout's own client, against what GitHub
// publishes and against a client that nobody here wrote:
//
//   - every REST exchange against the OpenAPI description (@octokit/openapi):
//     the route, the request, the status and the answer;
//   - every GraphQL document and its variables, and every answer, against the
//     public schema (@octokit/graphql-schema), of which fakehub's own schema
//     must be a part;
//   - every webhook against the webhook schemas (@octokit/openapi-webhooks);
//   - every published example of a webhook (@octokit/webhooks-examples) through
//     Backout's receiver;
//   - Debian's gh, over a unix socket.
//
// The packages come from npm by package-lock.json, into a folder that git
// ignores; without them the tests fail and name the command. What is judged is
// a conversation that the package plays itself and, with TRIAL_RECORDS set to a
// folder, whatever other tests have left there by FAKEHUB_RECORD.
//
// Where GitHub's own description is known to be wrong, or a test is rude on
// purpose, allow_test.go says so. An allowance that nothing needs fails.
package trial
