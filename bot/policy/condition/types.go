package condition

import (
	"fmt"
	"sync"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// provider tells CEL the types of the Schema. Their values are maps, so only
// the checker needs it: it is what makes a misspelt field an error.
type provider struct {
	*types.Registry
	types map[string]map[string]*types.FieldType
	names map[string][]string
}

func newProvider() (*provider, error) {
	reg, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	p := &provider{Registry: reg, types: map[string]map[string]*types.FieldType{}, names: map[string][]string{}}
	for _, t := range Schema()[1:] {
		name := object(t.Name).TypeName()
		p.types[name] = map[string]*types.FieldType{}
		for _, f := range t.Fields {
			p.types[name][f.Name] = &types.FieldType{Type: f.Type}
			p.names[name] = append(p.names[name], f.Name)
		}
	}
	return p, nil
}

// FindStructType implements types.Provider.
func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.types[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if names, ok := p.names[name]; ok {
		return names, true
	}
	return p.Registry.FindStructFieldNames(name)
}

// FindStructFieldType implements types.Provider.
func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if fields, ok := p.types[name]; ok {
		f, ok := fields[field]
		return f, ok
	}
	return p.Registry.FindStructFieldType(name, field)
}

// NewValue implements types.Provider. Expressions look at the view; they make
// none.
func (p *provider) NewValue(name string, _ map[string]ref.Val) ref.Val {
	return types.NewErr("%s can't be made by an expression", name)
}

// The bounds of an expression, as it is written and in CEL's cost: about as
// many reads and comparisons.
const (
	longestExpression = 4000
	deepestExpression = 50
	costLimit         = 250_000
)

// environment is what expressions are compiled in: the same for all, and as
// costly to make as ten conditions.
var environment = sync.OnceValues(newEnvironment)

func newEnvironment() (*cel.Env, error) {
	p, err := newProvider()
	if err != nil {
		return nil, fmt.Errorf("declare the view: %w", err)
	}
	options := []cel.EnvOption{
		cel.CustomTypeAdapter(types.DefaultTypeAdapter),
		cel.CustomTypeProvider(p),
		cel.StdLib(),
		cel.DefaultUTCTimeZone(true),
		cel.EnableHiddenAccumulatorName(true),
		cel.ParserExpressionSizeLimit(longestExpression),
		cel.ParserRecursionLimit(deepestExpression),
	}
	for _, f := range Schema()[0].Fields {
		options = append(options, cel.Variable(f.Name, f.Type))
	}
	return cel.NewCustomEnv(options...)
}
