package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"temper/device/plugin"
)

func (a *app) pluginCommand() *cobra.Command {
	install := &cobra.Command{Use: "install", Short: "Fetch the CPU plugin with pip, unless it is there", Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			path, err := plugin.Install(c.Context(), s.XLA.Cache)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, path)
			return err
		}}
	path := &cobra.Command{Use: "path", Short: "Print the path of the plugin in use", Args: arguments(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			s, err := a.settings()
			if err != nil {
				return err
			}
			path, err := plugin.Find(s.XLA.Plugin, s.XLA.Cache)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, path)
			return err
		}}
	return group("plugin", "Find or fetch the XLA plugin, which runs the tensors", "", install, path)
}
