# The front door: make lists what there is.

# One way of compiling for build, test and CI, so that the servers (minutes of compiling) are compiled once.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION)

# The values that shorten the demo to a few minutes: it then shows that the parts fit together, not what they are worth.
SHORT := base.pretrain.steps=200 base.pretrain.chunk_steps=100 tasks.pool.count=64 tasks.frontier.count=32 tasks.heldout.count=32 tasks.broad.count=64 \
  stages.probe.rounds=4 stages.probe.prompts=16 stages.limr.keep.min_score=-1000 stages.limr.keep.count=24 \
  stages.rl1.rounds=3 stages.rl1.prompts=16 stages.rl1.override.interleave.fill=8 stages.grpo.rounds=3 stages.grpo.prompts=16 stages.rl1-random.rounds=3 stages.rl1-random.prompts=16 \
  stages.sws.budget=16 stages.sws.keep.low=0 stages.sws.keep.high=1 stages.sws.agree=1 stages.rl2.rounds=3 stages.rl2.prompts=16 \
  stages.uniform.budget=16 stages.uniform.keep.low=0 stages.uniform.keep.high=1 stages.uniform.agree=1 stages.rl2-uniform.rounds=3 stages.rl2-uniform.prompts=16 \
  stages.student.steps=40 stages.student.samples=2 stages.student.only_correct=false stages.student.on_policy.rounds=2 stages.student.on_policy.prompts=16

# Packages whose tests also run under the race detector: those that do not drive the accelerator.
RACE := ./activities/contract/... ./artifact/... ./configs/... ./data/... ./eval/... ./lm/chat/... ./lm/hf/... ./lm/tokenizer/... ./pipelines/... \
  ./reward/... ./tasks/... ./workers/... ./workflows/...

TOOL := go tool -modfile=tools/go.mod

.PHONY: help build temporal-cli minio plugin demo demo-short test chaos bench profile bench-gpu gpu-compile parity check fmt vet lint workflowcheck race clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

build: ## bin/temper
	go build -ldflags '$(LDFLAGS)' -o bin/temper ./cmd/temper

temporal-cli: ## bin/temporal, Temporal's own command line, which some tests drive (minutes; outside the program's modules)
	cd deploy/tools/temporal && go build -o ../../../bin/temporal github.com/temporalio/cli/cmd/temporal

plugin: ## the XLA plugin, fetched once into the user's cache
	go run ./device/plugin/install

demo: plugin build ## the whole recipe on this machine (FRESH=1 trains again what was trained before)
	bin/temper run demo --watch $(if $(FRESH),--fresh)

demo-short: plugin build ## the same stages in a few minutes, in a folder of their own (DIR)
	bin/temper run demo --watch --set dir=$(or $(DIR),.temper/short) $(SHORT:%=--set %) $(ARGS)

test: plugin ## all tests
	go test -p 2 -timeout 40m $(ARGS) ./...

chaos: plugin build ## runs whose processes are killed, whose store fails: do they end with the same bits? Into docs/chaos.md (ARGS="-hours 1")
	go run ./chaos $(ARGS)

minio: ## bin/minio, a real MinIO server for the conformance tests, built from its module (minutes)
	@mkdir -p bin
	cd deploy/tools/minio && CGO_ENABLED=0 nice go build -ldflags '-s -w' -o ../../../bin/minio github.com/minio/minio

bench: plugin build ## temper beside its peers, into docs/benchmarks.md (ARGS="-rows 'train_A.*'")
	go run ./bench $(ARGS)

profile: plugin ## where the time of temper's side of the benches goes, into docs/profiles.md
	go build -o bin/temper-bench ./bench
	bin/temper-bench profile

bench-gpu: ## the same on a GPU, into docs/benchmarks-gpu.md (TEMPER_XLA_PLUGIN=…, ARGS="-python PYTHON")
	CGO_ENABLED=1 go build -ldflags '-s -w' -o bin/temper-bench-gpu ./bench/gpu
	bin/temper-bench-gpu $(ARGS)

# A Python with the CUDA plugin and what it compiles with, 0.7 GB.
CUDA := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/temper/bench/cuda

gpu-compile: plugin ## every program of the engine, compiled for a GPU that need not be there; their memory into docs/compiled-gpu.md
	test -x $(CUDA)/bin/python || python3 -m venv $(CUDA)
	$(CUDA)/bin/python -m pip install --quiet --disable-pip-version-check -r bench/gpu/requirements.txt
	TEMPER_CUDA_PLUGIN="$$(echo $(CUDA)/lib/python3*/site-packages/jax_plugins/xla_cuda13/xla_cuda_plugin.so)" go test -count 1 -timeout 40m ./bench/gpu
	go run ./bench/gpu -python $(CUDA)/bin/python -target bench/gpu/h100.txtpb

parity: plugin build ## what temper exports, loaded and computed by transformers
	go run ./bench python train/parity/testdata/check_export.py bin/temper train/parity/testdata/*/

check: fmt vet lint workflowcheck race ## everything a reviewer would run beside the tests

fmt:
	@test -z "$$(gofmt -l . | tee /dev/stderr)" || { echo 'gofmt -w these files' >&2; exit 1; }

vet:
	go vet ./...

lint:
	$(TOOL) golangci-lint run

workflowcheck:
	$(TOOL) workflowcheck -config tools/workflowcheck.yaml ./workflows/...

race:
	go test -race -p 1 -short -timeout 30m $(RACE)

clean: ## what build has made; runs and caches stay
	rm -rf bin
