// Command install fetches the XLA plugin into the cache and prints its path. It exists beside "temper plugin install" so that a fresh
// checkout gets the plugin without building the servers. The cache is TEMPER_XLA_CACHE or the user's; with TEMPER_XLA_PLUGIN set there
// is nothing to fetch. It may import device/plugin and the standard library.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"temper/device/plugin"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "install the XLA plugin:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cache := os.Getenv("TEMPER_XLA_CACHE")
	path, err := plugin.Find(os.Getenv("TEMPER_XLA_PLUGIN"), cache)
	if err != nil && os.Getenv("TEMPER_XLA_PLUGIN") == "" {
		path, err = plugin.Install(ctx, cache)
	}
	if err == nil {
		_, err = fmt.Println(path)
	}
	return err
}
