# SPDX-License-Identifier: Apache-2.0
# One Makefile for everything; `make help` lists the targets. Objects go to build/$(VARIANT)/, the program to build/remora.
#
#   VARIANT=release|debug|asan|tsan|cov|fuzz   what to build (each has its own folder)
#   CC, CFLAGS, CPPFLAGS, LDFLAGS              yours are added to what the project needs
#   WERROR=                                    empty: warnings do not stop the build (for packagers)
#   BUILD=dir                                  build somewhere else

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

VERSION := 0.1.0
VARIANT ?= release
BUILD   ?= build
PREFIX  ?= /usr/local
WERROR  ?= -Werror
# `make` alone presets CC to cc: that is fine, and so is CC=clang.
ifeq ($(VARIANT),fuzz)
CC := clang
endif

OUT := $(BUILD)/$(VARIANT)
PROGRAM := $(if $(filter release,$(VARIANT)),$(BUILD)/remora,$(OUT)/remora)

# ---- sources: one archive a layer, linked from the top down ----------------------------------------------------------
# V=1 shows the commands.
Q := $(if $(V),,@)
LAYERS := agent snapshot storage base
sources = $(sort $(wildcard $(1)/*.c) $(wildcard $(1)/*/*.c))
LIB_SRC := $(filter-out agent/main.c,$(foreach l,$(LAYERS),$(call sources,$(l))))
LIBS_A := $(foreach l,$(LAYERS),$(if $(filter-out agent/main.c,$(call sources,$(l))),$(OUT)/lib$(l).a))
TEST_MAINS := $(sort $(wildcard tests/unit/*/test_*.c) $(wildcard tests/conformance/test_*.c))
TEST_BINS := $(TEST_MAINS:%.c=$(OUT)/%)
TEST_SHARED := $(sort $(filter-out tests/conformance/test_%,$(wildcard tests/conformance/*.c)) $(wildcard tests/support/*.c))
TOOL_MAINS := $(sort $(wildcard tests/bench/*.c) $(wildcard tests/torture/*.c))
TOOL_BINS := $(TOOL_MAINS:%.c=$(OUT)/%)
FUZZ_MAINS := $(sort $(wildcard tests/fuzz/fuzz_*.c))
REPLAY_BINS := $(FUZZ_MAINS:tests/fuzz/fuzz_%.c=$(OUT)/tests/fuzz/replay_%)
ALL_C := $(LIB_SRC) agent/main.c $(TEST_MAINS) $(TEST_SHARED) $(TOOL_MAINS) $(wildcard tests/fuzz/*.c)
ALL_H := $(foreach l,$(LAYERS) tests,$(wildcard $(l)/*.h) $(wildcard $(l)/*/*.h) $(wildcard $(l)/*/*/*.h))

# ---- flags -----------------------------------------------------------------------------------------------------------
PACKAGES := hiredis libzstd jansson libcrypto
PKG_CONFIG ?= pkg-config
pkg = $(shell $(PKG_CONFIG) $(1) 2>/dev/null)
WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
            -Wundef -Wvla -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough $(WERROR)
HARDEN := -fstack-protector-strong -fPIE
OPT_release := -O2 -g -D_FORTIFY_SOURCE=2
OPT_debug := -O0 -g
OPT_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
OPT_tsan := -O1 -g -fsanitize=thread
OPT_cov := -O0 -g --coverage
OPT_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OPT := $(OPT_$(VARIANT))
R_CPPFLAGS = -I. -D_GNU_SOURCE -DREMORA_VERSION='"$(VERSION)"' $(call pkg,--cflags $(PACKAGES)) $(CPPFLAGS)
R_CFLAGS = -std=c11 -pthread $(OPT) $(HARDEN) $(WARNINGS) $(CFLAGS)
R_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now $(filter -fsanitize=% --coverage,$(subst fuzzer-no-link$(comma),,$(OPT))) $(LDFLAGS)
R_LDLIBS = $(call pkg,--libs $(PACKAGES)) -lm
comma := ,

# ---- the program -----------------------------------------------------------------------------------------------------
.PHONY: all
all: $(PROGRAM) ## build build/remora (the default)

$(PROGRAM): $(OUT)/agent/main.o $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $^ $(R_LDLIBS)

define layer_archive
$(OUT)/lib$(1).a: $(patsubst %.c,$(OUT)/%.o,$(filter-out agent/main.c,$(call sources,$(1))))
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_archive,$(l))))

# A changed command line (flags, version, compiler) rebuilds everything.
FLAGS_FILE := $(OUT)/flags
$(FLAGS_FILE): FORCE | have-libraries
	@mkdir -p $(@D)
	@echo '$(CC) $(subst ','\'',$(R_CPPFLAGS) $(R_CFLAGS) $(R_LDFLAGS))' | cmp -s - $@ || \
	  echo '$(CC) $(subst ','\'',$(R_CPPFLAGS) $(R_CFLAGS) $(R_LDFLAGS))' > $@
.PHONY: FORCE have-libraries
FORCE:
have-libraries:
	@$(PKG_CONFIG) --exists $(PACKAGES) || { echo "remora needs the development packages of: $(PACKAGES) (and pkg-config);" \
	  "as root on Debian: sh tests/install-packages.sh build" >&2; exit 1; }

$(OUT)/%.o: %.c $(FLAGS_FILE)
	@mkdir -p $(@D)
	$(if $(V),,@echo '  CC   $<')
	$(Q)$(CC) $(R_CPPFLAGS) $(R_CFLAGS) -MMD -MP -c -o $@ $<
-include $(patsubst %.c,$(OUT)/%.d,$(ALL_C))

