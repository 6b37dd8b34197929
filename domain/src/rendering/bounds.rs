//! What a template may do, checked on its syntax tree before anything runs.
//!
//! The engine's fuel counts steps, not bytes: `"x" * 100000000` is one step. So every expression has a
//! *weight*, the number of texts that it can join, which must stay under [`MAX_JOINED`] through all the
//! `set`s, `with`s and loops it rests on; and `*` and `+`, which repeat and join texts and lists too, need
//! both sides to be numbers for certain. What is left can hold no more than a small multiple of its data.
//! Statements that gather output in memory, and whatever could switch escaping off, do not exist.
//!
//! Rejected: running in a process of its own with a memory limit. It costs a process for each worker, and
//! kills the innocent work beside it.

use super::filters::{FILTERS, TESTS, filter_gives_number};
use super::limits::{MAX_HELD, MAX_JOINED};
use super::problem::Problem;
use super::values::Here;
use minijinja::machinery::{Span, ast, ast::Expr, ast::Stmt};
use minijinja::value::ValueKind;
use std::collections::BTreeMap;

/// What is known of an expression's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// It is a number for certain.
    number: bool,
    /// How many texts it may join.
    weight: u32,
}

impl Shape {
    const OTHER: Self = Self { number: false, weight: 1 };
    const NUMBER: Self = Self { number: true, weight: 1 };

    fn either(self, other: Self) -> Self {
        Self { number: self.number && other.number, weight: self.weight.max(other.weight) }
    }
}

/// A finding, with the byte of the text at which it stands.
type Finding = (usize, Problem);

/// Everything in `text` that is not allowed; `names` are the parameters, and whether each is a number.
pub(super) fn check(text: &str, names: &BTreeMap<&str, bool>) -> Result<(), Vec<Finding>> {
    let tree = minijinja::machinery::parse(text, "", Default::default()).map_err(|error| {
        let at = error.range().map_or(0, |range| range.start);
        vec![(at, Problem::new("SYNTAX", error.detail().unwrap_or("this cannot be read").to_owned()))]
    })?;
    let known = names.iter().map(|(name, number)| (*name, if *number { Shape::NUMBER } else { Shape::OTHER })).collect();
    let mut checker = Checker { known, changed: true, held: 0, findings: Vec::new() };
    // A name may be set after where a loop uses it: looked at until nothing grows any more. Weights that grow
    // for ever soon pass the limit, which ends it.
    while checker.changed {
        checker.changed = false;
        checker.findings.clear();
        checker.held = 0;
        checker.statement(&tree);
        if checker.findings.iter().any(|(_, problem)| problem.code == "GROWS") {
            break;
        }
    }
    if checker.findings.is_empty() { Ok(()) } else { Err(checker.findings) }
}

struct Checker<'a> {
    known: BTreeMap<&'a str, Shape>,
    changed: bool,
    /// Weight of all values that are kept under names.
    held: u32,
    findings: Vec<Finding>,
}

impl<'a> Checker<'a> {
    fn find(&mut self, span: Span, problem: Problem) {
        self.findings.push((span.start_offset as usize, problem));
    }

