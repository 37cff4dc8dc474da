# Liaison. `make help` lists what there is. Every target does its own set-up: a machine with Python 3.11 and pip is enough.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?=
# One more than there are processors, but three to six: now and then a test waits for a disk or a clock.
WORKERS ?= $(shell nproc 2>/dev/null | awk '{ n = $$1 + 1 } END { print (n < 3 ? 3 : n > 6 ? 6 : n) }')
ARGS ?=
KEY ?=
SIGNERS ?=
SECONDS ?= 120

UV_VERSION := 0.13.9
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport VIRTUAL_ENV
export PYTHONUNBUFFERED := 1
export PIP_ROOT_USER_ACTION := ignore
# Trust what this machine trusts: many agencies stand behind a proxy with its own certificate.
export UV_SYSTEM_CERTS := true

CODE := schemas hub subscribers bots
READY := .venv/.ready
FUZZ := .venv/.fuzz
BRIEF := "tests/faults/test_full_stream.py::test_the_hubs_streams_go_on_when_there_is_room_again" \
  "tests/faults/test_stopped_and_cut.py::test_a_cut_link[reader-short]"
# Where one may, the fault suite has mounts of its own: they end with it, however it ends.
APART := $(shell unshare --mount true 2>/dev/null && echo unshare --mount)

##@ Start here

.PHONY: help
help: ## Show this list
	@[ -t 1 ] || export NO_COLOR=1; awk 'BEGIN { FS = ":.*## "; if (ENVIRON["NO_COLOR"] == "" && ENVIRON["TERM"] != "dumb") { bold = "\033[1m"; name = "\033[36m"; off = "\033[0m" } \
	  printf "%sLiaison%s: signed, end-to-end encrypted bulletins between agencies\n", bold, off } \
	  /^##@ / { printf "\n%s%s%s\n", bold, substr($$0, 5), off } \
	  /^[a-z][a-z-]*:.*## / { printf "  %smake %-15s%s %s\n", name, $$1, off, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

.PHONY: setup
setup: $(READY) ## Install everything that is needed into .venv (the other targets do it by themselves)

.PHONY: demo
demo: $(READY) ## Watch bulletins travel: a hub, three agencies, an organisation, a chat (ARGS="--headless ...")
	@liaison-demo $(ARGS)

.PHONY: cluster
cluster: $(READY) ## Two hubs on three NATS servers, with TLS between all (ARGS="--headless --bulletins 200": kill one of each)
	@python -m hub.demo.cluster_cli $(ARGS)

##@ Check

.PHONY: test
test: lint types layers drift pytest cover ## Run everything that must hold: the checks below, then all tests

.PHONY: lint
lint: $(READY) ## Lint, and check the formatting
	ruff check .
	ruff format --check .

.PHONY: types
types: $(READY) ## Check the types (mypy, strict)
	mypy

.PHONY: layers
layers: $(READY) ## Check who may import whom
	@lint-imports --no-logo

.PHONY: drift
drift: $(READY) ## Check that the published schemas are what the code says
	python -m schemas.publish --check
	python -m subscribers.publish --check

.PHONY: pytest
pytest: $(FUZZ) ## Run the tests alone (ARGS="tests/unit -k name")
	@bash .ci/browser
	@mkdir -p build/coverage
	pytest -n $(WORKERS) --dist worksteal -m "not bench and not faults" --cov --cov-report= $(ARGS)

.PHONY: cover
cover: $(READY) ## Check the coverage that the last test run left
	@coverage json -q
	@python .ci/cover.py

##@ Work

.PHONY: format
format: $(READY) ## Format the code, and mend what the linter can
	ruff check --fix-only .
	ruff format .

.PHONY: schemas
schemas: $(READY) ## Write the published schemas anew from the code
	python -m tests.support.format_example
	python -m schemas.publish
	python -m subscribers.publish

.PHONY: attacks
attacks: $(READY) ## Try every attack of a hostile hub, and write the table of who noticed into the threat model
	pytest tests/faults/test_malicious_hub.py
	python -m tests.support.attack_table

.PHONY: js
js: ## Build the reader in TypeScript and run the vectors with it (needs Node.js 20 and npm)
	cd subscribers/js && npm ci --ignore-scripts && npm run build && npm test

.PHONY: js-read
js-read: js ## Read from a hub with it (ARGS as `make demo` prints them)
	@node subscribers/js/build/read.js $(ARGS)

.PHONY: js-page
js-page: js ## Serve it as a page for this machine's browser
	@node subscribers/js/build/serve.js

