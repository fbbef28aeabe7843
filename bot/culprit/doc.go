// Package culprit ranks the changes that may have broken an App. It is pure:
// facts in, a finding out, so every answer can be shown again and tested.
//
// The ranking is the plain form of the design: the newest live change to what
// the App is built from, deployed before the onset, comes first, moved by what
// else was seen (the failing object changed, how long before the onset it was
// rolled out, how the App was before). "No change of ours" is always one of
// the hypotheses, since most alerts have no guilty commit. Scores are log-odds
// chosen by judgement, not fitted yet.
package culprit
