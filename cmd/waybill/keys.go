package main

import (
	"context"
	"encoding/json"
	"errors"
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
	Create keysCreateCmd `cmd:"" help:"Create an API key and print it, once."`
	List   keysListCmd   `cmd:"" help:"List API keys. The keys themselves are not kept."`
	Revoke keysRevokeCmd `cmd:"" help:"End an API key's life."`
}

type keysCreateCmd struct {
	Name    string        `arg:"" help:"What the key is for: a name that you will recognize."`
	Scopes  []string      `name:"scope" help:"What it may do; everything when not given. Any of ${scopes}." placeholder:"SCOPE"`
	Expires time.Duration `help:"End its life after this long, such as 2160h (90 days); never when not given." placeholder:"DURATION"`
	JSON    bool          `name:"json" help:"Print JSON."`
	config.Secrets
	config.Database
}

// Help is what waybill keys create --help says beyond its flags.
func (keysCreateCmd) Help() string {
	return `Only the key goes to standard output, so KEY=$(waybill keys create robot) works:

    waybill keys create warehouse --scope fulfillments:read,fulfillments:write,returns:read --expires 2160h`
}

// Validate refuses what would make a key that nobody meant.
func (c *keysCreateCmd) Validate() error {
	if strings.TrimSpace(c.Name) == "" {
		return errors.New("a key needs a name")
	}
	if c.Expires < 0 {
		return errors.New("--expires must be more than 0, such as 2160h")
	}
	return nil
}

func (c *keysCreateCmd) Run(ctx context.Context) error {
	s, err := openStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer s.Close()
	secret, err := c.Key()
	if err != nil {
		return err
	}
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
	fmt.Fprintf(os.Stderr, "%s (%s) may do %s. The key is shown only now:\n", kept.ID, kept.Name, strings.Join(kept.Scopes, ", "))
	fmt.Println(key)
	return nil
}

type keysListCmd struct {
	JSON bool `name:"json" help:"Print JSON."`
	config.Database
}

func (c *keysListCmd) Run(ctx context.Context) error {
	s, err := openStore(ctx, c.Database)
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
	fmt.Fprintln(w, "ID\tNAME\tSTATE\tCREATED\tEXPIRES\tSCOPES")
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, keyState(k), minute(&k.CreatedAt), minute(k.ExpiresAt), strings.Join(k.Scopes, " "))
	}
	return w.Flush()
}

func keyState(k store.APIKey) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked"
	case !k.Live(time.Now()):
		return "expired"
	}
	return "live"
}

// minute is as exact as a person wants to know a time, in UTC.
func minute(at *time.Time) string {
	if at == nil {
		return "never"
	}
	return at.UTC().Format("2006-01-02T15:04Z")
}

type keysRevokeCmd struct {
	ID string `arg:"" help:"The key's id, as waybill keys list shows it."`
	config.Database
}

func (c *keysRevokeCmd) Run(ctx context.Context) error {
	s, err := openStore(ctx, c.Database)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.RevokeAPIKey(ctx, c.ID, time.Now().UTC()); err != nil {
		return err
	}
	fmt.Printf("%s is revoked: within seconds it opens nothing any more\n", c.ID)
	return nil
}

func printJSON(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
