package slow

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"testing"
)

// layers are the files that a stream goes through, from the top to the bottom. The README's
// development section says what each is.
var layers = []string{
	"finish.go", "splitter.go", "recover.go", "take.go", "phase.go", "delivery.go", "tally.go", "ledger.go",
	"repeat.go", "timeline.go", "clock.go", "candidate.go", "parse.go", "cluster.go", "header.go", "recognise.go", "input.go", "error.go",
}

func TestNoFileOfTheSplitterCallsOneAboveIt(t *testing.T) {
	files := token.NewFileSet()
	var parsed []*ast.File
	paths, err := filepath.Glob("../*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if match, _ := filepath.Match("*_test.go", filepath.Base(path)); match {
			continue
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(files, "source", nil)}
	pkg, err := config.Check("webm", files, parsed, info)
	if err != nil {
		t.Fatal(err)
	}
	layer := func(at token.Pos) int { return slices.Index(layers, filepath.Base(files.Position(at).Filename)) }
	calls := 0
	for id, used := range info.Uses {
		if _, isFunc := used.(*types.Func); !isFunc || used.Pkg() != pkg {
			continue
		}
		from, to := layer(id.Pos()), layer(used.Pos())
		if from < 0 || to < 0 {
			continue
		}
		calls++
		if to < from {
			t.Errorf("%s uses %s of %s", files.Position(id.Pos()), used.Name(), layers[to])
		}
	}
	if calls < 200 {
		t.Errorf("%d calls are found", calls)
	}
}
