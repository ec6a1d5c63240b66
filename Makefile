# What a contributor types. Every recipe is three lines or fewer; anything longer lives in .ci/.

.DEFAULT_GOAL := help

# Their `mod` lines come out of the register's macro, where cargo fmt does not look.
ROOMS := $(wildcard generator/schema/src/objects/*.rs)

.PHONY: help setup demo test test-quick test-matrix bench fuzz chaos check fmt lint clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what building and testing need, where it is missing
	@bash .ci/setup.sh

demo: setup ## Run the main job on the shipped models, with the embedded Postgres
	@bash .ci/demo.sh

test: setup ## Run every test
	cargo test --workspace --no-fail-fast

test-quick: export TRUEUP_QUICK = 1
test-quick: setup ## Run the unit tests and one case of each kind, in a minute or two
	cargo test --workspace --lib --test cases

test-matrix: setup ## Try all cases on PostgreSQL 14 to 18, those of them that this machine has
	TRUEUP_MAJORS="$${MAJORS:-14 15 16 17 18}" cargo test -p tests --no-fail-fast --test cases --test noise --test majors

fuzz: export TRUEUP_FUZZ ?= $(or $(FUZZ),10000)
fuzz: export TRUEUP_PAIRS ?= $(or $(PAIRS),2000)
fuzz: export TRUEUP_SEED ?= $(or $(SEED),$(shell date +%s))
fuzz: setup ## Try schemas and texts that nobody thought of, for as long as PAIRS and FUZZ say
	cargo test -p cli --lib -- fuzz
	cargo test -p tests --test pairs --test fuzz

chaos: setup ## Kill commands at any moment and run them again, N times
	TRUEUP_CHAOS=$${N:-200} TRUEUP_SEED=$${SEED:-$$(date +%s)} cargo test -p tests --test chaos -- --nocapture

bench: setup ## Measure reading, comparing and the commands at size; some minutes
	cargo bench -q -p tests --bench size

check: ## Say whether models, migrations and database agree
	@cargo run -q -p cli -- check

fmt: ## Format the code
	cargo fmt --all
	rustfmt --edition 2024 $(ROOMS)

lint: setup ## Fail on unformatted code and on any warning
	cargo fmt --all --check
	rustfmt --edition 2024 --check $(ROOMS)
	cargo clippy --workspace --all-targets --all-features -- -D warnings

clean: ## Remove what was built; the embedded database stays
	cargo clean
