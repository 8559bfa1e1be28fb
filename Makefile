# monarch-tui. `make` says what there is.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

BIN      := bin/monarch-tui
TOOLS    := $(CURDIR)/.tools
LINT     := .tools/golangci-lint
VENV     := $(TOOLS)/monarch-venv
NVML     := CGO_ENABLED=1 CGO_CFLAGS=-Wno-deprecated-declarations# the bindings bind what NVIDIA has deprecated too
FUZZTIME ?= 10s
COUNT    ?= 10
SEEDS    ?= $(if $(FOR),0,1000)
REPS     ?= 10
AT_ONCE  := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))# packages tested beside each other: many tests wait for a clock
QUICK    := -gcflags='all=-N -l'# nobody runs what is compiled: a third less time
LONG     := ./engine ./quicnet ./engine/internal/hosts ./cmd/monarch-tui ./debugger# what takes longest begins first
BENCHTIME ?= 1s

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ Use

.PHONY: build
build: ## Build bin/monarch-tui
	@mkdir -p $(dir $(BIN))
	go build -o $(BIN) ./cmd/monarch-tui

.PHONY: demo
demo: build ## Build, and watch the ping-pong demo on real worker processes; without a terminal it is printed
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN) --demo pingpong; else $(BIN) --demo pingpong --headless; fi

.PHONY: install
install: ## Install monarch-tui where `go install` puts programs
	go install ./cmd/monarch-tui

##@ Check

.PHONY: test
test: lint vet arch unit scripts ## Everything: lint, vet, import rule, generated docs, all tests under -race, all scripts

.PHONY: unit
unit: ## All tests under the race detector (docs that are out of date fail here), and without it those that count allocations
	go test -race -timeout 20m -p $(AT_ONCE) $(LONG) ./...
	go test -run 'Allocate' ./engine ./engine/internal/invoke
	$(NVML) go test -tags nvml -run 'NVML|Library' ./engine/internal/gpu

.PHONY: arch
arch: ## The import rule and the rules for files
	go test -run '^TestThe' .

