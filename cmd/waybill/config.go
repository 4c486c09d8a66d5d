package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"github.com/waybill-oms/waybill/config"
)

type configCmd struct {
	JSON bool `name:"json" help:"Print JSON: {settings: [{flag, value, source …}], wrong: [], unknown: []}."`
	config.Config
}

// Help is what waybill config --help says beyond its flags.
func (configCmd) Help() string {
	return `Shows every setting as the other commands would find it here, and where it came from: the command line goes before the data folder, that before the environment, that before the default. Secrets and passwords are not shown. Everything that is wrong is said at once; the exit code is then 1. A variable whose name begins with WAYBILL_ and that no setting has is told, since it is probably misspelled.

Secrets may come from files: WAYBILL_KEY_SECRET_FILE names the one with the key secret.`
}

// shown is the configuration, for programs.
type shown struct {
	Settings []config.Setting `json:"settings"`
	Wrong    []string         `json:"wrong"`
	Unknown  []string         `json:"unknown"`
}

func (c *configCmd) Run(parsed *kong.Context, configured *config.Parser) error {
	all := shown{Settings: configured.Settings(parsed), Wrong: []string{}, Unknown: append([]string{}, configured.Unknown()...)}
	c.Effective(all.Settings)
	wrong := configured.Wrong()
	if wrong != nil {
		all.Wrong = strings.Split(wrong.Error(), "\n")
	}
	show := printSettings
	if c.JSON {
		show = func(_ io.Writer, all shown) error { return printJSON(all) }
	}
	if err := show(os.Stdout, all); err != nil {
		return err
	}
	if !c.JSON {
		for _, sentence := range append(all.Unknown, all.Wrong...) {
			fmt.Fprintln(os.Stderr, "waybill: "+sentence)
		}
	}
	if wrong != nil {
		return exitError(1)
	}
	return nil
}

func printSettings(to io.Writer, all shown) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SETTING\tVALUE\tFROM\tVARIABLES")
	group := ""
	for _, s := range all.Settings {
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(w, "\t\t\t\n%s\t\t\t\n", group)
		}
		fmt.Fprintf(w, "--%s\t%s\t%s\t%s\n", s.Flag, orDash(s.Value), orDash(s.From()), strings.Join(s.Variables, " "))
	}
	return w.Flush()
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// warnOfUnknown is for processes that run on: what somebody meant to set and did not is seen nowhere else.
func warnOfUnknown(log *slog.Logger, configured *config.Parser) {
	if unknown := configured.Unknown(); len(unknown) > 0 {
		log.Warn("the environment has variables of unknown names", "unknown", unknown)
	}
}
