// Package culprit ranks the changes that may have broken an App. It is pure:
// facts in, a finding out, so every answer can be shown again and tested. "No
// change of ours" is always one of the hypotheses, since most alerts have no
// guilty commit.
//
// There are two rankings. [Ranker.History] goes by what git alone tells, with
// weights that were fitted on what people really reverted in public repositories
// (the folder test/corpus measures and fits; weights.go is what it wrote): how
// new a change is, what of it still stands, how wide it is, whether it takes
// another back, what it has to do with the failing object. It answers backout
// find. [Ranker.Rank], which the bot acts by, also knows rollouts, health and
// the onset: the newest live change to what the App is built from, deployed
// before the onset, comes first, moved by what else was seen. Its scores are
// log-odds chosen by judgement: no public history tells when a change was
// deployed or an alert began, so there is nothing to fit them on.
package culprit
