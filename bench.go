package main

import (
	"context"
	"errors"

	"cotejo/internal/config"
)

func bench(context.Context, config.Config, []string) error { return errors.New("x") }
