package handlers_test

import (
	"context"

	"cotejo/internal/connection"
	"cotejo/internal/lookup"
	"cotejo/internal/palenca"
	"cotejo/internal/webhook"
)

func (v vendor) client(ctx context.Context, c connection.Connection) (*palenca.Client, error) {
	key, err := v.ConnectionKey(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	return palenca.New(palenca.Options{BaseURL: c.BaseURL, Environment: c.Environment, Key: key, WidgetID: c.WidgetID})
}

// Hooks lists the subscriptions at the sandbox.
func (v vendor) Hooks(ctx context.Context, c connection.Connection) ([]webhook.VendorHook, error) {
	client, err := v.client(ctx, c)
	if err != nil {
		return nil, err
	}
	list, err := client.Webhooks(ctx)
	var hooks []webhook.VendorHook
	for _, w := range list {
		hooks = append(hooks, webhook.VendorHook{ID: w.ID, Name: w.Name, URL: w.URL, Active: w.Active, Sign: w.Sign})
	}
	return hooks, err
}

// PutHook registers or changes a subscription at the sandbox.
func (v vendor) PutHook(ctx context.Context, c connection.Connection, h webhook.VendorHook) (id, secret string, err error) {
	client, err := v.client(ctx, c)
	if err != nil {
		return "", "", err
	}
	w := palenca.Webhook{ID: h.ID, Name: h.Name, URL: h.URL, WidgetID: c.WidgetID, Sandbox: c.Environment == lookup.Sandbox,
		Active: h.Active, Sign: h.Sign, Events: h.Events}
	if h.ID == "" {
		w, err = client.CreateWebhook(ctx, w)
	} else {
		w, err = client.UpdateWebhook(ctx, w)
	}
	return w.ID, w.Secret, err
}

// DropHook removes a subscription at the sandbox.
func (v vendor) DropHook(ctx context.Context, c connection.Connection, id string) error {
	client, err := v.client(ctx, c)
	if err != nil {
		return err
	}
	return client.DeleteWebhook(ctx, id)
}
