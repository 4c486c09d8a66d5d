package waybill_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/waybill-oms/waybill"

// mayImport says in which direction imports go: from a package to those of Waybill that it may lean on. A package
// that is missing here fails the test: whoever adds one decides where it stands.
//
//	api → workflows → activities → store | gateways, all leaning on domain
var mayImport = map[string]string{
	// The domain leans on nothing but itself.
	"domain/fault":     "",
	"domain/id":        "",
	"domain/inventory": "",
	"domain/lifecycle": "domain/fault",
	"domain/money":     "",
	"domain/order":     "domain/fault domain/id domain/inventory domain/lifecycle domain/money domain/payment domain/returns domain/shipping",
	"domain/payment":   "",
	"domain/returns":   "domain/lifecycle",
	"domain/shipping":  "",

	// What keeps facts, and what speaks to other people's systems. They do not know each other.
	"store":                "domain/fault domain/id domain/inventory domain/order domain/returns telemetry",
	"store/verify":         "domain/lifecycle domain/order domain/payment",
	"gateways/external":    "domain/payment",
	"gateways/gatewaytest": "domain/payment domain/shipping",
	"gateways/sandbox":     "domain/payment domain/shipping",
	// The sandbox in a process of its own, and what says how it is tested.
	"gateways/sandbox/remote":      "domain/payment domain/shipping gateways/sandbox",
	"gateways/sandbox/sandboxtest": "domain/shipping gateways/gatewaytest",
	"gateways/shopify":             "domain/fault domain/inventory domain/money domain/order domain/shipping",

	// What drives orders.
	"activities":     "domain/fault domain/id domain/order domain/payment domain/shipping store",
	"workflows":      "activities domain/order domain/payment domain/returns domain/shipping",
	"workflows/runs": "domain/fault domain/money domain/order workflows",
	"relay":          "domain/order",

	// The edge.
	"api":         "activities api/client domain/fault domain/id domain/inventory domain/money domain/order domain/returns domain/shipping health store telemetry workflows workflows/runs",
	"api/apitest": "api",
	"api/client":  "",

	// What assembles the rest.
	"worker":      "activities domain/id domain/order gateways/external gateways/sandbox gateways/sandbox/remote health relay store telemetry workflows workflows/runs",
	"cmd/waybill": "api api/client bench chaos config demo devstack domain/fault domain/id domain/money domain/order gateways/sandbox gateways/sandbox/remote gateways/shopify simulation simulation/core simulation/life store store/verify telemetry worker workflows workflows/runs",
	"config":      "domain/order domain/returns",
	"demo":        "api/client",
	"bench":       "api api/client devstack store telemetry worker workflows",

	// What a process tells of itself. Telemetry imports nothing of the rest, so anybody may tell it something.
	"health":    "domain/fault",
	"telemetry": "",

	// Worlds that are played against Waybill. What they share knows nothing of it.
	"chaos":           "api/client demo devstack simulation store/verify worker workflows",
	"simulation":      "",
	"simulation/core": "domain/fault domain/id domain/inventory domain/order domain/payment domain/returns domain/shipping simulation",
	"simulation/life": "activities domain/fault domain/inventory domain/order domain/payment domain/returns domain/shipping gateways/sandbox relay simulation store store/verify worker workflows",

	// What shows that these worlds notice: it builds bugs into the binary, and runs it.
	"planted":      "devstack",
	"planted/core": "simulation simulation/core",

	// What brings up the systems that Waybill needs, for development and tests. It knows nothing of orders.
	"devstack":          "tools",
	"devstack/devtest":  "devstack",
	"tools/screenshots": "",
	"tools":             "",
}

// confined are libraries that only some packages may import.
var confined = map[string]string{
	// One place has the SQL. The sandbox keeps books of its own, in a pool of its own; verify reads what the store wrote.
	"github.com/jmoiron/sqlx": "store store/verify gateways/sandbox",
	// The development stack creates databases before there is a store.
	"github.com/lib/pq":           "store store/verify gateways/sandbox devstack devstack/devtest bench", // bench fills databases, and asks what they count
	"github.com/pressly/goose":    "store",
	"go.temporal.io/sdk/workflow": "workflows worker telemetry bench simulation/life",
	"go.temporal.io/sdk/worker":   "worker simulation/life",
	"go.temporal.io/sdk/activity": "activities telemetry simulation/life",
	"go.temporal.io/sdk/temporal": "activities workflows workflows/runs telemetry bench simulation/life",
	"go.temporal.io/sdk/log":      "worker devstack",
	"go.temporal.io/sdk/client":   "workflows/runs worker telemetry cmd/waybill devstack api bench chaos", // api: its process is handed the connection, for runs
	"go.temporal.io/api":          "workflows workflows/runs devstack devstack/devtest store/verify api telemetry bench simulation/life",
	// What goes around runs and activities without being part of them.
	"go.temporal.io/sdk/testsuite":   "simulation/life", // the environment that its world is
	"go.temporal.io/sdk/interceptor": "telemetry simulation/life",
	"go.temporal.io/sdk/converter":   "telemetry",
	"go.temporal.io/sdk/contrib":     "telemetry",
	// Traces and metrics are made in one place, so that what they may show is decided there.
	"go.opentelemetry.io":                 "telemetry",
	"github.com/XSAM/otelsql":             "telemetry",
	"github.com/prometheus/client_golang": "telemetry api worker", // these serve the registry
	"github.com/gin-gonic/gin":            "api api/apitest",
	"github.com/getkin/kin-openapi":       "api api/apitest",
	"github.com/alecthomas/kong":          "cmd/waybill config",
}

