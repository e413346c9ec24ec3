package mathanswer

import "strings"

// Commands and words that the lexer knows.

// operators are commands that stand for an operator or a relation.
var operators = map[string]string{
	"cdot": "*", "times": "*", "ast": "*", "div": "/", "pm": "±", "mp": "∓", "le": "<=", "leq": "<=", "leqslant": "<=", "ge": ">=", "geq": ">=", "geqslant": ">=",
	"lt": "<", "gt": ">", "ne": "!=", "neq": "!=", "approx": "~", "sim": "~", "simeq": "~", "equiv": "=", "in": "in", "cup": "cup", "cap": "cap",
	"setminus": "minus", "backslash": "minus", "mid": "|", "vert": "|", "lvert": "|", "rvert": "|", "colon": ":", "prime": "'",
	"Rightarrow": "=>", "implies": "=>", "Longrightarrow": "=>", "iff": "=>", "Leftrightarrow": "=>",
	"lor": ",", "vee": ",", "land": ",", "wedge": ",", "quad": ",", "qquad": ",", "&": "&", "\\": "\\\\", "%": "%", "{": "\\{", "}": "\\}", "|": "|",
	"lbrace": "\\{", "rbrace": "\\}", "lbrack": "[", "rbrack": "]", "langle": "<(", "rangle": ")>", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉",
	"bmod": "mod", "mod": "mod", "pmod": "mod", "degree": "°", "percent": "%",
}

// constants are commands and words for fixed values.
var constants = map[string]string{"pi": "pi", "infty": "inf", "infin": "inf"}

// functions are commands and words for functions that have a value here; a second name stands for the first.
var functions = map[string]string{
	"sqrt": "sqrt", "sin": "sin", "cos": "cos", "tan": "tan", "cot": "cot", "sec": "sec", "csc": "csc", "arcsin": "arcsin", "arccos": "arccos", "arctan": "arctan",
	"arccot": "arccot", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "log": "log", "ln": "ln", "lg": "lg", "exp": "exp", "tg": "tan", "ctg": "cot", "arctg": "arctan",
	"cosec": "csc", "cbrt": "cbrt",
}

// opaque are functions without a value here: equal when their arguments are.
var opaque = map[string]bool{"gcd": true, "lcm": true, "det": true, "dim": true, "ker": true, "min": true, "max": true, "sup": true, "inf": true, "deg": true, "arg": true, "Pr": true, "Re": true, "Im": true}

// bigOperators take bounds as scripts and a body: \sum_{k=0}^{n} a_k.
var bigOperators = map[string]bool{"sum": true, "prod": true, "int": true, "iint": true, "oint": true, "lim": true, "bigcup": true, "bigcap": true}

// sized and spacing commands say nothing about the value.
var ignored = map[string]bool{
	"left": true, "right": true, "middle": true, "big": true, "Big": true, "bigg": true, "Bigg": true, "bigl": true, "bigr": true, "Bigl": true, "Bigr": true,
	"biggl": true, "biggr": true, "displaystyle": true, "textstyle": true, "scriptstyle": true, "limits": true, "nolimits": true, ",": true, ";": true, "!": true,
	":": true, ">": true, " ": true, "\n": true, "\t": true, "boxed": true, "fbox": true, "rm": true, "bf": true, "it": true, "$": true, "/": true, "-": true,
	"thinspace": true, "enspace": true, "medspace": true, "therefore": true, "because": true, "hline": true, "nonumber": true, "(": true, ")": true, "[": true, "]": true,
	"pounds": true, "euro": true, "underline": true, "hfill": true, "smallskip": true, "cancel": true, "#": true,
}

// decorations are commands whose argument keeps its meaning or its name.
var decorations = map[string]bool{
	"overrightarrow": true, "overleftarrow": true, "vec": true, "hat": true, "widehat": true, "bar": true, "overline": true, "tilde": true, "widetilde": true, "dot": true, "ddot": true,
}