.PHONY: scripts
scripts: build ## Run demos/scripts/*.mtui
	$(BIN) run demos/scripts/*.mtui

.PHONY: vet
vet: ## go vet for macOS and a build for Windows; for Linux, and in the benchmark modules, the linter does what go vet does
	GOOS=darwin go vet $(QUICK) ./...
	GOOS=windows go build $(QUICK) ./...

.PHONY: lint
lint: $(LINT) ## golangci-lint, at the version that tools/go.mod names
	$(LINT) run ./...
	$(NVML) $(LINT) run --build-tags nvml ./engine/internal/gpu/...
	cd engine/bench && ../../$(LINT) run --config ../../.golangci.yml ./...
	cd tui/bench && ../../$(LINT) run --config ../../.golangci.yml ./...

.PHONY: test-slurm
test-slurm: ## Agents on a real Slurm of two nodes, made here of namespaces, and under mpirun: needs root, Slurm's packages and openmpi-bin
	@dir=$$(mktemp -d); up=engine/internal/launch/via/testdata/slurm.sh; trap "$$up down $$dir; rm -rf $$dir" EXIT; $$up up $$dir; \
	SLURM_CONF=$$dir/slurm.conf VIA_SLURM=$$dir VIA_MPIRUN=1 go test -race -count=1 -p 1 -v -run 'Slurm|Mpirun' \
		-exec 'nsenter --net=/run/netns/via0' ./engine/internal/launch/via ./engine/internal/hosts

.PHONY: test-k8s
test-k8s: ## Agents on a real Kubernetes, but for its kubelets, of two nodes made here of namespaces: needs root, openssl and kubectl; built from source, at first for long
	cd tools/k8s && go vet ./... && go build -o $(TOOLS)/k8s/ tool
	@dir=$$(mktemp -d); up=engine/internal/launch/via/testdata/k8s.sh; trap "$$up down $$dir; rm -rf $$dir" EXIT; $$up up $$dir $(TOOLS)/k8s; \
	VIA_K8S=$$dir go test -race -count=1 -p 1 -v -run Kube \
		-exec 'nsenter --net=/run/netns/kube0' ./engine/internal/launch/via ./engine/internal/hosts

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s) each
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file fn; do \
		echo "== $$(dirname $$file) $${fn#func }"; \
		go test -run '^$$' -fuzz "^$${fn#func }\$$" -fuzztime $(FUZZTIME) "$$(dirname $$file)"; \
	done

.PHONY: swarm
swarm: ## Faults at random, by seed: SEEDS (1000) sessions on a simulated network, a twentieth of that with real processes, a fiftieth with agents; FOR=1h: as many as fit
	SWARM_SEEDS=$(SEEDS) SWARM_FOR=$(FOR) go test -count=1 -timeout 0 -v -run Swarm ./quicnet
	SWARM_SEEDS=$$(($(SEEDS) / 20)) SWARM_FOR=$(FOR) go test -count=1 -timeout 0 -v -run Swarm ./engine/internal/faults
	SWARM_SEEDS=$$(($(SEEDS) / 50)) SWARM_FOR=$(FOR) go test -count=1 -timeout 0 -v -run Swarm ./engine/internal/hosts

.PHONY: soak
soak: build swarm ## The swarm, then look for flaky tests and left-over processes: COUNT (10) rounds of tests under -race, demos and scripts
	for i in $$(seq $(COUNT)); do \
		echo "== round $$i of $(COUNT)"; \
		go test -race -count=1 ./...; \
		for d in $$($(BIN) demo list | awk '{print $$1}'); do $(BIN) --demo $$d --headless >/dev/null; done; \
		$(BIN) run demos/scripts/*.mtui >/dev/null; \
		! pgrep -f "^$(CURDIR)/$(BIN)" || { echo "processes are left over"; exit 1; }; \
	done

##@ Measure

.PHONY: bench
bench: ## Benchmarks next to the code, then side by side with raw QUIC, gRPC, NATS, other actors, (after bench-monarch, bench-delve) Monarch and Delve, and Bubble Tea 1
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...
	cd engine/bench && go build -o $(TOOLS)/bench-peers/ ./peers/... && for p in start local bare; do go build -o $(TOOLS)/bench-$$p ./$$p || exit 1; done
	cd engine/bench/peers/goakt && go build -o $(TOOLS)/bench-peers/ . || echo "goakt takes no part"
	cd engine/bench && go build -o $(TOOLS)/bench . && $(TOOLS)/bench -reps $(REPS) # go run leaves out what Delve reads
	cd tui/bench && go test -run '^$$' -bench . -benchtime 1x ./...

.PHONY: bench-monarch
bench-monarch: ## Make the Python environment in which bench finds Monarch itself
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement engine/bench/monarch/requirements.txt

.PHONY: bench-delve
bench-delve: ## Build the Delve that bench compares the debugger with; without it one that is in PATH or BENCH_DLV takes part
	GOBIN=$(TOOLS) go install github.com/go-delve/delve/cmd/dlv@v1.27.2

##@ Change

.PHONY: fmt
fmt: $(LINT) ## Format, and repair what can be repaired without changing what the code does
	gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')
	$(LINT) run --fix --enable-only modernize,nolintlint,misspell,usestdlibvars ./... || true

.PHONY: docs
docs: ## Write the generated docs anew
	go test ./cmd/monarch-tui -run '^TestTheReferencePagesAreFresh$$' -update
	go test ./tui -run '^TestTheKeysPageIsFresh$$' -update

.PHONY: golden
golden: ## Write the golden screens anew; look at each before committing it
	go test $$(grep -rl --include='*_test.go' exp/golden tui | xargs -n1 dirname | sort -u | sed 's|^|./|') -update

.PHONY: shots
shots: ## Draw the pictures of the docs anew, from the screens that the tests hold
	go test ./tui -run '^TestThePicturesAreFresh$$' -update

.PHONY: clean
clean: ## Remove what make has built
	rm -rf bin dist $(TOOLS)

.tools/golangci-lint: tools/go.mod tools/go.sum
	@echo "building golangci-lint (once; a few minutes on two CPUs)"
	cd tools && GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	@touch $@
