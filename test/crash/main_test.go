package crash

import (
	"fmt"
	"os"
	"testing"
)

// childJob names, in the environment of a process that a run starts, the file
// that says which bot it is to be.
const childJob = "BACKOUT_CRASH_JOB"

// TestMain runs the tests. In a process that a run started, it is the bot.
func TestMain(m *testing.M) {
	file := os.Getenv(childJob)
	if file == "" {
		os.Exit(m.Run())
	}
	if err := serveAsChild(file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
