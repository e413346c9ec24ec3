package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) configCommand() *cobra.Command {
	show := &cobra.Command{Use: "show", Short: "Print the settings in force, secrets hidden", Args: arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			text, err := s.YAML()
			if err != nil {
				return fmt.Errorf("print the settings: %w", err)
			}
			_, err = a.out.Write(text)
			return err
		}}
	return group("config", "Print the settings", "", show)
}
