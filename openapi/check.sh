#!/bin/sh
# Feeds the OpenAPI document to three consumers: redocly lint, openapi-typescript with tsc --strict, and oapi-codegen
# with the Go compiler. Fails if one of them does. Needs node, go and their registries.
#   openapi/check.sh [DOCUMENT]     openapi/openapi.json, if none is named
set -eu

here=$(cd "$(dirname "$0")" && pwd)
document=$(realpath "${1:-$here/openapi.json}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

npm install --silent --no-save --no-audit --no-fund --prefix "$work" \
  @redocly/cli@2.77.0 openapi-typescript@7.13.0 typescript@5.9.3
PATH=$work/node_modules/.bin:$PATH

echo "redocly lint"
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true redocly lint --config "$here/redocly.yaml" "$document"

echo "openapi-typescript, tsc --strict"
openapi-typescript "$document" --output api.ts
tsc --strict --noEmit api.ts

echo "oapi-codegen, go vet"
mkdir client
cd client
GOFLAGS=-mod=mod go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 \
  -generate types,client -package client "$document" > client.go
go mod init example.com/client
go get github.com/oapi-codegen/runtime@v1.7.0
go mod tidy # of the client alone
go vet ./...
