package main

import (
	"context"
	"errors"

	"cotejo/internal/config"
)

func seed(context.Context, config.Config, []string) error  { return errors.New("x") }
func bench(context.Context, config.Config, []string) error { return errors.New("x") }
