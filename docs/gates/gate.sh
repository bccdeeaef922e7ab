#!/bin/sh
# Fetches what a gate needs and asks proctor-gate. All examples in this folder run this.
# It needs proctor-gate and curl. Its exit code is proctor-gate's: nothing but 0 is a yes.
#
#   PROCTOR_SERVER        address of the service
#   PROCTOR_TOKEN         token of a submitter; not needed with PROCTOR_BUNDLE
#   PROCTOR_RUN           the run whose approval is asked for
#   PROCTOR_WAIVER        in place of it, the proposal that led to a waiver
#   PROCTOR_BUNDLE        in place of both, a file
#   PROCTOR_EVIDENCE      file with the evidence, if the requirements need it
#   PROCTOR_MODEL         folder that is about to ship
#   PROCTOR_REQUIREMENTS  what this gate demands
#   PROCTOR_TRUST         trust.json; or
#   PROCTOR_ROOTS         root keys: the trust file is fetched
#   PROCTOR_MEMORY        what this gate has seen; keep it from one call to the next
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fetch() { # FILE PATH [HEADER]
  curl -fsS --max-time 30 --max-filesize 2097152 ${3:+-H "$3"} -o "$work/$1" "$PROCTOR_SERVER$2" || {
    echo "CLOSED: $2 could not be fetched" >&2
    exit 2
  }
}

auth="Authorization: Bearer ${PROCTOR_TOKEN:-}"
bundle=${PROCTOR_BUNDLE:-}
if [ -z "$bundle" ]; then
  bundle=$work/bundle.json
  if [ -n "${PROCTOR_WAIVER:-}" ]; then
    fetch bundle.json "/v1/waivers/$PROCTOR_WAIVER" "$auth"
  else
    fetch bundle.json "/v1/submissions/$PROCTOR_RUN/approval" "$auth"
  fi
fi
fetch revocations.json /log/revocations
if [ -n "${PROCTOR_ROOTS:-}" ]; then
  fetch trust /log/trust
  set -- --trust "$work/trust" --root "$PROCTOR_ROOTS"
else
  set -- --trust "$PROCTOR_TRUST"
fi
[ -z "${PROCTOR_EVIDENCE:-}" ] || set -- "$@" --evidence "$PROCTOR_EVIDENCE"
[ -z "${PROCTOR_MEMORY:-}" ] || set -- "$@" --memory "$PROCTOR_MEMORY"
proctor-gate explain --bundle "$bundle" --revocations "$work/revocations.json" --requirements "$PROCTOR_REQUIREMENTS" --model "$PROCTOR_MODEL" "$@"
