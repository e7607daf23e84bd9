# Cotejo. `make run` is all it takes; `make test` runs every test; `make check` is what CI runs.
.DEFAULT_GOAL := help
.PHONY: help run build ahead assets generate test check format generated lint bench storm seed screenshots clean need-go

SHELL := /bin/bash
# A component of templ returns a closure, and inlining it would compile that closure anew at every call: views takes a third
# of the time without. Stack traces need no DWARF.
QUICK := -gcflags=all=-dwarf=false '-gcflags=cotejo/views=-dwarf=false -l'
export GOFLAGS := -mod=readonly $(QUICK) $(filter-out -mod=% $(QUICK),$(GOFLAGS))

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LOOKUPS ?= 2000
DELIVERIES ?= 6000
TEMPL := go tool templ generate -path views -log-level error

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

run: need-go ## build everything and start Cotejo, with a PostgreSQL and a sandbox of its own
	@.ci/need npm postgresql
	@$(MAKE) -s build
	@exec bin/cotejo

# The compiler collects its garbage less often: a fifth of the time of a first build.
COMPILE := CGO_ENABLED=0 GOGC=400

# Without cgo the binary is static and runs in an image without a C library.
build: need-go ## bin/cotejo with its pages' assets inside
	@$(MAKE) -s -j2 assets ahead
	@$(COMPILE) go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/cotejo .

# On a new machine the standard library compiles while npm and the modules wait for the network.
ahead: need-go
	@$(COMPILE) go build -trimpath net/http database/sql encoding/xml html/template & \
	go list -deps . >/dev/null || true; wait

# npm runs no package's scripts, and only when the lock file changed. Without npm the program still builds, with pages
# that work as plain HTML.
assets: need-go ## bundle scripts and styles into static/dist
	@if command -v npm >/dev/null; then \
		$(MAKE) -s node_modules/.installed && CGO_ENABLED=0 go run -trimpath ./static/build; \
	else \
		echo "npm is not installed, so the pages are built without styles and live updates: run \`apt-get install npm\` or \`brew install node\`." >&2; \
	fi

node_modules/.installed: package-lock.json
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

generate: need-go ## write the *_templ.go files anew
	@$(TEMPL)

# Missing programs are installed if that needs no password; tests that still miss
# one skip aloud (and fail where CI=true).
test: need-go assets ## every test, with race detector, PostgreSQL and browser
	@.ci/need postgresql chromium || true
	@.ci/test

check: format generated lint ## what CI runs: formatting, generated code, lint, tests
	@$(MAKE) -s test

format: need-go
	@wrong=$$(gofmt -l $$(git ls-files -co --exclude-standard '*.go')); \
	test -z "$$wrong" || { echo "Not formatted, run gofmt -w:" $$wrong >&2; exit 1; }

# Compares content, not git's view of it, so that it also holds before a commit.
generated: need-go
	@sums() { find views -name '*_templ.go' | sort | xargs cat | cksum; }; \
	before=$$(sums); $(TEMPL); \
	test "$$before" = "$$(sums)" || { echo "Generated code was out of date: commit the *_templ.go files that changed." >&2; exit 1; }

# What go vet finds, and more. A module of its own: its nine hundred dependencies are none of Cotejo's.
bin/golangci-lint: tools/golangci-lint/go.mod tools/golangci-lint/go.sum
	@go -C tools/golangci-lint build -o ../../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: need-go bin/golangci-lint
	@bin/golangci-lint run ./...

bench: build ## measure the hot paths: make bench BENCH="--lookups 1000000 --deliveries 5000000"
	@bin/cotejo bench --write docs/benchmarks.md $(BENCH)

storm: need-go ## kill the server while a bad vendor sends: make storm LOOKUPS=2000
	@.ci/need postgresql
	@COTEJO_TEST_STORM=$(LOOKUPS) go test -count=1 -v -timeout 30m -run 'TestStorm$$' .

seed: build ## fill the local database: make seed LOOKUPS=2000 DELIVERIES=6000
	@bin/cotejo seed --lookups $(LOOKUPS) --deliveries $(DELIVERIES)

screenshots: need-go assets ## photograph each page for the documentation
	@.ci/need postgresql chromium
	@COTEJO_TEST_SCREENSHOTS=$(CURDIR)/docs/images go test -count=1 -tags screenshots -run TestScreenshots ./internal/browsertest

clean: ## remove what was built; the local database stays
	@rm -rf bin node_modules test-results
	@git clean -fdXq static/dist

need-go:
	@.ci/need go
