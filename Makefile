# riposte: `make run` trades on the embedded venue, `make test` proves the engine
# against it. Both need Go and make only.

GO      ?= go
TOOL    := $(GO) tool -modfile=tools/dev/go.mod
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X riposte/tools/riposte/app.version=$(VERSION)
FUZZTIME ?= 20s

.PHONY: build run test crash race fuzz soak lint bench compare peers-test conformance check fmt vet seeds short-bench count pgo

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/riposte ./tools/riposte

run: build
	./bin/riposte run

test:
	$(GO) test -timeout 20m ./...

race:
	$(GO) test -race -timeout 20m ./...

# The binary killed again and again under load, also at named places in its code, which
# only this build has. LIVES=1000 for figures to quote.
crash:
	RIPOSTE_LIVES=$(or $(LIVES),40) $(GO) test -tags faultpoints ./tools/riposte/app -run Kill9 -timeout 60m

# Every fuzz target for FUZZTIME each, or one: make fuzz FUZZ=FuzzDecode. A find is made
# smaller ten times at most: the usual minute for each left a target standing still.
fuzz:
	@for t in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -hoE '^func (Fuzz[A-Za-z0-9_]*)' $$t/*_test.go | awk '{print $$2}'); do \
	    case "$$f" in $(or $(FUZZ),*)) echo "$$t $$f"; $(GO) test $$t -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x || exit 1;; esac; \
	  done; done

# Hours against a recording at five times its pace with a cut a minute: what grows?
# make soak FOR=2h; the raw output goes to bench/history.
soak: build
	$(GO) run ./bench/cmd/record --name soak -- $(GO) run ./bench/cmd/soak --for $(or $(FOR),2h)

fmt:
	@bad=$$(git ls-files '*.go' | xargs gofmt -l); if [ -n "$$bad" ]; then echo "not gofmt-ed:"; echo "$$bad"; exit 1; fi

vet:
	$(GO) vet ./...

lint:
	$(TOOL) golangci-lint run ./...

# Stage and tick-to-order benchmarks; the raw output goes to bench/history.
# make bench COUNT=10 BENCHTIME=1s SAMPLES=100000 for figures to quote.
PATHS = $(GO) run ./bench/cmd/tick2order --samples $(or $(SAMPLES),10000)
PATHS += --rounds $(or $(ROUNDS),5)
bench: build
	$(GO) run ./bench/cmd/record --name stages -- $(GO) test ./bench -run '^$$' -bench . -benchmem -benchtime $(or $(BENCHTIME),200ms) -count $(or $(COUNT),3)
	$(GO) run ./bench/cmd/record --name path -- $(PATHS)
	$(GO) run ./bench/cmd/record --name path --append -- $(PATHS) --tls
	$(GO) run ./bench/cmd/record --name path --append -- $(PATHS) --schedule recorded

# The same work beside peers on the same bytes, as ratios against the plan's targets.
# It needs a C compiler, for the floors, and a machine with nothing else to do.
compare:
	$(GO) run ./bench/cmd/compare --count $(or $(COUNT),5) --benchtime $(or $(BENCHTIME),100ms)

# The peers are a module of their own: what it imports comes nowhere near the engine.
peers-test:
	cd bench/peers && $(GO) vet ./... && $(GO) test ./...

# Real clients against riposte venue: ccxt, @binance/spot, binance and go-binance place, stream, query and fail on
# loopback, and the table of what came out is tools/conformance/TABLE.md. Needs node >= 20 and npm.
conformance: build tools/conformance/node_modules/.package-lock.json
	node tools/conformance/run.mjs

tools/conformance/node_modules/.package-lock.json: tools/conformance/package-lock.json
	cd tools/conformance && npm ci --loglevel=error
	touch $@

# The profile that the compiler takes for bin/riposte (tools/riposte/default.pgo): the
# recordings at full speed, everything from frame to order in the process, and the
# engine as a whole under tick2order. Made without an earlier profile, so that making it
# twice gives the same. TUNING.md has what it brings.
PGO = bin/pgo
PGOTIME ?= 5s
pgo:
	rm -rf $(PGO) && mkdir -p $(PGO)
	CGO_ENABLED=0 $(GO) build -pgo=off -trimpath -ldflags '$(LDFLAGS)' -o $(PGO)/riposte ./tools/riposte
	$(GO) build -o $(PGO)/tick2order ./bench/cmd/tick2order
	$(GO) test -pgo=off -trimpath -c -o $(PGO)/bench.test ./bench
	cd bench && ../$(PGO)/bench.test -test.run '^$$' -test.bench '^BenchmarkReplay$$/^both$$' -test.benchtime $(PGOTIME) -test.cpuprofile ../$(PGO)/replay.pprof
	cd bench && ../$(PGO)/bench.test -test.run '^$$' -test.bench '^BenchmarkWhole$$' -test.benchtime $(PGOTIME) -test.cpuprofile ../$(PGO)/whole.pprof
	printf '#!/bin/sh\nexec $(CURDIR)/$(PGO)/riposte "$$@" --profile cpu --profile-dir $(CURDIR)/$(PGO)/path\n' > $(PGO)/profiled && chmod +x $(PGO)/profiled
	$(PGO)/tick2order --subjects riposte-spin@$(PGO)/profiled --samples 20000 --rounds 1
	$(GO) tool pprof -proto -focus='riposte/' -output $(PGO)/merged.pb.gz $(PGO)/replay.pprof $(PGO)/whole.pprof $(PGO)/path/cpu.pprof
	$(GO) run ./bench/cmd/pgo --out tools/riposte/default.pgo $(PGO)/merged.pb.gz

# Each benchmark once: it must still run and its result must still be right.
short-bench:
	$(GO) test ./... -run '^$$' -bench . -benchtime 1x > /dev/null

# Instructions of every stage under valgrind, within 3 % of the committed figures.
# make count UPDATE=1 commits to new ones; make count ONLY=decode TOP=10 looks closer.
count:
	$(GO) run ./bench/cmd/count $(if $(UPDATE),--update) $(if $(ONLY),--only $(ONLY)) $(if $(TOP),--top $(TOP))

# What CI runs. Its last parts need node and valgrind.
check: fmt vet lint race crash short-bench conformance count
