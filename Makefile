# Everything is built into js/dist. `make demo` and `make test` do their whole
# set-up on a fresh Debian or Ubuntu machine with Go, Node and git.

.DEFAULT_GOAL := help
SHELL := bash
DIST := js/dist
CONSUMERS := wasmtest/consumers/node_modules
# The link step knows the runtime's tables of this version of Go, whatever its patch. If the
# Go that is installed is another, this one builds the module, and runs the tests, which link
# modules as well. Everything else is built by the Go that is installed.
MODULE_GO := go1.26
ifeq ($(filter $(MODULE_GO).%,$(shell go env GOVERSION 2>/dev/null)),)
MODULE_TOOLCHAIN := GOTOOLCHAIN=$(MODULE_GO).8
test size bench: export GOTOOLCHAIN := $(MODULE_GO).8
endif
GO_SOURCES := $(shell find ebml webm wasm -name '*.go' -not -name '*_test.go' -not -path 'wasm/link/*') go.mod go.sum
LINK_SOURCES := $(shell find wasm/link -name '*.go' -not -name '*_test.go')
JS_SOURCES := $(shell find js/src -name '*.ts') js/package.json js/tsconfig.json
# The collector that Go had before 1.26: the new one is 8 KB more after compression, for
# heaps that are larger than a module's. Functions with closures are not inlined, which
# would be another 1 KB.
WASM_ENV := $(MODULE_TOOLCHAIN) GOEXPERIMENT=nogreenteagc GOOS=wasip1 GOARCH=wasm
WASM_FLAGS := -trimpath -ldflags="-s -w" -gcflags=all=-d=inlfuncswithclosures=0
ESBUILD := go tool esbuild --bundle --log-level=warning --target=es2022 --legal-comments=none --loader:.gz=base64
ESM := --format=esm --minify
GLOBAL := --format=iife --global-name=webmend --minify --define:import.meta.url=scriptURL --inject:js/src/script.ts

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: demo
demo: build ## build everything and serve the demo page on 127.0.0.1
	go run ./demo

.PHONY: test
test: tools build $(DIST)/webmend.go.wasm $(DIST)/webmend.trap.wasm $(CONSUMERS)/.package-lock.json ## run all tests, with everything that they need
	test -z "$$(gofmt -l .)"
	go vet ./...
	go vet -tags bench ./wasmtest
	GOOS=wasip1 GOARCH=wasm go vet ./wasm
	GOOS=wasip1 GOARCH=wasm go vet -tags trap ./wasm
	GOOS=js GOARCH=wasm go vet ./wasm
	go test -timeout 20m ./ebml ./webm/... ./wasm/...
	GOARCH=386 go vet ./ebml ./webm/...
	@if GOARCH=386 go test -run '^$$' ./ebml >/dev/null 2>&1; then echo 'GOARCH=386 go test ./ebml ./webm'; GOARCH=386 go test ./ebml ./webm; \
	else echo 'this kernel runs no 32-bit programs: GOARCH=386 is only vetted'; fi
	go test -timeout 30m ./wasmtest/...
	go test -parallel 1 -timeout 30m ./demo/... # one after the other, as its pages record by the clock
	go test -race -run '^TestTwoHundred' ./demo/uploads
	cd js && node --test --test-concurrency=2 test/

# The store that the tests have; to build it takes some minutes, once.
VERSITYGW := .cache/versitygw
.PHONY: test-s3
test-s3: tools build $(VERSITYGW) ## run the tests of uploads to an S3-compatible store
	go vet -tags s3 ./demo/...
	go test -tags s3 -run '^TestS3' ./demo/...

$(VERSITYGW):
	GOBIN=$(CURDIR)/.cache go install github.com/versity/versitygw/cmd/versitygw@v1.8.0

.PHONY: build
build: $(DIST)/webmend.wasm $(DIST)/webmend.lines.wasm $(DIST)/index.js $(DIST)/index.d.ts js/LICENSE ## build the package into js/dist

# What ships: smaller, and started already. See wasm/link.
$(DIST)/webmend.wasm: $(DIST)/webmend.plain.wasm $(LINK_SOURCES)
	go run ./wasm/link -o $@ $<

# The same, with all that stack traces say.
$(DIST)/webmend.lines.wasm: $(DIST)/webmend.plain.wasm $(LINK_SOURCES)
	go run ./wasm/link -lines -o $@ $<

$(DIST)/webmend.plain.wasm: $(GO_SOURCES)
	$(WASM_ENV) go build -buildmode=c-shared $(WASM_FLAGS) -o $@ ./wasm

# A module that traps when tests tell it to, and is never shipped.
$(DIST)/webmend.trap.wasm: $(GO_SOURCES)
	$(WASM_ENV) go build -tags trap -buildmode=c-shared $(WASM_FLAGS) -o $@ ./wasm

# The build for pages that carry Go's wasm_exec.js already.
$(DIST)/webmend.go.wasm: $(GO_SOURCES)
	GOOS=js GOARCH=wasm go build $(WASM_FLAGS) -o $@ ./wasm