.PHONY: bench
bench: $(READY) ## Measure against bare loops of the same library calls, and beside others; writes build/bench.json
	@mkdir -p build
	@$(UV) sync --locked --quiet --inexact --extra pictures --extra traces --group peers || echo "Some of the others could not be installed: they are left out." >&2
	@python -m tests.bench $(ARGS)

.PHONY: faults
faults: $(READY) ## Kill, stop, cut off and fill up real processes at every step; writes build/faults.md (ARGS="-k sigstop")
	@bash .ci/disks
	@$(UV) sync --locked --quiet --inexact --extra pictures --extra traces --group faults
	@$(APART) pytest -m faults -p no:randomly tests/faults $(ARGS)

.PHONY: faults-brief
faults-brief: $(READY) ## A full disk and a cut link of them alone, in a minute: what CI runs beside `make test` (wants root)
	@mkdir -p build
	@FAULTS_TABLE=build/faults-brief.md $(APART) pytest -m faults -p no:randomly $(BRIEF)

.PHONY: performance
performance: $(READY) ## Take build/bench.json over into docs/performance.md: tables, model and plot
	@python -m tests.bench.report $(ARGS)
	@python -m tests.bench.plot

.PHONY: pictures
pictures: $(READY) ## Draw the pictures of the pages and charts in docs/pictures anew (needs Chromium)
	@bash .ci/browser
	@python -m tests.pictures

.PHONY: fuzz
fuzz: $(FUZZ) ## Fuzz every parser for SECONDS=n in all, going on from the last run (ARGS="--only frame --report ...")
	@python -m tests.fuzz $(SECONDS) $(ARGS)

.PHONY: mutate
mutate: $(READY) ## Change the code that decides who is believed, and see that tests notice (a quarter of an hour; ARGS="--modules schemas.frame")
	@$(UV) sync --locked --quiet --inexact --group mutate
	@python -m tests.mutate $(ARGS)

##@ Release

.PHONY: audit
audit: $(READY) ## Ask the public database of weaknesses about every pinned dependency (needs the network)
	@$(UV) audit --locked

.PHONY: release
release: $(READY) ## Build dist/: packages, pinned requirements, SBOM, checksums, signed with KEY=path (an OpenSSH key)
	@test -n "$(KEY)" || { echo "say which key signs: make release KEY=path" >&2; exit 2; }
	@python deploy/release.py build --uv "$(UV)" --key "$(KEY)"

.PHONY: verify-release
verify-release: $(READY) ## Check what is in dist/ against SIGNERS=path (lines of ssh-keygen's allowed_signers)
	@test -n "$(SIGNERS)" || { echo "say whom you trust: make verify-release SIGNERS=path" >&2; exit 2; }
	@python deploy/release.py verify --signers "$(SIGNERS)"

##@ Clean

.PHONY: clean
clean: ## Remove what the tools made (.venv and .tools too)
	rm -rf .venv .tools build dist mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(CODE) tests -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- the set-up, made anew when the dependencies change ----

# The system's own Python, where it is new enough and whole: distributions build theirs with profiles, and a node on it
# takes a sixth less time than on one that was built without. PYTHON=path says otherwise.
$(READY): pyproject.toml uv.lock | $(UV)
	@own=$$(/usr/bin/python3 -c 'import ctypes, sqlite3, ssl, sys; print(sys.executable if sys.version_info >= (3, 11) else "")' 2>/dev/null || true); \
	export UV_PYTHON="$${UV_PYTHON:-$(or $(PYTHON),$$own)}"; [ -n "$$UV_PYTHON" ] || unset UV_PYTHON; \
	$(UV) sync --locked --quiet --extra pictures --extra traces || { echo "The set-up failed: see the message above. Python 3.11 or newer and a package index are needed." >&2; exit 1; }
	@touch $@

# The fuzzer is large and few need it: it is added where it is asked for, and stays.
$(FUZZ): $(READY)
	@$(UV) sync --locked --quiet --inexact --group fuzz
	@touch $@

# uv in a directory of its own: works where the system's Python refuses to be installed into (PEP 668), and
# where Debian's python3 has no venv module.
.tools/bin/uv:
	@for python in $(PYTHON) $$(type -ap python3); do \
	  "$$python" -m pip --version >/dev/null 2>&1 || continue; \
	  echo "Installing uv $(UV_VERSION) into .tools"; \
	  exec "$$python" -m pip install -qq --disable-pip-version-check --no-cache-dir --upgrade --target .tools "uv==$(UV_VERSION)"; \
	done; \
	echo "No python3 with pip was found. Install them (Debian: apt-get install python3-pip), or install uv." >&2; exit 1
