# make run    install what is needed, build, start the server with the demo application
# make test   install, build, unit tests and integration tests
# make check  second compiler, sanitizers, fuzzers, clang-tidy, format, OpenAPI lint, that the documents name tests that exist
# make bench  the figures of docs/performance.md (takes some minutes of an idle machine)
.PHONY: run build test unit integration check asan tsan fuzz tidy format lint bench install-build install-test install-check clean
.DEFAULT_GOAL := build

JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 30
PYTHON := /usr/bin/python3
# The integration tests wait more than they work: several at once, each with servers and phones of its own.
TEST_JOBS ?= 4
PYTEST := $(PYTHON) -m pytest -q -n $(TEST_JOBS) --dist loadgroup
RELEASE := build/release
ASAN := build/asan
TSAN := build/tsan
NODE := tests/node/node_modules/.package-lock.json
CLANG := -DCMAKE_C_COMPILER=clang-16 -DCMAKE_CXX_COMPILER=clang++-16 -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-g1 \
  -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=10

run: install-build build
	$(RELEASE)/src/ringwright serve

build:
	cmake -S . -B $(RELEASE) -G Ninja -DCMAKE_BUILD_TYPE=Release -DRW_TESTS=OFF
	cmake --build $(RELEASE) -j $(JOBS) --target ringwright

test: install-test unit integration

unit:
	cmake -S . -B $(RELEASE) -G Ninja -DCMAKE_BUILD_TYPE=Release -DRW_TESTS=ON
	cmake --build $(RELEASE) -j $(JOBS)
	ctest --test-dir $(RELEASE) --output-on-failure -j 2 --timeout 300

integration: $(NODE)
	RINGWRIGHT_BINARY=$(RELEASE)/src/ringwright $(PYTEST) tests/integration

check: install-check format lint asan tsan fuzz tidy

asan: $(NODE)
	cmake -S . -B $(ASAN) -G Ninja $(CLANG) -DCMAKE_CXX_FLAGS=-O1 -DRW_SANITIZE=address,undefined -DRW_FUZZ=ON
	cmake --build $(ASAN) -j $(JOBS)
	ctest --test-dir $(ASAN) --output-on-failure -j 2 --timeout 300
	RINGWRIGHT_BINARY=$(ASAN)/src/ringwright $(PYTEST) -m short tests/integration

tsan: $(NODE)
	cmake -S . -B $(TSAN) -G Ninja $(CLANG) -DCMAKE_CXX_FLAGS=-O1 -DRW_SANITIZE=thread
	cmake --build $(TSAN) -j $(JOBS)
	TSAN_OPTIONS="suppressions=$(CURDIR)/scripts/tsan.supp" ctest --test-dir $(TSAN) --output-on-failure -j 2 --timeout 300
	TSAN_OPTIONS="suppressions=$(CURDIR)/scripts/tsan.supp" \
	  RINGWRIGHT_BINARY=$(TSAN)/src/ringwright $(PYTEST) -m short tests/integration

# Uses what `asan` has built.
fuzz:
	scripts/fuzz $(ASAN)/tests/fuzz $(FUZZ_SECONDS)

tidy:
	scripts/tidy $(ASAN) $(JOBS)

format:
	git ls-files 'src/*.h' 'src/*.cpp' 'tests/*.h' 'tests/*.cpp' 'bench/*.cpp' | xargs clang-format-16 --dry-run --Werror

lint:
	$(PYTHON) scripts/api-coverage check
	$(PYTHON) scripts/named-tests
	$(PYTHON) scripts/walls
	cd openapi && npm ci --silent --ignore-scripts --no-audit --no-fund --no-update-notifier && \
	  REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true npx --no-update-notifier redocly lint --max-problems 1000 ringwright.yaml

# What the tests use from npm; installed anew when the lock file is newer.
$(NODE): tests/node/package-lock.json
	cd tests/node && npm ci --silent --ignore-scripts --no-audit --no-fund --no-update-notifier && touch node_modules/.package-lock.json

bench: install-test build
	bench/run

install-build:
	scripts/install-packages build

install-test:
	scripts/install-packages build test

install-check:
	scripts/install-packages build test check

clean:
	rm -rf build
