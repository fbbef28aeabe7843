package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/backout-dev/backout/vcs/git"
)

// cloneApart is the command that the bot starts to clone a repository, so that what
// that takes of memory is given back. It is for nobody else.
func cloneApart() *cobra.Command {
	return &cobra.Command{
		Use: cloneName, Hidden: true, Args: cobra.NoArgs,
		Short: "Clone a repository for the bot that started this",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return git.CloneApart(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

const cloneName = "clone-apart"

// cloneCommand is this program with that command; nil, which clones in this process,
// where the system does not tell what the program is.
func cloneCommand() []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	return []string{self, cloneName}
}
