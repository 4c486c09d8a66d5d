package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

type envCmd struct {
	Data string `env:"WAYBILL_DATA" help:"Data folder of the waybill dev; its default when not given." placeholder:"DIR"`
}

// Help is what waybill env --help says beyond its flags.
func (envCmd) Help() string {
	return `Sets API and KEY, for curl, and WAYBILL_DATA, by which every other command finds the same Waybill:

    eval "$(waybill env)"
    curl $API/v1/orders -H "Authorization: Bearer $KEY"
    waybill keys list`
}

// Run prints no address but the API's: the others may change with the next start, and a DATABASE_URL that stays
// behind in a shell would make the next waybill dev look for a database that is gone.
func (c *envCmd) Run() error {
	dir := c.Data
	if dir == "" {
		var err error
		if dir, err = defaultData(); err != nil {
			return err
		}
	}
	info, err := runningDev(dir)
	if err != nil {
		return err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	fmt.Printf("export API=%s\nexport KEY=%s\nexport WAYBILL_DATA=%s\n", quote(info.APIURL), quote(info.APIKey), quote(dir))
	return nil
}

// quote makes one word of a text for a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
