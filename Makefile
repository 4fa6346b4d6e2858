# SPDX-License-Identifier: BSD-3-Clause
# The commands that people type; CMake and Ninja do the work in build/.
PRESET ?= release
BUILD = $(if $(filter release,$(PRESET)),build,build/$(PRESET))
JOBS ?= $(shell nproc)

.PHONY: all deps test check-linux-selftests bench-machine demo clean format format-check lint

all: deps
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null
	@cmake --build $(BUILD)

deps:
	@tools/deps

test: all
	@cd $(BUILD) && ctest --output-on-failure -j $(JOBS)

demo: all
	@tools/deps tools/packages-demo
	@tools/corpus $(BUILD)/demo/corpus.txt
	@tools/demo $(BUILD)

check-linux-selftests: all
	@cd $(BUILD) && ctest -R '^linux_selftests$$' --verbose

bench-machine: all
	@mkdir -p $(BUILD)/bench
	@$(BUILD)/bin/bench_machine $(BUILD)/bench/machine.json

C_FILES = $(shell git ls-files '*.c' '*.h')

format:
	@$(if $(C_FILES),clang-format -i $(C_FILES))

format-check: deps
	@$(if $(C_FILES),clang-format --dry-run -Werror $(C_FILES),\
		echo "no C file is in git: nothing checked" >&2; exit 1)

lint: all
	@tools/lint $(BUILD)

clean:
	@rm -rf build

.PHONY: conformance
conformance: all
	@cmake --build $(BUILD) --target conformance

.PHONY: fuzz-policy
FUZZ_SECONDS ?= 600
fuzz-policy: all
	@for t in occlum toml xml scone; do \
		$(BUILD)/bin/fuzz_$$t -max_total_time=$(FUZZ_SECONDS) \
			-rss_limit_mb=2048 -max_len=65536 -timeout=10 \
			-artifact_prefix=$(BUILD)/fuzz/$$t- \
			$(BUILD)/fuzz/$$t || exit 1; done
# One fuzzer for FUZZ_SECONDS (600): make fuzz-model
.PHONY: fuzz-model
fuzz-%: all
	@cmake --build $(BUILD) --target $@

bench-emm: all
	@cmake --build $(BUILD) --target bench_emm_run
	@cat $(BUILD)/bench/emm.json

# Random operations of the memory manager for ever; prints its seed.
soak: all
	@cmake --build $(BUILD) --target soak_emm
