# Everything here is a shorthand for a plain Go command.
.PHONY: dev test fuzz planted build lint generate

dev: build ## start everything on this machine
	@exec ./bin/waybill dev

test: ## run every test; brings up what it needs by itself
	go test ./...

fuzz: ## run every fuzz target for a minute; FUZZTIME=10m for longer
	./tools/fuzz.sh

planted: ## build each bug of the list in, and look for it with every layer until one is red; an hour
	go run ./planted -write

build:
	go build -o bin/waybill ./cmd/waybill

lint:
	go vet ./...
	go tool -modfile=tools/golangci-lint.mod golangci-lint run ./...

generate:
	./tools/generate.sh