// longFiles and longFunctions are what is longer than 500 and 70 lines all the same, each for a reason.
var (
	longFiles     = map[string]string{}
	longFunctions = map[string]string{}
)

const (
	fileLines     = 500
	functionLines = 70
)

// source is a parsed file that is neither a test nor generated.
type source struct {
	name string // its path in the module
	pkg  string // the directory, relative to the module
	file *ast.File
	set  *token.FileSet
}

// sources parses every file of the module by itself: a test that asks the go command would pass from the test cache.
func sources(t *testing.T) []source {
	var found []source
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			hidden := name != "." && strings.HasPrefix(d.Name(), ".")
			if hidden || d.Name() == "testdata" || d.Name() == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if !ast.IsGenerated(file) || strings.HasPrefix(name, "api") { // generated code has its imports checked too
			found = append(found, source{name: filepath.ToSlash(name), pkg: path.Dir(filepath.ToSlash(name)), file: file, set: set})
		}
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, len(found), 50, "the module's files were not found")
	return found
}

func (s source) imports() []string {
	var list []string
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		list = append(list, p)
	}
	return list
}

func (s source) lines() int { return s.set.File(s.file.Pos()).LineCount() }

func TestImportsGoOneWay(t *testing.T) {
	gone := maps.Clone(mayImport)
	for _, s := range sources(t) {
		delete(gone, s.pkg)
		allowed, known := mayImport[s.pkg]
		if !known {
			t.Errorf("%s: the package %s is not in the table of this test", s.name, s.pkg)
			continue
		}
		for _, imported := range s.imports() {
			mine, ours := strings.CutPrefix(imported, module+"/")
			if ours && !slices.Contains(strings.Fields(allowed), mine) {
				t.Errorf("%s imports %s, which %s may not", s.name, mine, s.pkg)
			}
		}
	}
	require.Empty(t, gone, "rows of packages that are no more")
}

func TestTheDomainIsPure(t *testing.T) {
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.pkg, "domain/") {
			continue
		}
		for _, imported := range s.imports() {
			first, _, _ := strings.Cut(imported, "/")
			standard := !strings.Contains(first, ".")
			if !standard && !strings.HasPrefix(imported, module+"/domain/") && imported != "github.com/google/uuid" {
				t.Errorf("%s imports %s: the domain leans on nothing but the standard library and itself", s.name, imported)
			}
			if slices.Contains([]string{"os", "net", "net/http", "database/sql", "log", "log/slog", "math/rand", "math/rand/v2", "context"}, imported) {
				t.Errorf("%s imports %s: time, ids and randomness come in as arguments, and nothing goes out", s.name, imported)
			}
		}
	}
}

// A clock that is read inside a decision, or inside workflow code, is a different one when it is run again.
func TestDecisionsReadNoClock(t *testing.T) {
	for _, s := range sources(t) {
		if !strings.HasPrefix(s.pkg, "domain/") && s.pkg != "workflows" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if of, ok := call.X.(*ast.Ident); ok && of.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "NewTimer", "Tick"}, call.Sel.Name) {
				t.Errorf("%s: time.%s", s.set.Position(n.Pos()), call.Sel.Name)
			}
			return true
		})
	}
}

func TestLibrariesStayWhereTheyBelong(t *testing.T) {
	for _, s := range sources(t) {
		for _, imported := range s.imports() {
			for library, packages := range confined {
				within := imported == library || strings.HasPrefix(imported, library+"/")
				if within && !slices.Contains(strings.Fields(packages), s.pkg) {
					t.Errorf("%s imports %s, which only %s may", s.name, imported, packages)
				}
			}
			if strings.HasPrefix(imported, "go.temporal.io/") && !slices.ContainsFunc(slices.Collect(maps.Keys(confined)), func(library string) bool {
				return imported == library || strings.HasPrefix(imported, library+"/")
			}) {
				t.Errorf("%s imports %s: say in this test who may", s.name, imported)
			}
		}
	}
}

func TestFilesAndFunctionsStayShort(t *testing.T) {
	stale := map[string]bool{}
	for name := range longFiles {
		stale[name] = true
	}
	for name := range longFunctions {
		stale[name] = true
	}
	for _, s := range sources(t) {
		if ast.IsGenerated(s.file) {
			continue
		}
		if n := s.lines(); n > fileLines {
			delete(stale, s.name)
			if longFiles[s.name] == "" {
				t.Errorf("%s has %d lines, more than %d", s.name, n, fileLines)
			}
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
			if name := s.pkg + "." + f.Name.Name; n > functionLines {
				delete(stale, name)
				if longFunctions[name] == "" {
					t.Errorf("%s: %s has %d lines, more than %d", s.set.Position(f.Pos()), name, n, functionLines)
				}
			}
		}
	}
	require.Empty(t, stale, "exceptions that are none any more")
}

// Every package says what it owns and what it does not.
func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	documented := map[string]bool{}
	for _, s := range sources(t) {
		documented[s.pkg] = documented[s.pkg] || s.file.Doc != nil
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}