# ---- unit and conformance tests --------------------------------------------------------------------------------------
.PHONY: unit-build unit tools
$(TEST_BINS): $(OUT)/%: $(OUT)/%.o $(TEST_SHARED:%.c=$(OUT)/%.o) $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $(filter-out %.a,$^) $(LIBS_A) $(R_LDLIBS) $(call pkg,--libs cmocka)
$(TOOL_BINS): $(OUT)/%: $(OUT)/%.o $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $< $(LIBS_A) $(R_LDLIBS)
$(REPLAY_BINS): $(OUT)/tests/fuzz/replay_%: $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/fuzz/replay.o $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS_A) $(R_LDLIBS)

unit-build: $(TEST_BINS)
tools: $(TOOL_BINS) $(REPLAY_BINS)
unit: $(TEST_BINS) ## the unit and conformance tests of this VARIANT
	@sh tests/run-unit.sh $(TEST_BINS)

.PHONY: check-asan check-tsan check-valgrind
check-asan: ## unit tests under AddressSanitizer and UndefinedBehaviourSanitizer
	@$(MAKE) --no-print-directory VARIANT=asan unit
check-tsan: ## unit tests under ThreadSanitizer
	@$(MAKE) --no-print-directory VARIANT=tsan unit
check-valgrind: VARIANT := debug
check-valgrind: ## unit tests under valgrind
	@$(MAKE) --no-print-directory VARIANT=debug unit RUN_UNDER="valgrind -q --error-exitcode=99 --leak-check=full --track-fds=no"
export RUN_UNDER
check-replay: ## the fuzzers' inputs and the golden dumps again, under AddressSanitizer, without libFuzzer
	@$(MAKE) --no-print-directory VARIANT=asan run-replay
.PHONY: run-replay
run-replay: $(REPLAY_BINS)
	$(OUT)/tests/fuzz/replay_rdb tests/fuzz/corpus/rdb tests/golden/rdb

# ---- everything --------------------------------------------------------------------------------------------------------
.PHONY: demo test campaign integration servers bench
demo: ## the whole way once: a real Redis backed up, destroyed, restored and compared (installs what is missing)
	@sh tests/demo.sh
test: ## everything that proves remora, in under 20 minutes (installs what is missing)
	@sh tests/run-all.sh test
campaign: ## the same with the full figures: 100,000 mutations, 200 kills, 1 GB; tsan and valgrind; takes its time
	@sh tests/run-all.sh campaign
servers: ## unpack the Redis and Valkey of other Debian releases below build/servers/ for the tests
	@sh tests/servers/newer-servers.sh
integration: all ## real servers: round trips, concurrency, damage, kills (TESTS='name...' runs some)
	@sh tests/servers/newer-servers.sh || echo "integration: the servers of other Debian releases could not be had" >&2
	@REMORA=$(abspath $(PROGRAM)) python3 tests/integration/run.py $(TESTS)
bench: all ## time, CPU and memory of backup and restore on 1 GB, beside zstd alone
	@sh tests/bench/bench.sh

# ---- fuzzing ---------------------------------------------------------------------------------------------------------
FUZZ_SECONDS ?= 60
fuzz-%: ## fuzz-rdb...: libFuzzer for FUZZ_SECONDS (60), starting from tests/fuzz/corpus
	@$(MAKE) --no-print-directory VARIANT=fuzz $(BUILD)/fuzz/tests/fuzz/run_$*
	@mkdir -p $(BUILD)/fuzz/corpus-$*
	$(BUILD)/fuzz/tests/fuzz/run_$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=512 \
	  -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/corpus-$* tests/fuzz/corpus/$*
$(OUT)/tests/fuzz/run_%: $(OUT)/tests/fuzz/fuzz_%.o $(LIBS_A)
	$(Q)$(CC) -fsanitize=fuzzer,address,undefined -pthread -pie -o $@ $^ $(R_LDLIBS)
.PRECIOUS: $(OUT)/%.o $(OUT)/tests/fuzz/run_%

MUTATIONS ?= 10000
SEED ?= 1
.PHONY: check-mutations
check-mutations: ## MUTATIONS (10000) random mutations of the corpus of dumps under ASan and UBSan, from SEED
	@$(MAKE) --no-print-directory -s VARIANT=asan tools
	$(BUILD)/asan/tests/torture/mutate_rdb --count $(MUTATIONS) --seed $(SEED) tests/golden/rdb/*.rdb

# ---- helpers for people ----------------------------------------------------------------------------------------------
.PHONY: install clean help format format-check layers lint cov
install: all ## copy the program to $(DESTDIR)$(PREFIX)/bin
	install -D -m 0755 $(BUILD)/remora $(DESTDIR)$(PREFIX)/bin/remora

clean: ## remove the build folder
	rm -rf $(BUILD)

layers: ## fail on an include that runs against the layers
	@sh tests/check-layers.sh

CLANG_FORMAT ?= clang-format
format: ## format the sources in place
	$(CLANG_FORMAT) -i $(ALL_C) $(ALL_H)
format-check: ## fail where `make format` would change something
	@$(CLANG_FORMAT) --dry-run -Werror $(ALL_C) $(ALL_H)

# clang-tidy reads the sources as clang would compile them.
lint: format-check layers ## clang-tidy, cppcheck, shellcheck, formatting, layers, sizes of functions and files
	@sh tests/lint.sh $(filter-out -Werror,-std=c11 $(R_CPPFLAGS) -Wall -Wextra) -- $(ALL_C)

cov: ## line coverage of the unit tests and the integration tests, by folder
	@rm -rf $(BUILD)/cov
	@$(MAKE) --no-print-directory VARIANT=cov all unit
	@$(MAKE) --no-print-directory VARIANT=cov integration
	@sh tests/coverage.sh $(BUILD)/cov

help: ## this list
	@grep -hE '^[a-z%-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 18
