package condition

import "github.com/google/cel-go/cel"

// Type is one type of the view.
type Type struct {
	// Name is how errors call it; the view itself is "view".
	Name   string
	Fields []Field
}

// Field is one field of a type. A Sometimes field is missing where its value is
// not known or there is none; has(x.field) tells, and reading it then raises the
// guard.
type Field struct {
	Name      string
	Type      *cel.Type
	Sometimes bool
	// Doc is for people: a phrase.
	Doc string
}

func object(name string) *cel.Type { return cel.ObjectType("backout." + name) }

var (
	text  = cel.StringType
	texts = cel.ListType(cel.StringType)
	body  = cel.MapType(cel.StringType, cel.DynType)
)

// Schema is the view: the first type's fields are the names that an expression
// begins with. Fields may be added, never renamed or given another type: they
// are in people's policy files.
func Schema() []Type {
	return []Type{
		{"view", []Field{
			{"incident", object("Incident"), false, "why Backout acts"},
			{"finding", object("Finding"), false, "how sure it is that the culprit is guilty"},
			{"culprit", object("Culprit"), false, "the change to take back"},
			{"revert", object("Revert"), false, "what taking it back writes"},
			{"targets", cel.ListType(object("Target")), false, "the Apps that are broken"},
			{"affected", cel.IntType, false, "how many other Apps the revert changes"},
			{"branch", object("Branch"), false, "the branch it is merged into"},
			{"now", cel.TimestampType, false, "when it is judged"},
		}},
		{"Incident", []Field{
			{"kind", text, false, "`command`, `alert` or `rule`"},
			{"requester", text, false, "login of who commanded it; empty for alerts and rules"},
			{"alerts", cel.ListType(cel.MapType(text, text)), false, "the labels of each alert"},
		}},
		{"Finding", []Field{
			{"known", cel.BoolType, false, "false where a person named the culprit; then nothing else of `finding` is there"},
			{"confident", cel.BoolType, true, "nothing leaves a doubt"},
			{"chance", cel.DoubleType, true, "that the culprit did it, 0 to 1"},
			{"none", cel.DoubleType, true, "chance that no change of yours did it, 0 to 1"},
		}},
		{"Culprit", []Field{
			{"sha", text, false, "its newest commit, 40 hex digits"},
			{"commits", cel.IntType, false, "how many commits it has"},
			{"pr", cel.IntType, false, "number of its pull request; 0 where there is none"},
			{"author", text, false, "GitHub login where known, else the name in the commit"},
			{"automated", cel.BoolType, false, "its author calls itself a bot"},
			{"subject", text, false, "first line of its message"},
			{"paths", texts, false, "files it changed"},
			{"is_revert", cel.BoolType, false, "it takes something back itself"},
			{"age", cel.DurationType, true, "since it reached the branch"},
		}},
		{"Revert", []Field{
			{"files", cel.ListType(object("File")), false, "files it writes"},
			{"objects", cel.ListType(object("Object")), false, "Kubernetes objects that stand in those files and differ, as they are written; nothing is rendered"},
		}},
		{"File", []Field{
			{"path", text, false, "from the root of the repository"},
			{"status", text, false, "`added`, `changed` or `deleted`, by the revert"},
			{"before_mode", text, false, "git mode on the branch (`100644`); empty where it is not there"},
			{"after_mode", text, false, "git mode after the revert"},
		}},
		{"Object", []Field{
			{"path", text, false, "file it stands in"},
			{"status", text, false, "`added`, `changed` or `deleted`, by the revert"},
			{"group", text, false, "API group; empty for the core group"},
			{"kind", text, false, "`Deployment`"},
			{"namespace", text, false, "as written; empty where the manifest names none"},
			{"name", text, false, "as written"},
			{"before", body, true, "the whole object on the branch"},
			{"after", body, true, "the whole object after the revert"},
			{"fields", texts, false, "what differs, such as `spec.template.spec.containers[web].image`; all there is, where the object is added or deleted"},
		}},
		{"Target", []Field{
			{"id", text, false, "`cluster/Kind/namespace/name`"},
			{"kind", text, false, "`Kustomization`, `HelmRelease` or `Application`"},
			{"cluster", text, false, "as the server's configuration names it"},
			{"namespace", text, false, "where the App's own object is"},
			{"name", text, false, "of the App"},
			{"into", text, false, "namespace that it delivers to; empty where the manifests decide"},
		}},
		{"Branch", []Field{
			{"name", text, false, "`main`"},
			{"protected", cel.BoolType, false, "a rule demands something before a merge"},
		}},
	}
}
