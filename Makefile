# Each target sets up what it needs; stamps under .venv make the second call start at once.

GRID ?= quick
SEARCH ?= sd1_search
DRY ?=
WET ?=
RUN ?=
RUNS ?=
EFFECT ?=
IN ?=
OUT ?=
FORMAT ?= nam
FORCE ?=
BOARD ?=
FILE ?=
ARGS ?=

# A misspelt variable would silently be no variable at all.
KNOWN := GRID SEARCH DRY WET RUN RUNS EFFECT IN OUT FORMAT FORCE BOARD FILE ARGS
GIVEN := $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name)))
UNKNOWN := $(filter-out $(KNOWN) MAKEOVERRIDES -%,$(GIVEN))
$(if $(UNKNOWN),$(error unknown variable $(UNKNOWN); known are $(KNOWN)))

# Values are data, whatever they hold: neither make nor the shell may read them as code. Recipes
# take them from the environment, quoted ("$$GRID"), never as $(GRID); `value` keeps a $ in them.
$(foreach name,$(KNOWN),$(eval override $(name) := $$(value $(name))))
export $(KNOWN)

PY := .venv/bin/python
RECORDING := $${DRY:+"--dry=$$DRY"} $${WET:+"--wet=$$WET"}
# ARGS as "$$@": split at blanks as a shell would, quotes heeded, but nothing in it run.
SPLIT_ARGS := words=$$($(PY) -ISc 'import os, shlex; \
  os.write(1, os.fsencode(shlex.join(shlex.split(os.environ["ARGS"]))))' 2>/dev/null) \
  || { printf 'error: expected words in ARGS, found a quote without its end: %s\n' "$$ARGS" >&2; exit 2; }; \
  eval "set -- $$words"
# The versions that were tried, each file by its hash; wheels alone, whose set-up runs no code.
INSTALL := $(PY) -m pip install -q --disable-pip-version-check --only-binary :all: --require-hashes -r
LOCK := $(PY) -m uv pip compile -q --universal --python-version 3.11 --fork-strategy fewest \
  --only-binary :all: --generate-hashes --custom-compile-command "make lock"
ROOMS := data models study reports embedded tests

# Whatever is only recommended by another must stand here too. libclang-rt-dev, clang's sanitizers,
# follows the release's clang as `clang` itself does, so no version is named.
DEBIAN_PACKAGES := python3-venv guitarix-lv2 lilv-utils libportaudio2 ngspice \
  chromium gcc g++ clang lld llvm libclang-rt-dev gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib \
  qemu-system-arm

.DEFAULT_GOAL := help
.PHONY: help measure measured convert deploy budget timing grid search estimate report open choose listen listen-import render play export tensorboard data docs test test-fast fuzz lint bench lock doctor system clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

grid: .venv/.ready .venv/.wavesurfer ## train and evaluate GRID=quick|paper|real|file.toml [DRY=a.wav WET=b.wav], then report
	@$(SPLIT_ARGS); $(PY) -m study grid $(RECORDING) "$$@" -- "$$GRID"; status=$$?; \
	  case $$status in 0|3) ;; *) exit $$status;; esac; \
	  $(PY) -m embedded budget -- "$$GRID" && $(PY) -m embedded browser -- "$$GRID" && $(PY) -m reports -- "$$GRID" && exit $$status

search: .venv/.ready .venv/.wavesurfer ## search settings by SEARCH=sd1_search|file.toml [DRY=a.wav WET=b.wav], train the best
	@$(SPLIT_ARGS); $(PY) -m study search $(RECORDING) "$$@" -- "$$SEARCH"; status=$$?; \
	  case $$status in 0|3) ;; *) exit $$status;; esac; \
	  $(PY) -m embedded budget -- "$$SEARCH" && $(PY) -m embedded browser -- "$$SEARCH" && $(PY) -m reports -- "$$SEARCH" && exit $$status

estimate: .venv/.ready ## count the runs of GRID and estimate its hours on this machine
	@$(PY) -m study grid $(RECORDING) --dry-run -- "$$GRID"

report: .venv/.ready .venv/.wavesurfer ## rebuild the pages of GRID from its stored results
	@$(PY) -m embedded browser -- "$$GRID" && $(PY) -m reports -- "$$GRID"

open: .venv/.ready .venv/.wavesurfer ## rebuild the pages of GRID and serve them to this machine's browser, to play live through the models
	@$(SPLIT_ARGS); $(PY) -m embedded browser -- "$$GRID" && $(PY) -m reports --open "$$@" -- "$$GRID"

