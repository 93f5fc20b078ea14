# The commands of everyday work. `make help` lists them.

# A path to Rust for machines where it was just installed and no new shell was opened since.
export PATH := $(PATH):$(HOME)/.cargo/bin

# `make demo PROFILE=release` builds longer and runs faster.
PROFILE ?= dev
ARGS ?=
target := $(or $(CARGO_TARGET_DIR),target)
programs := $(target)/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))

.DEFAULT_GOAL := help
.PHONY: help demo test check bench web machine

help: ## list these commands
	@echo 'Usage: make COMMAND [ARGS="…"]'
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

demo: machine ## a live back office with two companies, opened in its console; ARGS go to `coulisse demo`
	@infra/web.sh --if-possible
	cargo build --workspace --bins --profile $(PROFILE)
	@exec $(programs)/coulisse demo $(ARGS)

test: ## every test, beside a PostgreSQL and a Redis of its own; ARGS go to `cargo test`
	@infra/test.sh $(ARGS)

check: ## format, lints, and the committed schema against the code
	@infra/machine.sh --lint
	@infra/web.sh
	@infra/web.sh run npm run --silent check
	@infra/web.sh run npm run --silent size
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo build --workspace --all-targets
	$(target)/debug/coulisse schema --check

bench: machine ## the benchmark, built for speed; ARGS go to it
	cargo build --workspace --bins --release
	@exec $(target)/release/coulisse-bench $(ARGS)

web: ## the console, from web/ into web/dist, which the server embeds
	@infra/web.sh

machine: ## install what is missing on this machine
	@infra/machine.sh
