package github

import (
	"strings"

	"github.com/backout-dev/backout/bot"
)

// The GraphQL documents, and the shape of what they answer. Each is held
// against GitHub's published schema by the tests.
// Reference: https://docs.github.com/graphql/reference/objects#pullrequest.

// pullFields select a pull request as the merge gate needs it, but for its
// checks. The last commit gives the tree of the head.
const pullFields = `
fragment pull on PullRequest {
  id
  number
  url
  state
  merged
  mergeCommit { oid }
  mergeStateStatus
  reviewDecision
  isInMergeQueue
  autoMergeRequest { enabledAt }
  isCrossRepository
  author { __typename login }
  baseRefName
  headRefOid
  baseRef { target { oid } }
  commits(last: 1) {
    nodes {
      commit {
        ...commit
        statusCheckRollup { contexts(first: 1) { totalCount } }
      }
    }
  }
}
fragment commit on Commit {
  oid
  tree { oid }
  parents(first: 3) { nodes { oid } }
  message
  author { name }
}
`

// The fields of the opening document, by what is still missing. They are
// executed in this order, each on what the one before left
// (https://spec.graphql.org/October2021/#sec-Mutation).
const (
	refField    = `  createRef(input: $ref) { ref { name } }` + "\n"
	commitField = `  createCommitOnBranch(input: $commit) { commit { ...commit } }` + "\n"
	pullField   = `  createPullRequest(input: $pull) { pullRequest { ...pull } }` + "\n"
)

const gateDocument = `
query Gate($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      ...pull
      checks: commits(last: 1) {
        nodes {
          commit {
            oid
            statusCheckRollup {
              contexts(first: 100, after: $after) {
                pageInfo { hasNextPage endCursor }
                nodes {
                  __typename
                  ... on CheckRun {
                    name
                    status
                    conclusion
                    isRequired(pullRequestNumber: $number)
                    checkSuite { app { databaseId } }
                  }
                  ... on StatusContext {
                    context
                    state
                    isRequired(pullRequestNumber: $number)
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
` + pullFields

// lookDocument reads what stands on a branch, and the pull requests that came
// from it. Forks may use the same branch name; their pull
// requests are sorted out by isCrossRepository.
const lookDocument = `
query Look($owner: String!, $name: String!, $ref: String!, $branch: String!) {
  viewer { login }
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $ref) {
      target { oid ... on Commit { ...commit } }
    }
    pullRequests(headRefName: $branch, last: 50) {
      nodes { ...pull }
    }
  }
}
` + pullFields

// commitNode is the fragment "commit".
type commitNode struct {
	OID  bot.SHA `json:"oid"`
	Tree struct {
		OID bot.SHA `json:"oid"`
	} `json:"tree"`
	Parents struct {
		Nodes []struct {
			OID bot.SHA `json:"oid"`
		} `json:"nodes"`
	} `json:"parents"`
	// Message is whole: messageHeadline is cut after 72 characters.
	Message string `json:"message"`
	Author  struct {
		Name string `json:"name"`
	} `json:"author"`
}

// headline is the first line of the message.
func (n commitNode) headline() string {
	line, _, _ := strings.Cut(n.Message, "\n")
	return line
}

// is tells whether the commit is exactly what was asked for.
func (n commitNode) is(tree, parent bot.SHA) bool {
	return n.Tree.OID == tree && len(n.Parents.Nodes) == 1 && n.Parents.Nodes[0].OID == parent
}

// headNode is the head of a pull request with the count of its checks.
type headNode struct {
	commitNode
	Rollup *struct {
		Contexts struct {
			Total int `json:"totalCount"`
		} `json:"contexts"`
	} `json:"statusCheckRollup"`
}

type oidNode struct {
	OID bot.SHA `json:"oid"`
}

// auto is auto-merge that is armed. Its date may be null.
type auto struct {
	EnabledAt string `json:"enabledAt"`
}

// pullNode is the fragment "pull".
type pullNode struct {
	ID             string   `json:"id"`
	Number         int      `json:"number"`
	URL            string   `json:"url"`
	State          string   `json:"state"` // OPEN, CLOSED, MERGED
	Merged         bool     `json:"merged"`
	MergeCommit    *oidNode `json:"mergeCommit"`
	MergeState     string   `json:"mergeStateStatus"`
	ReviewDecision string   `json:"reviewDecision"`
	InQueue        bool     `json:"isInMergeQueue"`
	Auto           *auto    `json:"autoMergeRequest"` // nil where it is not armed
	CrossRepo      bool     `json:"isCrossRepository"`
	Author         *struct {
		Type  string `json:"__typename"`
		Login string `json:"login"`
	} `json:"author"`
	BaseName string  `json:"baseRefName"`
	Head     bot.SHA `json:"headRefOid"`
	BaseRef  *struct {
		Target oidNode `json:"target"`
	} `json:"baseRef"`
	Commits struct {
		Nodes []struct {
			Commit headNode `json:"commit"`
		} `json:"nodes"`
	} `json:"commits"`
}

func (p *pullNode) open() bool { return p.State == "OPEN" }

// by tells whether the App of that login opened it. REST and viewer say
// "name[bot]", GraphQL's authors are plain "name" of type Bot.
func (p *pullNode) by(login string) bool {
	return p.Author != nil && p.Author.Type == "Bot" && login != "" &&
		strings.TrimSuffix(p.Author.Login, "[bot]") == strings.TrimSuffix(login, "[bot]")
}

// head is the head commit. It is missing while GitHub has not listed the
// newest push among the pull request's commits.
func (p *pullNode) head() (headNode, bool) {
	for _, n := range p.Commits.Nodes {
		if n.Commit.OID == p.Head {
			return n.Commit, true
		}
	}
	return headNode{}, false
}

// baseHead is where the base branch stands, "" when it is gone.
func (p *pullNode) baseHead() bot.SHA {
	if p.BaseRef == nil {
		return ""
	}
	return p.BaseRef.Target.OID
}
