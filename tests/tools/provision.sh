#!/usr/bin/env bash
# What the end-to-end tests need beyond Rust, Python and Node: installed where that is possible, reported where it is not.
set -u
cd "$(dirname "$0")/../.."

missing=()
command -v docker-registry >/dev/null || missing+=(docker-registry)
command -v htpasswd >/dev/null || missing+=(apache2-utils)
command -v openssl >/dev/null || missing+=(openssl)
command -v nginx >/dev/null || missing+=(nginx-light)
command -v zsh >/dev/null || missing+=(zsh)
command -v fish >/dev/null || missing+=(fish)
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)

if [ ${#missing[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update || true
  for package in "${missing[@]}"; do
    apt-get -qq install --yes --no-install-recommends "$package" >/dev/null || true
  done
fi

for program in docker-registry htpasswd openssl nginx zsh fish; do
  command -v "$program" || echo "SKIP $program is not installed, and apt could not bring it"
done
command -v chromium || command -v chromium-browser || command -v google-chrome ||
  echo "SKIP chromium is not installed, and apt could not bring it"
"${1:-python3}" tests/tools/helm.py
"${1:-python3}" tests/tools/sarif.py
charts=${CHARTOCI_CHARTS:-../shared/charts}
if [ -d "$charts" ]; then
  echo "NOTE $(find "$charts" -name '*.tgz' | wc -l) real charts in $charts"
else
  echo "SKIP there are no real charts in $charts; the generated ones are used"
fi