choose: .venv/.ready ## choose the model of GRID to build of each effect [EFFECT=sd1 RUN=id BOARD=teensy41 ARGS="--max-macs 5000"]
	@$(SPLIT_ARGS); $(PY) -m study choose $${RUN:+"--run=$$RUN"} $${EFFECT:+"--effect=$$EFFECT"} $${BOARD:+"--board=$$BOARD"} "$$@" -- "$$GRID"

listen: .venv/.ready ## open blind listening tests of GRID [EFFECT=sd1 RUNS=id,id]
	@$(SPLIT_ARGS); $(PY) -m reports.listening_cli serve $${RUNS:+"--compare=$$RUNS"} $${EFFECT:+"--effect=$$EFFECT"} "$$@" -- "$$GRID"

listen-import: .venv/.ready ## read FILE=answers.json, saved from the listening page, into GRID
	@$(PY) -m reports.listening_cli import -- "$$FILE" "$$GRID"

render: .venv/.ready ## play IN=dry.wav through GRID's choice into OUT=wet.wav [EFFECT=sd1 RUN=id]
	@$(SPLIT_ARGS); $(PY) -m study render "--grid=$$GRID" $${EFFECT:+"--effect=$$EFFECT"} "$$@" -- "$$RUN" "$$IN" "$$OUT"

deploy: .venv/.ready ## write and prove the firmware of GRID's choice for BOARD=teensy41 [EFFECT=sd1 RUN=id FORCE=1 ARGS="--route tflite_float32"; ARGS=--help names the boards]
	@$(SPLIT_ARGS); $(PY) -m embedded deploy "--board=$${BOARD:-teensy41}" $${RUN:+"--run=$$RUN"} $${EFFECT:+"--effect=$$EFFECT"} $${FORCE:+--force} "$$@" -- "$$GRID"

measure: .venv/.ready ## count anew, on the simulated Cortex-M7, what the budget of generated C rests on
	@$(PY) -m embedded measure

measured: .venv/.ready ## take in FILE=log.json, what the bench firmware of a model of GRID told over serial
	@$(PY) -m embedded measured -- "$$FILE" "$$GRID"

budget: .venv/.ready ## reckon which models of GRID keep up on which board, as choose and report read it
	@$(SPLIT_ARGS); $(PY) -m embedded budget "$$@" -- "$$GRID"

convert: .venv/.ready ## write GRID's choice as TFLite models, float and quantized, and prove them here [EFFECT=sd1 RUN=id ARGS="--kind int16x8"]
	@$(SPLIT_ARGS); $(PY) -m embedded convert $${RUN:+"--run=$$RUN"} $${EFFECT:+"--effect=$$EFFECT"} "$$@" -- "$$GRID"

timing: .venv/.ready ## measure computing time of GRID's best models against block size, here; the report shows it
	@$(SPLIT_ARGS); $(PY) -m embedded timing "$$@" -- "$$GRID"

play: .venv/.ready-live ## play GRID's choice live on the default sound card [EFFECT=sd1 RUN=id ARGS="--device 3 --block 64"]
	@$(SPLIT_ARGS); $(PY) -m study play "--grid=$$GRID" $${EFFECT:+"--effect=$$EFFECT"} "$$@" -- "$$RUN"

export: .venv/.ready ## write a run of GRID for a host, FORMAT=nam|aidax|proteus|neuralseed [EFFECT=sd1 RUN=id FORCE=1]
	@$(SPLIT_ARGS); $(PY) -m embedded export "--format=$$FORMAT" $${RUN:+"--run=$$RUN"} $${EFFECT:+"--effect=$$EFFECT"} $${FORCE:+--force} "$$@" -- "$$GRID"

