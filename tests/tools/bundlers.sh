#!/bin/sh
# Installs the bundlers, where they can be had, and bundles an app with each.
set -eu
cd "$(dirname "$0")/../bundlers"
npm install --silent --no-audit --no-fund --no-package-lock || { echo "SKIP the bundlers cannot be installed"; exit 0; }
npm test --silent
