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
# libs3 is optional (docs/adr/0006-libs3.md) and has no pkg-config file: what counts is its header.
HAVE_LIBS3 := $(shell echo '\#include <libs3.h>' | $(CC) -E -x c - > /dev/null 2>&1 && echo yes)
LEFT_OUT := $(if $(HAVE_LIBS3),,storage/store_s3v2.c)
sources = $(filter-out $(LEFT_OUT),$(sort $(wildcard $(1)/*.c) $(wildcard $(1)/*/*.c)))
MAINS := agent/main.c agent/gen_docs.c
LIB_SRC := $(filter-out $(MAINS),$(foreach l,$(LAYERS),$(call sources,$(l))))
LIBS_A := $(foreach l,$(LAYERS),$(if $(filter-out $(MAINS),$(call sources,$(l))),$(OUT)/lib$(l).a))
TEST_MAINS := $(sort $(wildcard tests/unit/*/test_*.c) $(wildcard tests/conformance/test_*.c))
TEST_BINS := $(TEST_MAINS:%.c=$(OUT)/%)
TEST_SHARED := $(sort $(filter-out tests/conformance/test_%,$(wildcard tests/conformance/*.c)) $(wildcard tests/support/*.c))
TOOL_MAINS := $(sort $(wildcard tests/bench/*.c) $(wildcard tests/torture/*.c))
TOOL_BINS := $(TOOL_MAINS:%.c=$(OUT)/%)
TIME_TRAVEL := $(sort $(wildcard tests/torture/travel/*.c))
FUZZ_MAINS := $(sort $(wildcard tests/fuzz/fuzz_*.c))
REPLAY_BINS := $(FUZZ_MAINS:tests/fuzz/fuzz_%.c=$(OUT)/tests/fuzz/replay_%)
ALL_C := $(LIB_SRC) $(MAINS) $(TEST_MAINS) $(TEST_SHARED) $(TOOL_MAINS) $(TIME_TRAVEL) $(wildcard tests/fuzz/*.c)
ALL_H := $(foreach l,$(LAYERS) tests,$(wildcard $(l)/*.h) $(wildcard $(l)/*/*.h) $(wildcard $(l)/*/*/*.h))

# ---- flags -----------------------------------------------------------------------------------------------------------
PACKAGES := hiredis libzstd jansson libssl libcrypto libcurl libarchive libmicrohttpd
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
R_CPPFLAGS = -I. -D_GNU_SOURCE -DREMORA_VERSION='"$(VERSION)"' $(call pkg,--cflags $(PACKAGES)) \
              $(if $(HAVE_LIBS3),-DREMORA_LIBS3) $(CPPFLAGS)
R_CFLAGS = -std=c11 -pthread $(OPT) $(HARDEN) $(WARNINGS) $(CFLAGS)
R_LDFLAGS = -pthread -pie -Wl,-z,relro,-z,now $(filter -fsanitize=% --coverage,$(subst fuzzer-no-link$(comma),,$(OPT))) $(LDFLAGS)
R_LDLIBS = $(call pkg,--libs $(PACKAGES)) $(if $(HAVE_LIBS3),-ls3) -lm
comma := ,

# ---- the program -----------------------------------------------------------------------------------------------------
.PHONY: all
all: $(PROGRAM) ## build build/remora (the default)

$(PROGRAM): $(OUT)/agent/main.o $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $^ $(R_LDLIBS)

define layer_archive
$(OUT)/lib$(1).a: $(patsubst %.c,$(OUT)/%.o,$(filter-out $(MAINS),$(call sources,$(1))))
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call layer_archive,$(l))))

# ---- generated documents ---------------------------------------------------------------------------------------------
.PHONY: docs docs-check
GEN_DOCS := $(OUT)/gen_docs
MAN_PAGE := docs/remora.1
COMPLETION := docs/remora.bash
$(GEN_DOCS): $(OUT)/agent/gen_docs.o $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $^ $(R_LDLIBS)
docs: $(GEN_DOCS) ## write the man page and the bash completion anew from the tables of commands and options
	@$(GEN_DOCS) man > $(MAN_PAGE).new && mv $(MAN_PAGE).new $(MAN_PAGE)
	@$(GEN_DOCS) bash > $(COMPLETION).new && mv $(COMPLETION).new $(COMPLETION)
docs-check: $(GEN_DOCS) ## fail where `make docs` would change something
	@$(GEN_DOCS) man | cmp - $(MAN_PAGE) && $(GEN_DOCS) bash | cmp - $(COMPLETION) || \
	  { echo "docs: the tables have changed since the documents were written: run make docs" >&2; exit 1; }

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
# What the assembler takes in as it is, no compiler lists.
$(OUT)/agent/sidecar/page_assets.o: agent/sidecar/page.css agent/sidecar/page.js

