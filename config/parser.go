package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Tags of a flag, beside those of its names and help.
const (
	// tagFolder: with a data folder named, the value is found there.
	tagFolder = "folder"
	// tagSecret: "text" is never shown, "url" without its password; both may also come from a file, whose name stands in
	// the variable with fileSuffix.
	tagSecret  = "secret"
	fileSuffix = "_FILE"
)

// Where a value came from.
const (
	FromCommandLine = "command line"
	FromEnvironment = "environment"
	FromFile        = "file"
	FromFolder      = "data folder"
	FromDefault     = "default"
)

// Parser reads a command line as kong does, and finds the values of all other flags itself: in the data folder of a
// waybill dev, the environment, and files. It tells all wrong values at once, where kong stops at the first.
type Parser struct {
	// Folder reads the data folder of a running waybill dev: values by the names of flags.
	Folder func(dir string) (map[string]string, error)
	// Others are variables that no flag stands in, with what each is for.
	Others map[string]string

	kong       *kong.Kong
	found      map[*kong.Flag]origin
	wrong      []error
	dir        string // the data folder, once it is known
	inDir      map[string]string
	folderRead bool
	folderErr  error
}

// origin is a value as it was found.
type origin struct{ text, source, name string }

// New makes the parser of a grammar.
func (p *Parser) New(grammar any, options ...kong.Option) error {
	var err error
	p.kong, err = kong.New(grammar, append(options, kong.Bind(p), kong.Resolvers(kong.ResolverFunc(p.resolve)), kong.ValueFormatter(help))...)
	if err != nil {
		return err
	}
	// Kong would take an empty variable for a value, stop at the first wrong one, and print it, be it a secret.
	return kong.Visit(p.kong.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			flag.Tag.Envs = nil // flag.Envs still has them
		}
		return next(nil)
	})
}

// help adds to a flag's help which variables it may stand in.
func help(value *kong.Value) string {
	if value.Flag == nil || len(value.Flag.Envs) == 0 {
		return value.Help
	}
	return fmt.Sprintf("%s ($%s).", strings.TrimSuffix(value.Help, "."), strings.Join(value.Flag.Envs, ", $"))
}

// Variables are those that a flag may stand in, in the order in which they count.
func Variables(flag *kong.Flag) []string {
	if len(flag.Envs) == 0 || !flag.Tag.Has(tagSecret) {
		return flag.Envs
	}
	return slices.Insert(slices.Clone(flag.Envs), 1, flag.Envs[0]+fileSuffix)
}

// Model is the grammar, for whoever describes it.
func (p *Parser) Model() *kong.Application { return p.kong.Model }

// Parse reads a command line. With an error the context may be nil.
func (p *Parser) Parse(args []string) (*kong.Context, error) {
	p.found = map[*kong.Flag]origin{}
	p.wrong, p.folderRead, p.folderErr, p.dir, p.inDir = nil, false, nil, "", nil
	parsed, err := p.kong.Parse(args)
	if err != nil {
		var wrong *kong.ParseError
		if errors.As(err, &wrong) {
			parsed = wrong.Context
		}
		return parsed, err
	}
	command := commandOf(parsed).Target
	p.wrong = append(p.wrong, check(command)...)
	if showsAll(command) {
		return parsed, nil
	}
	return parsed, p.Wrong()
}

// commandOf is the command that was chosen, or the program when it has none.
func commandOf(parsed *kong.Context) *kong.Node {
	if selected := parsed.Selected(); selected != nil {
		return selected
	}
	return parsed.Model.Node
}

// showsAll tells whether a command is there to show the configuration, be it right or wrong.
func showsAll(command reflect.Value) bool {
	if command.Kind() != reflect.Struct {
		return false
	}
	for i := range command.NumField() {
		if command.Type().Field(i).Type == reflect.TypeFor[Config]() {
			return true
		}
	}
	return false
}

// Wrong is everything that is wrong with the values, or nil.
func (p *Parser) Wrong() error { return errors.Join(p.wrong...) }

// FolderError is what kept the data folder that was named from being read, or nil.
func (p *Parser) FolderError() error { return p.folderErr }