$(DIST)/worker.js: $(JS_SOURCES) go.mod
	$(ESBUILD) js/src/engine/worker.ts --outfile=$@ $(ESM)

# What the inlined builds have inside.
$(DIST)/%.gz: $(DIST)/%
	gzip -9nc $< >$@

# To be imported, and for script tags, both without and with module and worker inside.
$(DIST)/index.js: $(JS_SOURCES) $(DIST)/webmend.wasm.gz $(DIST)/worker.js.gz go.mod
	$(ESBUILD) js/src/index.ts --outfile=$@ $(ESM) --sourcemap --external:./preview.js --external:./remote.js --external:./spool.js --external:./midstream.js --external:./upload.js --external:./make.js --external:./tail.js
	$(ESBUILD) js/src/preview.ts --outfile=$(DIST)/preview.js $(ESM)
	$(ESBUILD) js/src/engine/remote.ts --outfile=$(DIST)/remote.js $(ESM) --external:./midstream.js
	$(ESBUILD) js/src/spool.ts --outfile=$(DIST)/spool.js $(ESM)
	$(ESBUILD) js/src/engine/midstream.ts --outfile=$(DIST)/midstream.js $(ESM)
	$(ESBUILD) js/src/upload.ts --outfile=$(DIST)/upload.js $(ESM)
	$(ESBUILD) js/src/make.ts --outfile=$(DIST)/make.js $(ESM)
	$(ESBUILD) js/src/tail.ts --outfile=$(DIST)/tail.js $(ESM)
	$(ESBUILD) js/src/inline.ts --outfile=$(DIST)/inline.js $(ESM)
	$(ESBUILD) js/src/index.ts --outfile=$(DIST)/webmend.global.js $(GLOBAL) --sourcemap
	$(ESBUILD) js/src/inline.ts --outfile=$(DIST)/webmend.inline.global.js $(GLOBAL)
	$(ESBUILD) js/src/inspect.ts --outfile=$(DIST)/inspect.js $(ESM)
	$(ESBUILD) js/src/cli/main.ts --format=esm --platform=node --banner:js='#!/usr/bin/env node' --outfile=$(DIST)/cli.js
	chmod +x $(DIST)/cli.js

$(DIST)/index.d.ts: $(JS_SOURCES) js/node_modules/.package-lock.json
	js/node_modules/.bin/tsc -p js

js/LICENSE: LICENSE # which npm packs
	cp $< $@

# The compiler, and the bundlers and the like that the package is tested with.
%/node_modules/.package-lock.json: %/package.json %/package-lock.json
	npm ci --prefix $* --no-audit --no-fund --loglevel=error
	@touch $@

# What the tests verify with, and the compiler that the race detector wants. Each is
# looked for first; only root can install.
TOOLS := chromium firefox-esr ffmpeg ffprobe mkvinfo mkvmerge webm_info gcc
.PHONY: tools
tools:
	@missing=; for t in $(TOOLS); do command -v $$t >/dev/null || missing="$$missing $$t"; done; \
	[ -z "$$missing" ] && exit; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium firefox-esr ffmpeg mkvtoolnix libwebm-tools gcc libc6-dev >/dev/null; \
	else \
		echo "missing:$$missing. Install them: sudo apt-get install chromium firefox-esr ffmpeg mkvtoolnix libwebm-tools gcc libc6-dev"; exit 1; \
	fi

# What is found is kept in the testdata/fuzz of its package, and tried by every
# test run from then on.
.PHONY: fuzz
fuzz: ## run each fuzz target for a minute
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			go test -run='^$$' -fuzz="^$$target$$" -fuzztime=1m -fuzzminimizetime=500ms $$package || failed=1; \
		done; \
	done; exit $$failed

.PHONY: golden
golden: ## write the expected results of tests anew, to be read before they are committed
	go test ./webm -update

.PHONY: size
size: build ## print the scripts' and the module's sizes, and its start, beside an empty module's
	go test -count=1 -v -run TestSizeIs -bench Start -benchtime 25x ./wasmtest

# SIZE=small is for a quick look; ONLY=scan (or inputs, seekable, stop, start, latency,
# growth) for one section. Only a whole run writes the results. Its inputs have 1.5 GB,
# which is too much for a /tmp in memory, and are gone at the end whatever happens.
BENCH := wasmtest/bench
.PHONY: bench
bench: tools build $(DIST)/webmend.go.wasm $(BENCH)/node_modules/.package-lock.json ## measure it beside others, into wasmtest/bench/RESULTS.md
	@dir=$$(mktemp -d /var/tmp/webmend-bench.XXXXXX); trap 'rm -rf $$dir' EXIT; \
	TMPDIR=$$dir go test -v -count=1 -timeout 90m -tags bench -run 'TestBench/$(ONLY:%=^%$$)' ./wasmtest -args $(if $(filter small,$(SIZE)),-megabytes 10,-results bench/RESULTS.md)

.PHONY: clean
clean: ## remove all that was built
	rm -rf $(DIST) js/node_modules js/LICENSE $(CONSUMERS) $(BENCH)/node_modules .cache
