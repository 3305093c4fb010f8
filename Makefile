# The verbs of this repository; bare `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test check race lint fuzz interop bench bench-sign bench-verify bench-exchange flips torture build helper changelog

GOLANGCI := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## run the demo: two agencies, public pages, trust services
	go run ./cmd/antin demo

test: ## run the tests
	go test ./...

build: ## build a static binary ./antin
	CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o antin ./cmd/antin

helper: ## build ./antin-pkcs11, the helper for tokens (needs cgo)
	CGO_ENABLED=1 go build -trimpath -ldflags="-s -w" -o antin-pkcs11 ./cmd/antin-pkcs11

race: ## run the tests with the race detector
	go test -race ./...

lint: ## gofmt, vet, golangci-lint
	@test -z "$$(gofmt -l .)" || { gofmt -l .; exit 1; }
	go vet ./...
	$(GOLANGCI) run ./...

fuzz: ## run every fuzz target for FUZZTIME (default 10s; "long": ten minutes for codecs and validation, five for the rest)
	./.ci/fuzz $${FUZZTIME:-10s}

interop: ## judge our files by other people's tools (see interop/README.md)
	go test -tags interop -count=1 ./interop/...

flips: ## flip every byte that a signature protects in fifty honest files, one at a time; needs ANTIN_CORPUS, takes under an hour
	ANTIN_LONG=1 go test -count=1 -timeout 0 -v -run 'TestAFlippedByte' ./signer/validation

torture: ## kill, fail and mislead two agencies, their disks, network, PostgreSQL and S3, 25 times each, and 500 times at random; ENGINE=postgres for all of it there
	ANTIN_TORTURE_ENGINE=$(ENGINE) ANTIN_TORTURE_SEEDS=$(or $(SEEDS),25) ANTIN_TORTURE_ROUNDS=$(or $(ROUNDS),50) .ci/with-services go test -tags failpoint -count=1 -timeout 0 -v -run '^TestTorture' ./cmd/antin

bench: ## run the benchmarks
	go test -run '^$$' -bench . -benchmem ./...

bench-sign: ## signing beside SHA-256 and the bare key operation, one table (docs/benchmarks/sign.md)
	go test -run '^$$' -bench '^BenchmarkSign$$' -benchtime 1x -timeout 30m ./signer

bench-exchange: ## two gateways beside a bare loop, one table (docs/benchmarks/exchange.md)
	go run ./cmd/antin bench exchange

bench-verify: ## validating beside SHA-256 and the bare public-key operations, one table (docs/benchmarks/verify.md)
	go test -run '^$$' -bench '^BenchmarkVerify$$' -benchtime 1x -timeout 30m ./signer

check: ## what CI runs
	./.ci/run

changelog: ## write CHANGELOG.md anew from docs/changes
	./.ci/changelog > CHANGELOG.md
