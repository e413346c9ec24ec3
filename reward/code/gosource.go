package code

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// wrongSource is an answer's own mistake, found before it is compiled.
type wrongSource struct{ error }

// goProgram is an answer and its tests as two files of one package, answer, with the names of the tests.
type goProgram struct {
	answer, tests string
	names         []string
}

// goFile is a parsed file. Its text stays as it was written but for the package clause and imports, so that lines keep their numbers.
type goFile struct {
	text string
	set  *token.FileSet
	ast  *ast.File
}

// splitGo makes the two files. Tests may be a whole file, or, as MultiPL-E has them, the end of the file that the prompt begins: they then use the prompt's imports.
func splitGo(p Program) (goProgram, error) {
	answer, err := parseAnswer(p)
	if err != nil {
		return goProgram{}, wrongSource{err}
	}
	tests, err := parseGo("tests.go", withPackage(p.Tests))
	if err != nil {
		return goProgram{}, fmt.Errorf("tests: %w", err)
	}
	names, err := testNames(tests.ast)
	if err != nil {
		return goProgram{}, err
	}
	if err := checkNames(answer.ast); err != nil {
		return goProgram{}, wrongSource{err}
	}
	needed := tests.packages(answer.ast)
	inAnswer := answer.packages(tests.ast)
	var answerDrops []*ast.ImportSpec
	for _, spec := range answer.ast.Imports {
		name, file := importName(spec), importPath(spec)
		if needed[name] && !inAnswer[name] {
			answerDrops = append(answerDrops, spec) // it was there for the tests
		} else if !answerPackages[file] {
			return goProgram{}, wrongSource{fmt.Errorf("the answer imports %q, which answers may not", file)}
		}
	}
	for _, spec := range tests.ast.Imports {
		if file := importPath(spec); !answerPackages[file] && !testPackages[file] {
			return goProgram{}, fmt.Errorf("tests: they import %q, which is not at hand", file)
		}
		delete(needed, importName(spec))
	}
	for _, spec := range answer.ast.Imports {
		if name, file := importName(spec), importPath(spec); needed[name] && (answerPackages[file] || testPackages[file]) {
			tests.imports(spec.Path.Value, spec.Name)
			delete(needed, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		if file := standard(name); file != "" {
			tests.imports(strconv.Quote(file), nil)
		}
	}
	answer.drop(answerDrops)
	return goProgram{answer: answer.text, tests: tests.text, names: names}, nil
}

// parseAnswer reads the answer as it goes on from the prompt; one that writes the prompt's function anew, or a whole file, stands without it.
func parseAnswer(p Program) (*goFile, error) {
	text := Extract(p.Language, p.Completion)
	if p.Prompt == "" || hasPackage(text) {
		return parseGo("answer.go", withPackage(text))
	}
	f, err := parseGo("answer.go", withPackage(source(p)))
	if err == nil {
		return f, nil
	}
	set := token.NewFileSet()
	head, headErr := parser.ParseFile(set, "", withPackage(p.Prompt), parser.ImportsOnly)
	if headErr != nil {
		return nil, err
	}
	end := head.Name.End()
	for _, d := range head.Decls {
		end = d.End()
	}
	if f, otherErr := parseGo("answer.go", withPackage(p.Prompt)[:set.Position(end).Offset]+"\n"+text); otherErr == nil {
		return f, nil
	}
	return nil, err
}

func hasPackage(text string) bool {
	_, err := parser.ParseFile(token.NewFileSet(), "", text, parser.PackageClauseOnly)
	return err == nil
}

func withPackage(text string) string {
	if hasPackage(text) {
		return text
	}
	return "package answer;" + text
}

// parseGo names the package answer, whatever it was.
func parseGo(name, text string) (*goFile, error) {
	f := &goFile{text: text, set: token.NewFileSet()}
	var err error
	if f.ast, err = parser.ParseFile(f.set, name, text, 0); err != nil {
		return nil, fmt.Errorf("it does not parse: %w", err)
	}
	at, end := f.offset(f.ast.Name.Pos()), f.offset(f.ast.Name.End())
	f.text = text[:at] + "answer" + text[end:]
	f.ast, err = parser.ParseFile(f.set, name, f.text, 0)
	return f, err
}

// offset of a position in the text of the file parsed last.
func (f *goFile) offset(p token.Pos) int { return f.set.PositionFor(p, false).Offset }

// imports adds one behind the package clause, on its line.
func (f *goFile) imports(quoted string, name *ast.Ident) {
	at := f.offset(f.ast.Name.End())
	if name != nil {
		quoted = name.Name + " " + quoted
	}
	f.text = f.text[:at] + "; import " + quoted + f.text[at:]
}

// drop blanks out imports.
func (f *goFile) drop(specs []*ast.ImportSpec) {
	b := []byte(f.text)
	for _, s := range specs {
		for i := f.offset(s.Path.Pos()); i < f.offset(s.Path.End()); i++ {
			b[i] = ' '
		}
		if s.Name != nil {
			for i := f.offset(s.Name.Pos()); i < f.offset(s.Name.End()); i++ {
				b[i] = ' '
			}
		}
		// `import "x"` without parentheses must go whole.
		for _, d := range f.ast.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.IMPORT && !g.Lparen.IsValid() && g.Specs[0] == ast.Spec(s) {
				copy(b[f.offset(g.TokPos):], "      ")
			}
		}
	}
	f.text = string(b)
}

// packages are the names before a dot that nothing in the file or at the other's top level declares, so that they must be packages.
func (f *goFile) packages(other *ast.File) map[string]bool {
	unresolved := map[*ast.Ident]bool{}
	for _, id := range f.ast.Unresolved {
		unresolved[id] = true
	}
	found := map[string]bool{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && unresolved[id] && other.Scope.Lookup(id.Name) == nil {
				found[id.Name] = true
			}
		}
		return true
	})
	return found
}

