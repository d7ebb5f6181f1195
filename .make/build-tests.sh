#!/usr/bin/env bash
# Builds everything that checks and tests run: program, generator and all test targets, in debug. One
# command line for all who need it, so that nothing is built twice; undeclared imports are refused,
# and Package.swift makes every warning an error.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$REPO/.make/env.sh"
cd "$REPO"
exec swift build --build-tests --explicit-target-dependency-import-check error