// check asks every group that a command takes whether its values make sense.
func check(command reflect.Value) (wrong []error) {
	if command.Kind() != reflect.Struct {
		return nil
	}
	leaf := true
	for i := range command.NumField() {
		if field := command.Type().Field(i); field.Anonymous && field.IsExported() {
			wrong = append(wrong, check(command.Field(i))...)
			leaf = false
		}
	}
	// A struct that embeds a group has the group's methods; it is asked once.
	if group, ok := command.Addr().Interface().(interface{ Check() error }); ok && leaf {
		if err := group.Check(); err != nil {
			wrong = append(wrong, err)
		}
	}
	return wrong
}

// resolve finds the value of a flag that is not on the command line. A wrong value is noted, and the default takes its
// place until all of them are told.
func (p *Parser) resolve(parsed *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if len(flag.Envs) == 0 {
		return nil, nil //nolint:nilnil // kong's own way of saying: no value
	}
	p.readFolder(parsed)
	value, err := p.find(flag)
	if err == nil {
		err = parses(flag, value)
	}
	p.found[flag] = value
	if err != nil {
		p.wrong = append(p.wrong, err)
		return nil, nil //nolint:nilnil // the same
	}
	if value.source == "" || value.source == FromDefault {
		return nil, nil //nolint:nilnil // the same
	}
	return value.text, nil
}

// readFolder reads the data folder, if the command knows one and one is named.
func (p *Parser) readFolder(parsed *kong.Context) {
	if p.folderRead {
		return
	}
	p.folderRead = true
	flags := parsed.Flags()
	i := slices.IndexFunc(flags, func(flag *kong.Flag) bool { return flag.Name == "data" })
	if i < 0 || p.Folder == nil || !slices.ContainsFunc(flags, fromFolder) {
		return
	}
	dir, _ := parsed.FlagValue(flags[i]).(string)
	if dir == "" {
		value, _ := p.find(flags[i])
		dir = value.text
	}
	if dir == "" {
		return
	}
	if p.inDir, p.folderErr = p.Folder(dir); p.folderErr == nil {
		p.dir = dir
	}
}

func fromFolder(flag *kong.Flag) bool { return flag.Tag.Has(tagFolder) }

// find looks for a value in every place but the command line.
func (p *Parser) find(flag *kong.Flag) (origin, error) {
	byDefault := origin{}
	if flag.HasDefault {
		byDefault = origin{text: flag.Default, source: FromDefault}
	}
	if p.dir != "" && fromFolder(flag) {
		if text := p.inDir[flag.Name]; text != "" {
			return origin{text, FromFolder, p.dir}, nil
		}
		return byDefault, nil
	}
	for _, name := range Variables(flag) {
		text := os.Getenv(name)
		if text == "" {
			continue // in container files an empty variable is one that is not set
		}
		if flag.Tag.Has(tagSecret) && name == flag.Envs[0]+fileSuffix {
			return readSecret(name, text)
		}
		if file := flag.Envs[0] + fileSuffix; flag.Tag.Has(tagSecret) && name == flag.Envs[0] && os.Getenv(file) != "" {
			return origin{}, fmt.Errorf("--%s: both %s and %s are set: leave one of them out", flag.Name, name, file)
		}
		return origin{text, FromEnvironment, name}, nil
	}
	return byDefault, nil
}

// secretMax is more than any secret has, in bytes.
const secretMax = 64 << 10

func readSecret(variable, path string) (origin, error) {
	file, err := os.Open(path)
	if err != nil {
		return origin{}, fmt.Errorf("%s: %w", variable, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, secretMax+1))
	if err == nil && len(text) > secretMax {
		err = fmt.Errorf("%s has more than %d bytes: it is no secret", path, secretMax)
	}
	if err != nil {
		return origin{}, fmt.Errorf("%s: %w", variable, err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return origin{}, fmt.Errorf("%s: %s is empty", variable, path)
	}
	return origin{secret, FromFile, path}, nil
}

// parses tells what is wrong with a value of the environment. That of a secret is not repeated.
func parses(flag *kong.Flag, value origin) error {
	if value.source == "" {
		return nil
	}
	said := value.name
	if !flag.Tag.Has(tagSecret) {
		said = fmt.Sprintf("%s=%q", value.name, value.text)
	}
	into := reflect.New(flag.Target.Type()).Elem()
	err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: value.text})}, into)
	if err != nil {
		return fmt.Errorf("--%s (%s): %w", flag.Name, said, err)
	}
	if flag.Enum != "" && !flag.EnumMap()[value.text] {
		return fmt.Errorf("--%s (%s) must be one of %s", flag.Name, said, strings.Join(flag.EnumSlice(), ", "))
	}
	return nil
}