// fonts set their argument in another type.
var fonts = map[string]bool{
	"mathrm": true, "mathbf": true, "mathit": true, "mathsf": true, "mathtt": true, "mathnormal": true, "boldsymbol": true, "bm": true, "mathcal": true, "mathscr": true, "mathfrak": true,
	"mathbb": true, "pmb": true, "mathop": true, "mathbin": true, "mathord": true, "ensuremath": true,
}

// texts set their argument as words.
var texts = map[string]bool{"text": true, "textbf": true, "textrm": true, "textit": true, "textsf": true, "texttt": true, "textnormal": true, "mbox": true, "hbox": true,
	"emph": true, "operatorname": true, "textsc": true, "textup": true}

// greek letters and other commands that are names.
var letters = map[string]bool{}

func init() {
	for _, s := range strings.Fields(`alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega
		Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar imath jmath aleph nabla partial emptyset varnothing circ triangle square angle parallel perp cong
		cdots ldots dots dotsc dotsb vdots ddots forall exists notin subset subseteq supset to rightarrow mapsto Box star bullet dagger oplus otimes neg Im Re wp prime`) {
		letters[s] = true
	}
}

// unicode characters and what stands for them.
var unicodeWords = strings.NewReplacer(
	"−", "-", "–", "-", "—", "-", "‐", "-", "×", `\times `, "⋅", `\cdot `, "·", `\cdot `, "∙", `\cdot `, "÷", `\div `, "±", `\pm `, "∓", `\mp `, "≤", `\le `, "≥", `\ge `,
	"⩽", `\le `, "⩾", `\ge `, "≠", `\ne `, "≈", `\approx `, "∞", `\infty `, "π", `\pi `, "√", `\sqrt `, "∪", `\cup `, "∩", `\cap `, "∈", `\in `, "∅", `\emptyset `, "∖", `\setminus `,
	"°", `^\circ `, "º", `^\circ `, "²", "^2 ", "³", "^3 ", "¹", "^1 ", "⁴", "^4 ", "⁵", "^5 ", "⁶", "^6 ", "⁷", "^7 ", "⁸", "^8 ", "⁹", "^9 ", "⁰", "^0 ", "½", `\frac{1}{2}`, "⅓", `\frac{1}{3}`, "⅔", `\frac{2}{3}`,
	"¼", `\frac{1}{4}`, "¾", `\frac{3}{4}`, "′", "'", "’", "'", "‘", "'", "“", `"`, "”", `"`, "，", ",", "；", ";", "：", ":", "（", "(", "）", ")", "％", "%", "＝", "=",
	"α", `\alpha `, "β", `\beta `, "γ", `\gamma `, "δ", `\delta `, "θ", `\theta `, "λ", `\lambda `, "μ", `\mu `, "σ", `\sigma `, "φ", `\phi `, "ω", `\omega `, "ρ", `\rho `, "τ", `\tau `,
	"ℝ", `\mathbb{R}`, "ℤ", `\mathbb{Z}`, "ℕ", `\mathbb{N}`, "ℚ", `\mathbb{Q}`, "ℂ", `\mathbb{C}`, "∠", `\angle `, "△", `\triangle `, "⌊", `\lfloor `, "⌋", `\rfloor `, "⌈", `\lceil `, "⌉", `\rceil `,
	"\u00a0", " ", "\u2009", " ", "\u202f", " ", "\u2003", " ", "\u2002", " ", "…", `\ldots `, "€", "", "£", "", "¥", "", "₁", "_1 ", "₂", "_2 ", "₃", "_3 ", "₀", "_0 ",
	"⟨", `\langle `, "⟩", `\rangle `, "、", ",", "。", ".", "\u200b", "", "\ufeff", "",
)

// damaged are commands whose backslash was read as an escape: \f of \frac, \t of \text.
var damaged = strings.NewReplacer(
	"\\\frac", `\frac`, "\frac", `\frac`, "\\\boxed", `\boxed`, "\boxed", `\boxed`, "\begin", `\begin`, "\beta", `\beta`, "\binom", `\binom`, "\tfrac", `\tfrac`, "\text{", `\text{`, "\times", `\times`,
	"\theta", `\theta`, "\right", `\right`, "\rangle", `\rangle`,
)
