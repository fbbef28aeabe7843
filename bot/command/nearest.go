package command

// distance counts the single slips between two words: a letter more, less or
// other, or two neighbours swapped (optimal string alignment).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}

// nearest is the known word that a person most likely meant, or "" when none
// is near: at most two slips, and fewer than half of the letters.
func nearest(word string, known []string) string {
	if len(word) > 20 {
		return ""
	}
	best, bestDistance := "", 3
	for _, k := range known {
		if d := distance(word, k); d < bestDistance && 2*d < len(k) {
			best, bestDistance = k, d
		}
	}
	return best
}