    fn statements(&mut self, statements: &'a [Stmt<'a>]) {
        for statement in statements {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &'a Stmt<'a>) {
        match statement {
            Stmt::Template(template) => self.statements(&template.children),
            Stmt::EmitRaw(_) => {}
            Stmt::EmitExpr(emit) => self.look(&emit.expr),
            Stmt::ForLoop(each) => {
                if each.recursive {
                    self.find(each.span(), Problem::new("NOT_ALLOWED", "loops cannot be recursive"));
                }
                let shape = self.expression(&each.iter);
                self.assign(&each.target, Shape { number: false, ..shape });
                each.filter_expr.iter().for_each(|filter| self.look(filter));
                self.statements(&each.body);
                self.statements(&each.else_body);
            }
            Stmt::IfCond(branch) => {
                self.expression(&branch.expr);
                self.statements(&branch.true_body);
                self.statements(&branch.false_body);
            }
            Stmt::WithBlock(with) => {
                with.assignments.iter().for_each(|(target, value)| self.keep(target, value));
                self.statements(&with.body);
            }
            Stmt::Set(set) => self.keep(&set.target, &set.expr),
            Stmt::SetBlock(block) => {
                let hint = "`{% set name = value %}` sets a value";
                self.find(block.span(), Problem::new("NOT_ALLOWED", "a `set` cannot hold a block").hint(hint));
            }
            Stmt::AutoEscape(block) => self.find(block.span(), Problem::new("NOT_ALLOWED", "escaping cannot be changed")),
            Stmt::FilterBlock(block) => {
                self.find(block.span(), Problem::new("NOT_ALLOWED", "a block cannot be filtered").hint("filter each value: `{{ value | filter }}`"));
            }
            Stmt::Do(call) => self.find(call.span(), Problem::new("NOT_ALLOWED", "there is no `do`")),
        }
    }

    /// A value is kept under a name. What is worked out is a copy and takes memory; a mere path is shared.
    fn keep(&mut self, target: &'a Expr<'a>, value: &'a Expr<'a>) {
        let shape = self.expression(value);
        if !matches!(value, Expr::Var(_) | Expr::GetAttr(_) | Expr::GetItem(_) | Expr::Const(_)) && !shape.number {
            self.held = self.held.saturating_add(shape.weight);
            if self.held > MAX_HELD {
                let problem = Problem::new("GROWS", format!("`set` and `with` keep more than {MAX_HELD} worked out texts"));
                self.find(target.span(), problem.hint("write them where they are needed"));
            }
        }
        self.assign(target, shape);
    }

    /// A name gets one more value that it may have.
    fn assign(&mut self, target: &'a Expr<'a>, shape: Shape) {
        match target {
            Expr::Var(var) if matches!(var.id, "bongsu" | "loop" | "self") => {
                self.find(var.span(), Problem::new("NOT_ALLOWED", format!("`{}` cannot be set", var.id)));
            }
            Expr::Var(var) => {
                let merged = self.known.get(var.id).map_or(shape, |known| known.either(shape));
                if self.known.insert(var.id, merged) != Some(merged) {
                    self.changed = true;
                }
            }
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.assign(item, Shape { number: false, ..shape })),
            Expr::List(list) => list.items.iter().for_each(|item| self.assign(item, Shape { number: false, ..shape })),
            other => self.find(other.span(), Problem::new("NOT_ALLOWED", "only a name can be set")),
        }
    }

    /// An expression whose value is kept nowhere.
    fn look(&mut self, expression: &'a Expr<'a>) {
        self.expression(expression);
    }

    fn expression(&mut self, expression: &'a Expr<'a>) -> Shape {
        match expression {
            Expr::Const(constant) => Shape { number: constant.value.kind() == ValueKind::Number, weight: 1 },
            Expr::Var(var) => self.variable(var.id, var.span()),
            Expr::GetAttr(attribute) => {
                if matches!(&attribute.expr, Expr::Var(var) if var.id == "bongsu") && !Here::NAMES.contains(&attribute.name) {
                    let hint = format!("there are {}", Here::NAMES.join(", "));
                    self.find(attribute.span(), Problem::new("UNKNOWN_PARAMETER", format!("`bongsu` has no `{}`", attribute.name)).hint(hint));
                }
                let base = self.expression(&attribute.expr);
                let counts = matches!(attribute.name, "index" | "index0" | "revindex" | "revindex0" | "length" | "depth" | "depth0");
                let number = counts && matches!(&attribute.expr, Expr::Var(var) if var.id == "loop");
                Shape { number, weight: base.weight }
            }
            Expr::GetItem(item) => {
                self.expression(&item.subscript_expr);
                Shape { number: false, ..self.expression(&item.expr) }
            }
            Expr::Slice(slice) => {
                [&slice.start, &slice.stop, &slice.step].into_iter().flatten().for_each(|part| self.look(part));
                Shape { number: false, ..self.expression(&slice.expr) }
            }
            Expr::UnaryOp(unary) => {
                self.expression(&unary.expr);
                if matches!(unary.op, ast::UnaryOpKind::Neg) { Shape::NUMBER } else { Shape::OTHER }
            }
            Expr::BinOp(binary) => self.binary(binary),
            Expr::Compare(compare) => {
                self.expression(&compare.expr);
                compare.ops.iter().for_each(|op| self.look(&op.expr));
                Shape::OTHER
            }
            Expr::IfExpr(choice) => {
                self.expression(&choice.test_expr);
                let yes = self.expression(&choice.true_expr);
                choice.false_expr.as_ref().map_or(Shape { number: false, ..yes }, |no| yes.either(self.expression(no)))
            }
            Expr::Filter(filter) => self.filter(filter),
            Expr::Test(test) => {
                self.known_name("TEST", test.name, TESTS, test.span());
                self.expression(&test.expr);
                self.arguments(&test.args);
                Shape::OTHER
            }
            Expr::Call(call) => self.call(call),
            Expr::List(list) => self.literal(&list.items, list.span()),
            Expr::Tuple(tuple) => self.literal(&tuple.items, tuple.span()),
            Expr::Map(map) => {
                self.find(map.span(), Problem::new("NOT_ALLOWED", "maps cannot be written in expressions"));
                Shape::OTHER
            }
        }
    }

    fn variable(&mut self, name: &'a str, span: minijinja::machinery::Span) -> Shape {
        if let Some(shape) = self.known.get(name) {
            return *shape;
        }
        if !matches!(name, "bongsu" | "loop") {
            let near = nearest(name, self.known.keys().copied());
            let mut problem = Problem::new("UNKNOWN_PARAMETER", format!("there is no parameter `{name}`"));
            problem.hint = Some(near.map_or_else(|| "declare it among the parameters".to_owned(), |near| format!("did you mean `{near}`?")));
            self.find(span, problem);
        }
        Shape::OTHER
    }

    fn binary(&mut self, binary: &'a ast::Spanned<ast::BinOp<'a>>) -> Shape {
        use ast::BinOpKind::{Add, Concat, Div, FloorDiv, Mul, Pow, Rem, ScAnd, ScOr, Sub};
        let (left, right) = (self.expression(&binary.left), self.expression(&binary.right));
        match binary.op {
            Add | Mul | Pow => {
                if !(left.number && right.number) {
                    let problem = Problem::new("NOT_A_NUMBER", "`+` and `*` are for numbers, and one side may be something else");
                    self.find(binary.span(), problem.hint("write `(value | float)` where it is a number; `~` joins texts"));
                }
                Shape::NUMBER
            }
            Sub | Div | FloorDiv | Rem => Shape::NUMBER,
            ScAnd | ScOr => left.either(right),
            Concat => {
                let weight = left.weight.saturating_add(right.weight);
                if weight > MAX_JOINED {
                    self.find(
                        binary.span(),
                        Problem::new("GROWS", format!("more than {MAX_JOINED} texts are joined to one")).hint("write them one after the other"),
                    );
                }
                Shape { number: false, weight }
            }
            _ => Shape::OTHER,
        }
    }

    fn filter(&mut self, filter: &'a ast::Spanned<ast::Filter<'a>>) -> Shape {
        self.known_name("FILTER", filter.name, FILTERS, filter.span());
        let input = filter.expr.as_ref().map_or(Shape::OTHER, |expr| self.expression(expr));
        let arguments = self.arguments(&filter.args);
        Shape { number: filter_gives_number(filter.name), weight: input.weight.max(arguments.weight) }
    }

    fn call(&mut self, call: &'a ast::Spanned<ast::Call<'a>>) -> Shape {
        let cycle = matches!(&call.expr, Expr::GetAttr(method) if method.name == "cycle" && matches!(&method.expr, Expr::Var(var) if var.id == "loop"));
        if !cycle {
            self.find(call.span(), Problem::new("NOT_ALLOWED", "only `loop.cycle(…)` can be called").hint("use a filter: `{{ value | filter }}`"));
        }
        self.arguments(&call.args)
    }

    fn arguments(&mut self, arguments: &'a [ast::CallArg<'a>]) -> Shape {
        arguments.iter().fold(Shape::OTHER, |shape, argument| match argument {
            ast::CallArg::Pos(value) | ast::CallArg::Kwarg(_, value) => Shape { number: false, ..shape.either(self.expression(value)) },
            ast::CallArg::PosSplat(value) | ast::CallArg::KwargSplat(value) => {
                self.find(value.span(), Problem::new("NOT_ALLOWED", "arguments are written one by one"));
                shape
            }
        })
    }

    /// Lists of lists of lists double with each level, so lists are of constants only.
    fn literal(&mut self, items: &'a [Expr<'a>], span: Span) -> Shape {
        if !items.iter().all(|item| matches!(item, Expr::Const(_))) {
            self.find(span, Problem::new("NOT_ALLOWED", "lists in expressions hold constants only"));
        }
        Shape::OTHER
    }

    fn known_name(&mut self, what: &str, name: &str, known: &[&'static str], span: Span) {
        if !known.contains(&name) {
            let (code, word) = if what == "TEST" { ("UNKNOWN_TEST", "test") } else { ("UNKNOWN_FILTER", "filter") };
            let hint = nearest(name, known.iter().copied()).map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
            self.find(span, Problem::new(code, format!("there is no {word} `{name}`")).hint(hint));
        }
    }
}

/// The name that was probably meant: at most two letters away.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    known.map(|candidate| (distance(name, candidate), candidate)).filter(|(far, _)| *far <= 2 && *far < name.len()).min().map(|(_, candidate)| candidate)
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, left) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        let mut next = vec![before];
        for (right, above) in b.iter().zip(row.iter().skip(1)) {
            before = (diagonal + usize::from(left != *right)).min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
