// Package corpus measures the ranking of suspects on real histories, and fits
// its weights on them. A case is an incident whose culprit people named by
// reverting it; a calm point is a moment at which nothing of an App was taken
// back for a week. Both are read from bare repositories that are at hand; the
// histories themselves are not part of the project.
package corpus
