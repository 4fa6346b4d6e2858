# SPDX-License-Identifier: BSD-3-Clause
# The commands that people type; CMake and Ninja do the work in build/.
PRESET ?= release
BUILD = $(if $(filter release,$(PRESET)),build,build/$(PRESET))
JOBS ?= $(shell nproc)

.PHONY: all deps test clean format format-check lint

all: deps
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null
	@cmake --build $(BUILD)

deps:
	@tools/deps

test: all
	@cd $(BUILD) && ctest --output-on-failure -j $(JOBS)

C_FILES = $(shell git ls-files '*.c' '*.h')

format:
	@clang-format -i $(C_FILES)

format-check: deps
	@clang-format --dry-run -Werror $(C_FILES)

lint: all
	@tools/lint $(BUILD)

clean:
	@rm -rf build

.PHONY: conformance
conformance: all
	@cmake --build $(BUILD) --target conformance
