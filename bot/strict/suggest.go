package strict

import (
	"fmt"
	"reflect"
	"strings"
)

func suggest(key string, fields map[string]reflect.Type) string {
	return Meant(key, sortedKeys(fields))
}

// Meant guesses which of the names was meant: "; did you mean level?", or all of
// them where none is near.
func Meant(key string, names []string) string {
	best, least := "", len(key)/2+1
	for _, name := range names {
		if d := distance(key, name); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	return "; known here: " + strings.Join(names, ", ")
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(b)]
}