# ---- unit and conformance tests --------------------------------------------------------------------------------------
.PHONY: unit-build unit tools
$(TEST_BINS): $(OUT)/%: $(OUT)/%.o $(TEST_SHARED:%.c=$(OUT)/%.o) $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $(filter-out %.a,$^) $(LIBS_A) $(R_LDLIBS) $(call pkg,--libs cmocka)
$(OUT)/tests/torture/time_travel: $(TIME_TRAVEL:%.c=$(OUT)/%.o)
PAGE_DEMO := $(OUT)/tests/torture/page_demo
$(PAGE_DEMO): $(OUT)/tests/support/page_scene.o
$(TOOL_BINS): $(OUT)/%: $(OUT)/%.o $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS_A) $(R_LDLIBS)
$(REPLAY_BINS): $(OUT)/tests/fuzz/replay_%: $(OUT)/tests/fuzz/fuzz_%.o $(OUT)/tests/fuzz/replay.o $(LIBS_A)
	$(if $(V),,@echo '  LINK $@')
	$(Q)$(CC) $(R_LDFLAGS) -o $@ $(filter %.o,$^) $(LIBS_A) $(R_LDLIBS)

unit-build: $(TEST_BINS)
tools: $(TOOL_BINS) $(REPLAY_BINS)
unit: $(TEST_BINS) ## the unit and conformance tests of this VARIANT
	@sh tests/run-unit.sh $(TEST_BINS)

.PHONY: conformance-s3
S3_TESTS := $(filter %/test_store_s3 %/test_store_s3_options %/test_store_s3v2,$(TEST_BINS))
conformance-s3: $(S3_TESTS) all ## the tests that need an S3 server, with a RADOS Gateway started for them
	@sh tests/install-packages.sh rgw
	@sh tests/servers/rgw.sh run sh -c 'sh tests/run-unit.sh $(S3_TESTS) && sh tests/servers/s3-tools.sh $(PROGRAM)'
.PHONY: conformance-swift
SWIFT_TESTS := $(filter %/test_store_s3,$(TEST_BINS))
conformance-swift: $(SWIFT_TESTS) ## the S3 store against a second server, OpenStack Swift, started for it
	@sh tests/install-packages.sh swift
	@sh tests/servers/swift.sh run sh tests/run-unit.sh $(SWIFT_TESTS)

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
	$(OUT)/tests/fuzz/replay_psync tests/fuzz/corpus/psync
	$(OUT)/tests/fuzz/replay_s3xml tests/fuzz/corpus/s3xml
	$(OUT)/tests/fuzz/replay_redis_conf tests/fuzz/corpus/redis_conf
	$(OUT)/tests/fuzz/replay_tar tests/fuzz/corpus/tar

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
integration: all $(addprefix $(OUT)/tests/torture/,fill_repo web_demo) $(PAGE_DEMO) ## real servers: round trips, concurrency, damage, kills (TESTS='name...' runs some)
	@sh tests/servers/newer-servers.sh || echo "integration: the servers of other Debian releases could not be had" >&2
	@REMORA=$(abspath $(PROGRAM)) REMORA_TOOLS=$(abspath $(OUT)/tests) PAGE_DEMO=$(abspath $(PAGE_DEMO)) python3 tests/integration/run.py $(TESTS)
bench: all tools ## time, CPU and memory on 1 GB, beside zstd alone; to S3 beside aws and restic (BENCH='disk' or 's3': one)
	@sh tests/bench/bench.sh $(BENCH)

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
install: all ## copy the program, the man page and the completion below $(DESTDIR)$(PREFIX)
	install -D -m 0755 $(BUILD)/remora $(DESTDIR)$(PREFIX)/bin/remora
	install -D -m 0644 $(MAN_PAGE) $(DESTDIR)$(PREFIX)/share/man/man1/remora.1
	install -D -m 0644 $(COMPLETION) $(DESTDIR)$(PREFIX)/share/bash-completion/completions/remora

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
lint: format-check layers docs-check ## clang-tidy, cppcheck, shellcheck, formatting, layers, sizes of functions and files
	@sh tests/lint.sh $(filter-out -Werror,-std=c11 $(R_CPPFLAGS) -Wall -Wextra) -- $(ALL_C)

cov: ## line coverage of the unit tests and the integration tests, by folder
	@rm -rf $(BUILD)/cov
	@$(MAKE) --no-print-directory VARIANT=cov all unit
	@$(MAKE) --no-print-directory VARIANT=cov integration
	@sh tests/coverage.sh $(BUILD)/cov

help: ## this list
	@grep -hE '^[a-z%-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 18