func importPath(s *ast.ImportSpec) string {
	p, _ := strconv.Unquote(s.Path.Value)
	return p
}

func importName(s *ast.ImportSpec) string {
	if s.Name != nil {
		return s.Name.Name
	}
	p := importPath(s)
	if path.Base(p) == "v2" {
		p = path.Dir(p)
	}
	return path.Base(p)
}

// standard is the import path of a package that tests use without saying so.
func standard(name string) string {
	for _, set := range []map[string]bool{testPackages, answerPackages} {
		for _, p := range slices.Sorted(maps.Keys(set)) {
			if path.Base(p) == name {
				return p
			}
		}
	}
	return ""
}

// testNames are the functions that go test would run.
func testNames(f *ast.File) ([]string, error) {
	var names []string
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Test") {
			continue
		}
		if fn.Name.Name == "TestMain" {
			return nil, errors.New("tests: TestMain cannot be used")
		}
		if fn.Type.Params.NumFields() == 1 && fn.Type.Results.NumFields() == 0 {
			names = append(names, fn.Name.Name)
		}
	}
	if len(names) == 0 {
		return nil, errors.New("tests: there is no func TestXxx(t *testing.T)")
	}
	return names, nil
}

// checkNames refuses an answer that gives the tests, which are in its package, another panic or another true.
func checkNames(f *ast.File) error {
	for name := range f.Scope.Objects {
		if types.Universe.Lookup(name) != nil && name != "min" && name != "max" && name != "clear" {
			return fmt.Errorf("the answer declares %s, a name of the language", name)
		}
	}
	for _, s := range f.Imports {
		if s.Name != nil && (s.Name.Name == "." || types.Universe.Lookup(s.Name.Name) != nil) {
			return fmt.Errorf("the answer imports %s by the name %s", s.Path.Value, s.Name.Name)
		}
	}
	return nil
}
