package devstack

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	tlog "go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"

	sdklog "go.temporal.io/sdk/log"
)

// maxLogBytes is the size from which the server's log is put aside at a start.
const maxLogBytes = 16 << 20

// startTemporal runs the server and waits until the namespace, with the wanted search
// attributes, is there.
func (s *Stack) startTemporal(ctx context.Context, p ports, o Options) error {
	dir := filepath.Join(s.Dir, "temporal")
	database, err := openDatabase(dir, o)
	if err != nil {
		return fmt.Errorf("temporal: %w", err)
	}
	logFile := filepath.Join(dir, "server.log")
	if err := rotate(logFile); err != nil {
		return fmt.Errorf("temporal: server log: %w", err)
	}
	s.TemporalAddress = address(p.temporal)
	cfg, hosts := serverConfig(p, database)
	server, err := temporal.NewServer(
		temporal.WithConfig(cfg),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(fatalLogger{tlog.NewZapLogger(tlog.BuildZapLogger(tlog.Config{Level: "warn", Format: "json", OutputFile: logFile})), o.Logger, logFile}),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamicSettings()),
	)
	if err != nil {
		return fmt.Errorf("temporal: configure the server: %w", err)
	}
	s.started("Temporal server", server.Stop)
	if err := server.Start(); err != nil {
		return fmt.Errorf("temporal: %w (its log is %s)", err, logFile)
	}
	if err := s.awaitNamespace(ctx, o); err != nil {
		return fmt.Errorf("temporal: %w (the server's log is %s)", err, logFile)
	}
	return nil
}

// serverConfig puts all four services into this process, each on its port.
func serverConfig(p ports, database *config.SQL) (*config.Config, map[primitives.ServiceName]static.Hosts) {
	const store = "sqlite"
	c := &config.Config{Services: map[string]config.Service{}}
	hosts := map[primitives.ServiceName]static.Hosts{}
	for name, port := range map[primitives.ServiceName]int{
		primitives.FrontendService: p.temporal, primitives.HistoryService: p.history,
		primitives.MatchingService: p.matching, primitives.WorkerService: p.workers,
	} {
		var service config.Service
		service.RPC.GRPCPort, service.RPC.BindOnIP = port, loopback
		if name == primitives.FrontendService {
			service.RPC.HTTPPort = p.http
		}
		c.Services[string(name)] = service
		hosts[name] = static.SingleLocalHost(address(port))
	}
	c.Global.Membership.MaxJoinDuration = 30 * time.Second
	c.Global.Membership.BroadcastAddress = loopback
	c.Persistence = config.Persistence{
		DefaultStore: store, VisibilityStore: store, NumHistoryShards: 1,
		DataStores: map[string]config.DataStore{store: {SQL: database}},
	}
	c.ClusterMetadata = &cluster.Config{
		FailoverVersionIncrement: 10, MasterClusterName: clusterName, CurrentClusterName: clusterName,
		ClusterInformation: map[string]cluster.ClusterInformation{clusterName: {
			Enabled: true, InitialFailoverVersion: 1,
			RPCAddress: address(p.temporal), HTTPAddress: address(p.http),
			// Stable, for the database remembers it; no other cluster ever meets this one.
			ClusterID: "6e5c1f1e-0000-4000-8000-000000000001",
		}},
	}
	c.DCRedirectionPolicy.Policy = "noop"
	const disabled = "disabled"
	c.Archival.History.State, c.Archival.Visibility.State = disabled, disabled
	c.NamespaceDefaults.Archival.History.State, c.NamespaceDefaults.Archival.Visibility.State = disabled, disabled
	c.PublicClient.HostPort = address(p.temporal)
	return c, hosts
}

func dynamicSettings() dynamicconfig.StaticClient {
	return dynamicconfig.StaticClient{
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key():                 8096,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(): 100,
		// A search attribute that was just added can be used at once.
		dynamicconfig.ForceSearchAttributesCacheRefreshOnRead.Key(): true,
		dynamicconfig.WorkflowPauseEnabled.Key():                    true,
		dynamicconfig.MatchingEnableFairness.Key():                  true,
		// Priorities and fairness hold within a partition of a queue, and few workers need no more than one. All are still read, for an
		// earlier server may have left work in them.
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
	}
}

// awaitNamespace waits for the server, and gives the namespace what search attributes
// it lacks.
func (s *Stack) awaitNamespace(ctx context.Context, o Options) error {
	c, err := client.NewLazyClient(client.Options{HostPort: s.TemporalAddress, Namespace: o.Namespace,
		Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.until(ctx, "the server at "+s.TemporalAddress, func(ctx context.Context) error {
		_, err := c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: o.Namespace})
		return err
	}); err != nil {
		return err
	}
	there, err := c.OperatorService().ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: o.Namespace})
	if err != nil {
		return fmt.Errorf("list search attributes: %w", err)
	}
	missing, err := missingAttributes(o.SearchAttributes, there.GetCustomAttributes())
	if err != nil || len(missing) == 0 {
		return err
	}
	if _, err := c.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{Namespace: o.Namespace, SearchAttributes: missing}); err != nil {
		return fmt.Errorf("add search attributes %v: %w", sortedKeys(missing), err)
	}
	// The parts of the server learn of them one after the other; a query that names one
	// is refused until they have.
	for _, name := range sortedKeys(missing) {
		if err := s.until(ctx, "search attribute "+name, func(ctx context.Context) error {
			_, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: o.Namespace, Query: "`" + name + "` IS NOT NULL"})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// rotate puts a log that has grown large aside, over the one that was put aside before.
func rotate(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxLogBytes {
		return os.Rename(path, path+".1")
	}
	return ignoreGone(err)
}

// fatalLogger also tells the user why the server is about to end the process.
type fatalLogger struct {
	tlog.Logger
	user *slog.Logger
	file string
}

func (l fatalLogger) Fatal(message string, tags ...tag.Tag) {
	l.user.Error("the Temporal server ends the process", "reason", message, "log", l.file)
	l.Logger.Fatal(message, tags...)
}
