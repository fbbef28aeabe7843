// Package verify asks the monitoring side: whether a check on Prometheus holds,
// since when an alert's condition is true, and whether Alertmanager still shows
// it.
//
// Not to know is an answer of its own here. No data, NaN, a warning beside a
// good answer, nobody to ask: all of that is [bot.CheckUnknown], never a pass,
// because the flow calls production healthy on the strength of a pass.
//
// Nothing of an alert or an App is ever part of a query's grammar: values enter
// as the content of a string, and label names by an allow-list. Addresses come
// from the configuration alone; a redirect to another host is refused, so that
// credentials go nowhere else.
package verify
