# Comptoir's commands. `make` alone lists them.
#
# PYTHON: the interpreter that makes .venv, 3.11 or later: the system's where it can, since distributions build theirs with
# profile-guided optimisation, and pyenv, unless asked, does not. All else about a shop is set by variables (README.md).
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo /usr/bin/python3 || echo python3)
SHELL := bash
VENV := $(CURDIR)/.venv/bin/python
# Every folder with a Makefile has its own tests and style.
PARTS := $(patsubst %/Makefile,%,$(wildcard */Makefile))

.DEFAULT_GOAL := help
.PHONY: advisories check-deploy sbom security help up down restart reload status logs clean audit faults bench bench-scale bench-gateway load load-ui backup restore reconcile venv test test-long test-compose lint fmt lock

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

up: ## start the shop, with goods in it (SEED=none: without)
	@$(PYTHON) -m local up
down: ## stop the shop
	@$(PYTHON) -m local down
restart: ## stop the shop and start it
	@$(PYTHON) -m local restart
reload: ## take new code and configuration without losing a request
	@$(PYTHON) -m local reload
status: ## show each process, its processor time and its memory
	@$(PYTHON) -m local status
logs: ## follow all logs; REQUEST=<id> shows one request's way through the shop
	@$(PYTHON) -m local logs
clean: ## stop the shop and forget its data
	@$(PYTHON) -m local clean

audit: ## prove from the databases that every promise was kept (AUDIT_SETTLE=0: and that all is at rest)
	@$(if $(COMPOSE),$(COMPOSE) -f docker-compose.yml -f loadtest/auditor/compose.yml run --rm auditor,$(VENV) -m loadtest.auditor)
faults: venv ## break a shop of its own in every way we know and prove that its orders stay true (REPLAY=seed: the same again)
	@$(VENV) -m loadtest.faults $(if $(REPLAY),--seed $(REPLAY))
bench: venv ## measure a shop of its own against its goals; QUICK=1: 8 s each, once; ONLY="checkout list": these
	@$(VENV) -m loadtest.bench $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))
bench-scale: venv ## the cost of each operation with 5,000 and with 1,000,000 products and orders (SIZE=n: up to n)
	@$(VENV) -m loadtest.scale $(if $(SIZE),--size $(SIZE))
bench-gateway: venv ## measure the gateway: a cached read against a static file, what it adds to an uncached one
	@$(MAKE) --no-print-directory -C nginx bench-gateway PYTHON=$(VENV)
load: venv ## send people to a shop of its own, then audit it; SHAPE=smoke, steady, steps, spike, flash, soak; TARGET=url
	@$(VENV) -m loadtest.load $(if $(SHAPE),--shape $(SHAPE)) $(if $(TARGET),--target $(TARGET))
load-ui: venv ## the same with Locust's web page on port 8089
	@$(VENV) -m loadtest.load --ui $(if $(SHAPE),--shape $(SHAPE)) $(if $(TARGET),--target $(TARGET))
backup: ## dump every database into backups/ (COMPOSE="docker compose": of the shop in Docker)
	@$(VENV) -m local.backup
restore: ## put the newest backup, or BACKUP=folder, in the place of the databases; YES=1 does not ask
	@$(VENV) -m local.restore
reconcile: ## repair what make audit finds after a restore: complete, cancel or refund, and say so
	@$(VENV) -m loadtest.reconcile

venv: ## make .venv with all that development needs
	@$(PYTHON) -m local venv
# Two lanes side by side, since tests wait more than they reckon, of about the same length; the parts that load a gateway
# or a whole shop are in one of them. Each goes through all its parts, also after one has failed, and names at its end the
# tests that failed.
SHOPS := $(filter e2e loadtest monitoring docker nginx,$(PARTS))
OTHERS := $(filter-out $(SHOPS),$(PARTS))
test: venv ## run every test, on ports and data of its own; test-stock runs those of stock
	@$(MAKE) --no-print-directory --jobs=2 --keep-going lane-shops lane-others && printf '\nall passed: %s\n' "$(PARTS)"
lane-shops: PARTS := $(SHOPS)
lane-others: PARTS := $(OTHERS)
lane-%:
	@set -o pipefail; failed=; log=$$(mktemp); trap 'rm -f "$$log"' EXIT; for part in $(PARTS); do \
	  $(MAKE) --no-print-directory -C "$$part" test PYTHON=$(VENV) 2>&1 | sed -u "s/^/$$part | /" | tee -a "$$log" || failed="$$failed $$part"; \
	done; test -z "$$failed" || { grep -E ' \| (FAILED|ERROR) ' "$$log" | cut -c1-300; printf '\nfailed:%s\n' "$$failed"; exit 1; }
test-long: venv ## run what takes longer: 20,000 requests a service from its schema, 60 s of failing instances, restores
	@for part in $(PARTS); do grep -q '^test-long:' $$part/Makefile || continue; \
	  printf '\n--- %s\n' "$$part"; $(MAKE) --no-print-directory -C "$$part" test-long PYTHON=$(VENV) || failed="$$failed $$part"; \
	done; test -z "$$failed" || { printf '\nfailed:%s\n' "$$failed"; exit 1; }
lint: $(PARTS:%=lint-%) ## check style, types and import rules
fmt: $(PARTS:%=fmt-%) ## format the code

test-compose: venv ## build the shop's images, start it in containers, test it there; needs a Docker engine
	@$(MAKE) --no-print-directory -C docker test-compose PYTHON=$(VENV)

test-%: venv
	@$(MAKE) --no-print-directory -C $* test PYTHON=$(VENV)
lint-%: venv
	@$(MAKE) --no-print-directory -C $* lint PYTHON=$(VENV)
fmt-%: venv
	@$(MAKE) --no-print-directory -C $* fmt PYTHON=$(VENV)

security: venv ## write who may call what (routes.toml of each service) into docs/security.md
	@$(VENV) -m local.security
check-deploy: venv ## say what is left to do before this shop meets the world; fails while something is
	@$(VENV) -m local.check_deploy
sbom: venv ## list every package of the shop (CycloneDX) in sbom/
	@$(VENV) -m local.supply sbom
advisories: venv ## ask whether a package has a known weakness; says so where nobody answers
	@$(VENV) -m local.supply advisories

lock: venv ## pin every dependency in the requirements files; UPGRADE=1 takes newer releases
	@$(VENV) -m local.lock
