package devstack

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/headers"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	sqliteschema "go.temporal.io/server/schema/sqlite"
	"google.golang.org/protobuf/types/known/durationpb"
)

// retention is how long closed workflows stay visible.
const retention = 30 * 24 * time.Hour

// clusterName is the server's name for itself.
const clusterName = "active"

// sqlConfig is how the server opens the database file. Every commit is on the disk
// before it is answered (synchronous 2 is FULL).
func sqlConfig(path string) *config.SQL {
	return databaseAt(path, map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "10000"})
}

func databaseAt(path string, pragmas map[string]string) *config.SQL {
	attributes := map[string]string{"mode": "rwc"}
	maps.Copy(attributes, pragmas)
	return &config.SQL{
		PluginName: sqliteplugin.PluginName,
		// The name becomes a part of a URI, in which a path may hold no ? and no #.
		DatabaseName:      (&url.URL{Path: path}).EscapedPath(),
		ConnectAttributes: attributes,
	}
}

// openDatabase makes sure that dir has a database of this server's version with the
// namespace in it.
func openDatabase(dir string, o Options) (*config.SQL, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "temporal.db")
	_, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := makeDatabase(dir, path); err != nil {
			return nil, fmt.Errorf("make database %s: %w", path, err)
		}
	case err != nil:
		return nil, err
	default:
		if err := checkVersion(dir, path); err != nil {
			return nil, err
		}
	}
	cfg := sqlConfig(path)
	namespace, err := sqliteschema.NewNamespaceConfig(clusterName, o.Namespace, false, o.SearchAttributes)
	if err != nil {
		return nil, fmt.Errorf("namespace %s: %w", o.Namespace, err)
	}
	namespace.Detail.Config.Retention = durationpb.New(retention)
	if err := sqliteschema.CreateNamespaces(cfg, namespace); err != nil {
		return nil, fmt.Errorf("database %s: %w", path, err)
	}
	return cfg, nil
}

// makeDatabase builds the schema under another name, so that what has the right name
// is always whole: the schema is many statements, and cannot be completed later.
func makeDatabase(dir, path string) error {
	leftovers, err := filepath.Glob(filepath.Join(dir, "new-*"))
	if err != nil {
		return err
	}
	for _, old := range leftovers {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
	}
	work, err := os.MkdirTemp(dir, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	// Nothing is worth keeping until it is whole, so it is synced once, below.
	unnamed := filepath.Join(work, "temporal.db")
	if err := sqliteschema.SetupSchema(databaseAt(unnamed, map[string]string{"journal_mode": "memory", "synchronous": "0"})); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(unnamed, 0o600), syncPath(unnamed)); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, "version"), []byte(headers.ServerVersion+"\n"), 0o600); err != nil {
		return err
	}
	if err := os.Rename(unnamed, path); err != nil {
		return err
	}
	return syncPath(dir)
}

// checkVersion refuses a database that another version of the server made.
func checkVersion(dir, path string) error {
	record := filepath.Join(dir, "version")
	text, err := os.ReadFile(record)
	if err != nil {
		return fmt.Errorf("database %s: which Temporal version made it is not known: %w", path, err)
	}
	if made := strings.TrimSpace(string(text)); made != headers.ServerVersion {
		return fmt.Errorf("database %s was made by Temporal server %s and this is %s, and a SQLite database cannot be migrated: "+
			"use the program that made it, or move the folder %s away to begin with an empty one (artifacts are kept elsewhere)",
			path, made, headers.ServerVersion, dir)
	}
	return nil
}

// missingAttributes compares the search attributes that are wanted with those there.
func missingAttributes(wanted, there map[string]enumspb.IndexedValueType) (map[string]enumspb.IndexedValueType, error) {
	missing := map[string]enumspb.IndexedValueType{}
	for _, name := range sortedKeys(wanted) {
		got, ok := there[name]
		switch {
		case !ok:
			missing[name] = wanted[name]
		case got != wanted[name]:
			return nil, fmt.Errorf("search attribute %s is of type %s in the database, and %s is wanted: give it another name", name, got, wanted[name])
		}
	}
	return missing, nil
}
