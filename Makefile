SHELL := /bin/bash
.DEFAULT_GOAL := help

# Versions of tools that are not Go modules of ours.
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.6.2
PACKAGES := git make gcc libc6-dev prometheus prometheus-alertmanager redis-server postgresql gh cmark-gfm
FUZZTIME ?= 10s

.PHONY: help
help: ## Show this help.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-8s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Play the story: bad deploy, alert or command, verified revert. Needs only Go and git.
	go run ./cmd/demo

.PHONY: build
build: ## Build bin/backout.
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/backout ./cmd/backout

.PHONY: deps
deps: ## Install what the tests need (Debian packages, npm packages, Go modules).
	@.ci/deps $(PACKAGES)
	@command -v npm >/dev/null || .ci/deps npm
	@[ test/trial/node_modules/.package-lock.json -nt test/trial/package-lock.json ] || npm ci --prefix test/trial
	go mod download

.PHONY: test
test: deps ## Run the unit and scenario tests, then hold the GitHub of the tests against GitHub's published descriptions.
	go vet ./...
	@records=$$(mktemp -d) && trap 'rm -rf "$$records"' EXIT && \
	FAKEHUB_RECORD=$$records go test -timeout 20m ./... && \
	TRIAL_RECORDS=$$records go test -count=1 -v -run '^TestTrial$$' ./test/trial

.PHONY: crash
crash: ## Kill the bot at every effect it has, and look at what it left (10 minutes).
	cd test/crash && BACKOUT_CRASH=all go test -count=1 -timeout 60m

.PHONY: load
load: ## Storm the bot: 10,000 alerts within a minute; prints accepted/s, p50/p99, memory.
	go run ./test/load

.PHONY: fuzz
fuzz: ## Fuzz every decoder for FUZZTIME each.
	go run ./test/fuzz -time $(FUZZTIME)

.PHONY: corpus
corpus: ## Measure reverts and ranking on real histories: BACKOUT_CORPUS=folder of the tables and owner/name.git.
	BACKOUT_CORPUS=$${BACKOUT_CORPUS:?} go test -count=1 -timeout 60m -run '^(TestCorpus|TestRanking)$$' -v ./vcs/git ./test/corpus

.PHONY: journals
journals: ## Keep the journals of stories that have none yet.
	BACKOUT_JOURNALS=$(CURDIR)/test/replay/testdata go test -count=1 -timeout 20m -run 'TestStories/./plain' ./test/scenarios

.PHONY: bed
bed: ## Build the control plane's programs into the user's cache folder (15 minutes the first time).
	go run ./test/bed/cmd/bedbuild

.PHONY: e2e
e2e: deps bed ## Run the stories on a real control plane.
	go test -tags e2e -count=1 -timeout 30m ./test/bed/ ./test/e2e/ ./sync/...

.PHONY: race
race: ## Run the tests of the core under the race detector.
	go test -race ./bot/... ./webhooks/... ./test/fakehub/... ./test/memory/... ./vcs/...

.PHONY: bench
bench: ## Run the benchmarks.
	go test -run '^$$' -bench . -benchmem ./vcs/... ./bot/... ./test/load

.PHONY: lint
lint: ## Run the linters.
	gofmt -l . | (! grep .)
	go vet ./...
	go run $(GOLANGCI) run
