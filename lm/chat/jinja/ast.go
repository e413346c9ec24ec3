package jinja

// node is a statement.
type node interface{}

type (
	textNode   struct{ text string }
	outputNode struct {
		line int
		e    expr
	}
	ifNode struct {
		line     int
		tests    []expr
		bodies   [][]node
		fallback []node
	}
	forNode struct {
		line           int
		targets        []string
		single         bool // one name without a comma: the item itself
		iter, cond     expr
		body, fallback []node
		recursive      bool
	}
	setNode struct {
		line    int
		targets []target
		single  bool
		value   expr
		body    []node // a {% set x %} block
		filters []filterCall
	}
	macroNode struct {
		line     int
		name     string
		params   []string
		defaults []expr // of the last parameters
		body     []node
	}
	callNode struct {
		line   int
		call   expr
		caller *macroNode
	}
	filterNode struct {
		line    int
		filters []filterCall
		body    []node
	}
	withNode struct {
		line   int
		names  []string
		values []expr
		body   []node
	}
	generationNode struct{ body []node }
	breakNode      struct{}
	continueNode   struct{}
)

// target is a name, or an attribute of a namespace.
type target struct{ name, attr string }

type expr interface{}

type (
	literal  struct{ value any }
	nameExpr struct {
		line int
		name string
	}
	listExpr struct {
		items []expr
		tuple bool
	}
	dictExpr  struct{ keys, values []expr }
	unaryExpr struct {
		line int
		op   string
		e    expr
	}
	binaryExpr struct {
		line        int
		op          string
		left, right expr
	}
	compareExpr struct {
		line  int
		first expr
		ops   []string
		rest  []expr
	}
	condExpr struct{ cond, yes, no expr } // no nil: undefined
	attrExpr struct {
		line int
		e    expr
		name string
	}
	indexExpr struct {
		line  int
		e     expr
		index expr
	}
	sliceExpr struct {
		line              int
		e                 expr
		start, stop, step expr
	}
	callExpr struct {
		line int
		f    expr
		arguments
	}
	filterExpr struct {
		e expr
		filterCall
	}
	testExpr struct {
		line int
		e    expr
		name string
		args []expr
		not  bool
	}
)

type filterCall struct {
	line int
	name string
	arguments
}

type arguments struct {
	args    []expr
	names   []string // of keyword arguments
	values  []expr
	spread  []expr // *args
	spreads []expr // **kwargs
}
