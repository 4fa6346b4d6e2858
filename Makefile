# SPDX-License-Identifier: BSD-3-Clause
# The commands that people type; CMake and Ninja do the work in build/.
PRESET ?= release
BUILD = $(if $(filter release,$(PRESET)),build,build/$(PRESET))
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 600
TEST_SECONDS ?= 900

PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: all deps install lay uninstall test check-install check-bare \
	check-linux-selftests check-compat check-programs demo bench-emm \
	bench-elastic bench-machine bench-start bench-threads \
	soak soak-memory soak-signals soak-threads torture step fuzz-policy \
	fuzz-image fuzz-model format format-check lint conformance clean

all: deps
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null
	@cmake --build $(BUILD)

deps:
	@tools/deps

# Below DESTDIR/PREFIX; builds what it installs, and no test.
install: deps
	@cmake --preset $(PRESET) --log-level=WARNING >/dev/null
	@cmake --build $(BUILD) --target installed
	@$(MAKE) -s --no-print-directory lay
	@echo "edmm: installed below $(DESTDIR)$(PREFIX)"

# What is built, laid out; for all to read, whatever the umask is.
lay:
	@umask 022 && DESTDIR="$(DESTDIR)" cmake --install $(BUILD) \
		--prefix "$(PREFIX)" --strip >/dev/null

# What the last install laid out.
uninstall:
	@sed 's|^|$(DESTDIR)|' $(BUILD)/install_manifest.txt | \
		xargs -d '\n' rm -f

# The installed tree in a folder of its own: used, moved, linked with.
check-install: all
	@cd $(BUILD) && ctest -R '^install_' --output-on-failure

# The same in a Debian that has nothing else; as root, with a mirror.
check-bare: all
	@tools/bare $(BUILD)

# A test that hangs ends after TEST_SECONDS instead of holding CI.
test: all
	@tools/facilities $(BUILD)
	@cd $(BUILD) && ctest --output-on-failure -j $(JOBS) \
		--timeout $(TEST_SECONDS)

check-linux-selftests: all
	@cd $(BUILD) && ctest -R '^linux_selftests$$' --verbose

# The memory manager in the place of Intel's, as its SDK links it.
check-compat: all
	@cd $(BUILD) && ctest -R '^(compat_|test_compat)' --output-on-failure

# Programs of Debian's sources and their own tests, natively and inside.
check-programs: all
	@tools/deps tools/packages-programs
	@tools/programs $(BUILD)

demo: all
	@tools/deps tools/packages-demo
	@tools/corpus $(BUILD)/demo/corpus.txt
	@tools/demo $(BUILD)

bench-emm: all
	@cmake --build $(BUILD) --target bench_emm_run
	@cat $(BUILD)/bench/emm.json

bench-machine: all
	@mkdir -p $(BUILD)/bench
	@$(BUILD)/bin/bench_machine $(BUILD)/bench/machine.json

# Starts under small and large maxima, beside a native one.
bench-start: all
	@cmake --build $(BUILD) --target bench_start_run

# Memory that comes and goes: transitions of a page.
bench-elastic: all
	@cmake --build $(BUILD) --target bench_elastic_run

# Threads, beside the same program natively.
bench-threads: all
	@tools/deps tools/packages-bench
	@cmake --build $(BUILD) --target bench_threads_run

# Random operations of the memory manager for ever; prints its seed.
soak: all
	@cmake --build $(BUILD) --target soak_emm

# 10^5 steps of signals and faults, natively and inside; prints its seed.
soak-signals: all
	@cmake --build $(BUILD) --target soak_signals

# Eight threads for ten minutes each, natively and inside; prints its seed.
soak-threads: all
	@cmake --build $(BUILD) --target soak_threads

# Memory in an enclave beside memory natively; prints its seed.
MEMORY_STEPS ?= 1000000
soak-memory: all
	@tools/differ --steps $(MEMORY_STEPS) $(BUILD)

# Eight threads in four enclaves under signals; the seed is printed.
TORTURE_SECONDS ?= 600
torture: all
	@EDMM_TORTURE_SECONDS=$(TORTURE_SECONDS) $(BUILD)/bin/test_trap_torture

# Each fuzzer for FUZZ_SECONDS.
# A stepping host through the runtime, each instruction: at most half an hour.
step: all
	@tools/step $(BUILD)

fuzz-policy: all
	@for t in occlum toml edmm xml scone conf oe ego mystikos edp; do \
		$(BUILD)/bin/fuzz_$$t -max_total_time=$(FUZZ_SECONDS) \
			-rss_limit_mb=2048 -max_len=65536 -timeout=10 \
			-artifact_prefix=$(BUILD)/fuzz/$$t- \
			$(BUILD)/fuzz/$$t || exit 1; done

fuzz-image: all
	@for t in elf sig parts sigstruct; do \
		$(BUILD)/bin/fuzz_$$t -max_total_time=$(FUZZ_SECONDS) \
			-rss_limit_mb=2048 -max_len=65536 -timeout=10 \
			-artifact_prefix=$(BUILD)/fuzz/fuzz_$$t- \
			$(BUILD)/fuzz/fuzz_$$t || exit 1; done

fuzz-model: all
	@cmake --build $(BUILD) --target $@

C_FILES = $(shell git ls-files '*.c' '*.h')

format:
	@$(if $(C_FILES),clang-format -i $(C_FILES))

format-check: deps
	@$(if $(C_FILES),clang-format --dry-run -Werror $(C_FILES),\
		echo "no C file is in git: nothing checked" >&2; exit 1)

lint: all
	@tools/lint $(BUILD)

# docs/conformance.md from the tests' own tables.
conformance: all
	@cmake --build $(BUILD) --target conformance

clean:
	@rm -rf build
