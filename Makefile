# Everything a reader does starts here; `make` alone lists it.

PAPER   ?= gcnet
TIER    ?= twin
DATASET ?= ckplus
VARIANT ?= S1R1
SOURCE  ?= $(if $(filter paper,$(TIER)),prepared,twin)
LONDON  ?= ../shared/data/london
CORES   ?= 2
# the environment: a private folder, or one that exists already, see environment.yml
ENV     ?= .venv

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

STAMP := $(ENV)/.fercore-installed
BIN   := $(abspath $(ENV))/bin
# two one-thread jobs side by side beat one two-thread job; two two-thread jobs ruin each other
export OMP_NUM_THREADS := 1
export PATH := $(BIN):$(PATH)

# --nolock: a killed run leaves a stale lock behind; here files are renamed into place and runs hold kernel locks
SNAKEMAKE = $(BIN)/snakemake --snakefile Snakefile --cores $(CORES) --nolock --rerun-incomplete --keep-going \
            --show-failed-logs --quiet rules host --config paper=$(PAPER) tier=$(TIER) source=$(SOURCE)

LONDON_PAPERS = $(patsubst notebooks/%/real_faces_london.ipynb,%,$(wildcard notebooks/*/real_faces_london.ipynb))

.PHONY: help env test lint lab reproduce folds london twins verdict site keep bench lock clean clean-results clean-env

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

env: $(STAMP) ## the environment of requirements.lock, in .venv (ENV=folder); done once

test: $(STAMP) ## the whole test suite
	$(BIN)/python -m pytest -n $(CORES) --dist loadfile

lint: $(STAMP) ## style and common mistakes
	$(BIN)/ruff check .

lab: $(STAMP) ## JupyterLab on the notebooks
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks

reproduce: $(STAMP) ## every table and figure: PAPER=gcnet (or occluded, unpaired, idferm) TIER=twin (or smoke, paper)
	$(SNAKEMAKE)

folds: $(STAMP) ## every fold of one row: PAPER=gcnet DATASET=ckplus VARIANT=S1R1 SOURCE=twin
	@$(BIN)/python -m fercore.pages --check notebooks/$(PAPER)/run_fold.ipynb \
		-p tier $(TIER) -p source $(SOURCE) -p dataset $(DATASET) -p variant '$(VARIANT)'
	$(SNAKEMAKE) dataset=$(DATASET) variant='$(VARIANT)' -- folds

london: $(STAMP) ## prepare the London faces, then train on them: PAPER=gcnet LONDON=folder of the photographs
	@test -f notebooks/$(PAPER)/real_faces_london.ipynb || { \
		echo "PAPER=$(PAPER) has no page on London; valid: $(LONDON_PAPERS)" >&2; exit 2; }
	@test -e "$(LONDON)" || { echo "$(LONDON) does not exist; give LONDON=folder of the photographs (README.md)" >&2; exit 2; }
	$(BIN)/python data_prep/london.py --source $(LONDON)
	$(SNAKEMAKE) -- london

twins: $(STAMP) ## the drawn faces: how good they are, and a page to play with them
	$(SNAKEMAKE) -- twins

verdict: $(STAMP) ## every claim against print and runs, forensics, price of leakage, ambiguities: over the runs that are there
	$(SNAKEMAKE) -- verdict

site: $(STAMP) ## all rendered pages as one site, in results/site: TIER=twin SOURCE=twin; nothing is run
	$(BIN)/python -m fercore.website --tier $(TIER) --source $(SOURCE)

keep: $(STAMP) ## the rendered pages, stamped, into results/rendered, which is part of the repository
	$(BIN)/python -m fercore.website --keep --tier $(TIER) --source $(SOURCE)

bench: $(STAMP) ## measure: training loop, peak memory, share of time outside training
	$(BIN)/python -m fercore.bench

lock: ## renew requirements.lock from pyproject.toml
	@UV=$$(.ci/uv) && $$UV pip compile pyproject.toml --all-extras --universal --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --upgrade --quiet --output-file requirements.lock

clean: ## caches and failed notebooks; results stay
	rm -rf .pytest_cache .ruff_cache fercore.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
	find results -name '*.failed.*' -delete

clean-results: ## all that `make reproduce` made (asks first)
	@read -r -p "Remove all results that are not committed? [y/N] " answer; [[ $$answer == y ]]
	git clean -fdX -- results .snakemake

clean-env: ## the private environment and tools
	rm -rf .venv .tools .environment.lock

$(STAMP): requirements.lock pyproject.toml .ci/environment
	@.ci/environment $(ENV)
