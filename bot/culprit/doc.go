// Package culprit ranks the changes that may have broken an App. It is pure:
// facts in, a finding out, so every answer can be shown again and tested. "No
// change of ours" is always one of the hypotheses, since most alerts have no
// guilty commit.
//
// There is one ranking, and it is asked in two ways. [Ranker.History] goes by
// what git alone tells, with weights that were fitted on what people really
// reverted in public repositories (the folder test/corpus measures and fits;
// weights.go is what it wrote): how new a change is, what of it still stands,
// how wide it is, whether it takes another back, what it has to do with the
// failing object. It answers backout find. [Ranker.Rank], by which the bot acts,
// is the same on the same signs, and adds in log-odds what only the bot has
// seen: rollouts against the onset, and the App's health. Those weights
// (live.go) are judgement: no public history tells when a change was deployed or
// an alert began, so there is nothing to fit them on.
package culprit
