SHELL := /bin/bash
.DEFAULT_GOAL := help

# Versions of tools that are not Go modules of ours.
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.6.2
PACKAGES := git make gcc libc6-dev prometheus prometheus-alertmanager redis-server postgresql

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
deps: ## Install what the tests need (Debian packages, Go modules).
	@.ci/deps $(PACKAGES)
	go mod download

.PHONY: test
test: deps ## Run the unit and scenario tests.
	go vet ./...
	go test -timeout 20m ./...

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
	go test -run '^$$' -bench . -benchmem ./vcs/... ./bot/...

.PHONY: lint
lint: ## Run the linters.
	gofmt -l . | (! grep .)
	go vet ./...
	go run $(GOLANGCI) run
