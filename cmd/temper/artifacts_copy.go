package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"temper/artifact"
	"temper/configs"
)

// copyOptions are the flags of temper artifacts copy.
type copyOptions struct {
	to, alias string
	all       bool
}

func (a *app) copyCommand() *cobra.Command {
	var o copyOptions
	c := &cobra.Command{Use: "copy REF --to FILE", Short: "Bring an artifact, with its lineage, into another store", Args: arguments(1, 1, "the artifact, as kind/digest, the beginning of a digest or an alias,"),
		Long: `copy brings an artifact into the store that the settings in FILE name, under the same reference, with the manifests of all that it was made
from. What is there is not sent again, so a copy that was interrupted goes on when the command is given again. Settings in FILE that name no
endpoint mean the servers that temper up runs in their data folder. Variables and --set are for the store that is copied from.`,
		RunE: func(c *cobra.Command, args []string) error {
			if o.to == "" {
				return usagef("--to is missing: name the settings file of the store to copy to")
			}
			if o.alias != "" {
				if err := artifact.CheckAlias(o.alias); err != nil {
					return usagef("--alias: %v", err)
				}
			}
			to, err := targetSettings(o.to)
			if err != nil {
				return fmt.Errorf("--to: %w", err)
			}
			return a.looking(c.Context(), func(ctx context.Context, in *conn) error { return a.copyArtifact(ctx, in, args[0], to, o) })
		}}
	f := c.Flags()
	f.StringVar(&o.to, "to", "", "the settings `FILE` of the other store")
	f.BoolVar(&o.all, "all", false, "copy the files of all that it was made from, too")
	f.StringVar(&o.alias, "alias", "", "a `NAME` for it in the other store")
	return c
}

// targetSettings reads the settings of a store to copy to, from the file alone.
func targetSettings(file string) (configs.Settings, error) {
	s, err := configs.Load(configs.Options{Files: []string{file}, Env: func() []string { return nil }})
	if err == nil {
		err = absolute(&s.Dir)
	}
	return s, err
}

func (a *app) copyArtifact(ctx context.Context, in *conn, target string, to configs.Settings, o copyOptions) error {
	ref, err := in.store.Resolve(ctx, target)
	if err != nil {
		return err
	}
	if to.S3.Endpoint == "" {
		r, ok := readRecord(to.Dir)
		if !ok {
			return fmt.Errorf("--to: %s names no s3.endpoint, and no temper up runs in %s (dir)", o.to, to.Dir)
		}
		to = r.apply(to)
	}
	other, err := openStore(ctx, to.S3)
	if err != nil {
		return fmt.Errorf("--to: %w", err)
	}
	return a.copyInto(ctx, in.store, other, ref, o)
}

func (a *app) copyInto(ctx context.Context, from, to *artifact.Store, ref artifact.Ref, o copyOptions) error {
	got, err := from.CopyTo(ctx, to, ref, o.all)
	if err == nil && o.alias != "" {
		err = to.SetAlias(ctx, o.alias, ref, nil, me(), "copied")
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s is there, with a lineage of %d; %d files (%s) were sent\n", ref, got.Artifacts-1, got.Files, size(got.Bytes))
	for _, gone := range got.Gone {
		_, err = fmt.Fprintf(a.out, "%s, which it was made from, is gone from this store too\n", gone.Short())
	}
	return err
}
