# Everything here is a shorthand for a plain Go command.
.PHONY: dev test build lint generate

dev: build ## start everything on this machine
	@exec ./bin/waybill dev

test: ## run every test; brings up what it needs by itself
	go test ./...

build:
	go build -o bin/waybill ./cmd/waybill

lint:
	go vet ./...
	go tool -modfile=tools/golangci-lint.mod golangci-lint run ./...

generate:
	./tools/generate.sh