tensorboard: .venv/.ready-tensorboard ## show losses, settings and metrics of GRID in TensorBoard [ARGS="--port 7007"]
	@$(PY) -m reports.tensorboard_cli -- "$$GRID"
	@$(SPLIT_ARGS); name=$${GRID##*/}; $(PY) -m tensorboard.main "--logdir=runs/$${name%.*}/tensorboard" "$$@"

data: .venv/.ready ## make, or import and check, the dry/wet pairs of GRID
	@$(PY) -m study data $(RECORDING) -- "$$GRID"

# Material's word about its successor is in docs/libraries.md.
docs: .venv/.ready-docs ## build the documents as a site, site/index.html; a broken link ends it
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet
	@echo "Site: site/index.html; with its search: $(PY) -m http.server --directory site"

test: .venv/.ready-dev .venv/.wavesurfer ## run all tests [ARGS="-m 'not slow'"]
	@$(SPLIT_ARGS); $(PY) -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal "$$@"

test-fast: .venv/.ready-dev .venv/.wavesurfer ## run, while working, all tests but the slow ones and the attacks, in 2 minutes [ARGS=tests/data]
	@$(SPLIT_ARGS); $(PY) -m pytest -m 'not slow' --ignore tests/fuzz \
	  --numprocesses auto --maxprocesses 4 --dist worksteal "$$@"

fuzz: .venv/.ready-dev .venv/.wavesurfer ## attack all that is fed in for an hour, and kill commands [ARGS="-k answers"]
	@$(SPLIT_ARGS); \
	  export PEDALFRAME_FUZZ_TOTAL_SECONDS="$${PEDALFRAME_FUZZ_TOTAL_SECONDS:-3600}"; \
	  export PEDALFRAME_FUZZ_SEED="$${PEDALFRAME_FUZZ_SEED:-$$(date +%s)}"; \
	  $(PY) -m pytest tests/fuzz -rP --numprocesses auto --maxprocesses 4 --dist worksteal "$$@"

lint: .venv/.ready-dev ## check style, types and which room imports which
	.venv/bin/ruff check $(ROOMS)
	.venv/bin/ruff format --check $(ROOMS)
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo --no-cache

bench: .venv/.ready-bench ## measure training speed and memory against stock Keras on TensorFlow
	@$(SPLIT_ARGS); $(PY) -m tests.bench "$$@"

# Each takes its versions from the one before, so that all can be installed together.
lock: .venv/bin/python ## choose anew, within requirements*.txt, the versions that are installed [ARGS=--upgrade]
	@$(PY) -m pip install -q --disable-pip-version-check 'uv>=0.9,<0.14'
	@$(SPLIT_ARGS); $(LOCK) "$$@" requirements-bench.txt -o requirements-bench.lock
	@$(SPLIT_ARGS); $(LOCK) "$$@" -c requirements-bench.lock requirements-dev.txt -o requirements-dev.lock
	@for part in requirements requirements-live requirements-docs requirements-tensorboard requirements-node; do \
	  $(LOCK) --upgrade -c requirements-dev.lock $$part.txt -o $$part.lock || exit 2; done

# Must help where nothing is set up, so with the system's Python.
doctor: ## tell what this machine and its set-up have, what is missing or spoilt, and what to do
	@command -v python3 >/dev/null || { echo "error: expected python3; found none." \
	  "On Debian or Ubuntu run: make system" >&2; exit 2; }
	@python3 -I study/doctor.py

system: ## install the Debian packages that LV2 effects, the simulated Cortex-M7 and some tests need
	$(if $(filter 0,$(shell id -u)),,sudo) apt-get update -q
	$(if $(filter 0,$(shell id -u)),,sudo) env DEBIAN_FRONTEND=noninteractive \
	  apt-get install -q -y --no-install-recommends $(DEBIAN_PACKAGES)

clean: ## remove the virtual environment and caches; results under runs/ stay
	rm -rf .venv site .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find $(ROOMS) -name __pycache__ -prune -exec rm -rf {} +

# A Python that TensorFlow has wheels for, with the venv module; tried by running it.
.venv/bin/python:
	@for candidate in python3.12 python3.11 python3.13 python3; do \
	  if $$candidate -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; \
	  then echo "setting up .venv with $$($$candidate --version)"; \
	    $$candidate -m venv .venv || { rm -rf .venv; exit 2; }; exit 0; fi; \
	done; \
	echo "error: expected Python 3.11, 3.12 or 3.13 with its venv module; found none." \
	  "On Debian or Ubuntu run: make system" >&2; exit 2

.venv/.ready: requirements.lock | .venv/bin/python
	@echo "installing packages (once, some minutes)"
	@$(INSTALL) requirements.lock
	@touch $@

# Leaves its stamp only where the script could be had: offline, players stay plain.
.venv/.wavesurfer: reports/audio/npm/package-lock.json .venv/.ready
	@$(PY) -m reports.audio.wavesurfer $@

.venv/.ready-live: requirements-live.lock .venv/.ready
	@$(INSTALL) requirements-live.lock
	@touch $@

.venv/.ready-tensorboard: requirements-tensorboard.lock .venv/.ready
	@$(INSTALL) requirements-tensorboard.lock
	@touch $@

# Reads the code without running it, so needs nothing of the program.
.venv/.ready-docs: requirements-docs.lock | .venv/bin/python
	@$(INSTALL) requirements-docs.lock
	@touch $@

.venv/.ready-dev: requirements-dev.lock .venv/.ready
	@$(INSTALL) requirements-dev.lock
	@touch $@

.venv/.ready-bench: requirements-bench.lock .venv/.ready
	@$(INSTALL) requirements-bench.lock
	@touch $@
