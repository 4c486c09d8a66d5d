package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/waybill-oms/waybill/api"
	"github.com/waybill-oms/waybill/config"
	"github.com/waybill-oms/waybill/store"
)

type keysCmd struct {
	Create keysCreateCmd `cmd:"" help:"Create a key and print it, once."`
	List   keysListCmd   `cmd:"" help:"List keys. The keys themselves are not kept."`
	Revoke keysRevokeCmd `cmd:"" help:"End a key's life."`
}

type keysCreateCmd struct {
	config.Connections
	config.Secrets
	Name    string        `arg:"" help:"What the key is for: a name that you will recognize."`
	Scopes  []string      `name:"scope" help:"What it may do; all when not given. One of orders:read, orders:write, fulfillments:read, fulfillments:write, inventory:read, inventory:write." placeholder:"SCOPE"`
	Expires time.Duration `help:"End its life after this long, such as 2160h." placeholder:"DURATION"`
	JSON    bool          `name:"json" help:"Print JSON."`
}

func (c *keysCreateCmd) Run(ctx context.Context) error {
	conn, err := connections(c.Connections)
	if err != nil {
		return err
	}
	secret, err := keySecret(c.Secrets, conn.Data)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, conn.DatabaseURL, store.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	scopes := c.Scopes
	if len(scopes) == 0 {
		scopes = api.Scopes()
	}
	var expires *time.Time
	if c.Expires > 0 {
		at := time.Now().Add(c.Expires).UTC()
		expires = &at
	}
	ring := &api.KeyRing{Store: s, Secret: secret, Now: time.Now}
	key, kept, err := ring.Make(ctx, c.Name, scopes, expires)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(map[string]any{"id": kept.ID, "name": kept.Name, "scopes": kept.Scopes, "expires_at": kept.ExpiresAt, "key": key})
	}
	fmt.Fprintf(os.Stderr, "%s (%s) may %s. It is shown only now:\n", kept.ID, kept.Name, strings.Join(kept.Scopes, ", "))
	fmt.Println(key)
	return nil
}

// keySecret is the configured one, or that of the waybill dev in a folder.
func keySecret(secrets config.Secrets, data string) ([]byte, error) {
	if secrets.KeySecret == "" && data != "" {
		return devKeySecret(data)
	}
	return secrets.Key()
}

type keysListCmd struct {
	config.Connections
	JSON bool `name:"json" help:"Print JSON."`
}

func (c *keysListCmd) Run(ctx context.Context) error {
	conn, err := connections(c.Connections)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, conn.DatabaseURL, store.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	keys, err := s.APIKeys(ctx, "")
	if err != nil {
		return err
	}
	if c.JSON {
		list := make([]map[string]any, 0, len(keys))
		for _, k := range keys {
			list = append(list, map[string]any{"id": k.ID, "name": k.Name, "scopes": k.Scopes, "created_at": k.CreatedAt,
				"expires_at": k.ExpiresAt, "revoked_at": k.RevokedAt, "live": k.Live(time.Now())})
		}
		return printJSON(list)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tSTATE\tCREATED\tSCOPES")
	for _, k := range keys {
		state := "live"
		switch {
		case k.RevokedAt != nil:
			state = "revoked"
		case !k.Live(time.Now()):
			state = "expired"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, state, k.CreatedAt.Format("2006-01-02 15:04"), strings.Join(k.Scopes, " "))
	}
	return w.Flush()
}

type keysRevokeCmd struct {
	config.Connections
	ID string `arg:"" help:"The key's id, as keys list shows it."`
}

func (c *keysRevokeCmd) Run(ctx context.Context) error {
	conn, err := connections(c.Connections)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, conn.DatabaseURL, store.Options{MaxConns: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.RevokeAPIKey(ctx, c.ID, time.Now().UTC()); err != nil {
		return err
	}
	fmt.Printf("%s is revoked: it opens nothing any more, within seconds\n", c.ID)
	return nil
}

func printJSON(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
