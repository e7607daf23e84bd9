// Package migrations embeds the schema. Files are small, reversible and never edited after a release.
package migrations

import "embed"

// Files holds the goose migrations.
//
//go:embed *.sql
var Files embed.FS
