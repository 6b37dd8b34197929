//! One walk over a document: each fragment is measured once and its figures are added wherever it
//! is spread, so the walk is linear while the figures are those of the expanded document.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, FragmentDefinition, OperationDefinition, OperationType, Selection, SelectionSet};
use async_graphql::{Name, Positioned};

use super::{Operation, required_variables};
use crate::graphql::transport::bounds::Bounds;
use crate::graphql::transport::error::{RequestError, code};

/// Figures of a selection set with its fragments expanded.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    selections: usize,
    aliases: usize,
    directives: usize,
    /// Fields at this level, those of spread fragments included.
    fields_here: usize,
    /// Levels of selection sets below, spreads counted as levels.
    height: usize,
    introspects: bool,
    /// A spread or inline fragment stands at this level.
    fragments_here: bool,
}

impl Figures {
    /// Adds what a nested field brings; its level is not ours.
    fn nest(&mut self, inner: Self) {
        self.selections = self.selections.saturating_add(inner.selections);
        self.aliases = self.aliases.saturating_add(inner.aliases);
        self.directives = self.directives.saturating_add(inner.directives);
        self.height = self.height.max(inner.height.saturating_add(1));
    }

    /// Adds what a fragment brings; its fields stand at our level.
    fn inline(&mut self, inner: Self) {
        self.nest(inner);
        self.fields_here = self.fields_here.saturating_add(inner.fields_here);
        self.introspects |= inner.introspects;
    }
}

enum Progress {
    Open,
    Done(Figures),
}

/// The walk and what it remembers.
pub(super) struct Measures<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    document: &'a ExecutableDocument,
    bounds: &'a Bounds,
    seen: HashMap<&'a str, Progress>,
}

impl<'a> Measures<'a> {
    pub fn new(document: &'a ExecutableDocument, bounds: &'a Bounds) -> Self {
        Self { fragments: &document.fragments, document, bounds, seen: HashMap::new() }
    }

    /// Checks the whole document; answers its expanded number of selections.
    pub fn check(&mut self) -> Result<usize, RequestError> {
        let operations = self.document.operations.iter();
        if operations.len() > self.bounds.operations {
            return Err(limit(code::TOO_MANY_OPERATIONS, "operations in a document", self.bounds.operations));
        }
        let mut total = Figures::default();
        for (_, operation) in operations {
            if operation.node.variable_definitions.len() > self.bounds.variables {
                return Err(limit(code::TOO_MANY_VARIABLES, "variables in an operation", self.bounds.variables));
            }
            let figures = self.operation(&operation.node)?;
            total.nest(figures);
            if figures.fields_here > self.bounds.root_fields {
                return Err(limit(code::TOO_MANY_ROOT_FIELDS, "fields at the root of an operation", self.bounds.root_fields));
            }
        }
        // Unused fragments are an error of the schema's validation, which walks them too.
        for name in self.fragments.keys() {
            let before = self.seen.contains_key(name.as_str());
            let figures = self.fragment(name.as_str(), 0)?;
            if !before {
                total.nest(figures);
            }
        }
        let bounds = self.bounds;
        if total.selections > bounds.selections {
            return Err(limit(code::QUERY_TOO_COMPLEX, "selections with fragments expanded", bounds.selections));
        }
        if total.aliases > bounds.aliases {
            return Err(limit(code::TOO_MANY_ALIASES, "aliases", bounds.aliases));
        }
        if total.directives > bounds.directives {
            return Err(limit(code::TOO_MANY_DIRECTIVES, "directives", bounds.directives));
        }
        Ok(total.selections)
    }

    /// What the transport asks about an operation.
    pub fn describe(&mut self, operation: &'a OperationDefinition) -> Result<Operation, RequestError> {
        let figures = self.operation(operation)?;
        // async-graphql streams only fields that stand directly in the subscription, and several
        // at once, both against the specification; so the request is refused rather than half served.
        if operation.ty == OperationType::Subscription && (figures.fragments_here || figures.fields_here != 1) {
            return Err(RequestError::new(code::GRAPHQL_VALIDATION_FAILED, "A subscription must select exactly one field, directly and not by a fragment."));
        }
        Ok(Operation { kind: operation.ty, introspects: figures.introspects, required_variables: required_variables(operation) })
    }

    fn operation(&mut self, operation: &'a OperationDefinition) -> Result<Figures, RequestError> {
        let mut figures = self.set(&operation.selection_set.node, 0)?;
        figures.directives = figures
            .directives
            .saturating_add(operation.directives.len())
            .saturating_add(operation.variable_definitions.iter().map(|definition| definition.node.directives.len()).sum());
        Ok(figures)
    }

    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Figures, RequestError> {
        if level > self.bounds.recursion {
            return Err(too_deep(self.bounds.recursion));
        }
        let mut figures = Figures::default();
        for selection in &set.items {
            figures.selections = figures.selections.saturating_add(1);
            figures.directives = figures.directives.saturating_add(selection.node.directives().len());
            match &selection.node {
                Selection::Field(field) => {
                    figures.aliases += usize::from(field.node.alias.is_some());
                    figures.fields_here = figures.fields_here.saturating_add(1);
                    figures.introspects |= matches!(field.node.name.node.as_str(), "__schema" | "__type");
                    if !field.node.selection_set.node.items.is_empty() {
                        figures.nest(self.set(&field.node.selection_set.node, level + 1)?);
                    }
                }
                Selection::InlineFragment(inline) => {
                    figures.fragments_here = true;
                    figures.inline(self.set(&inline.node.selection_set.node, level + 1)?);
                }
                Selection::FragmentSpread(spread) => {
                    figures.fragments_here = true;
                    figures.inline(self.fragment(spread.node.fragment_name.node.as_str(), level + 1)?);
                }
            }
            // A remembered fragment was measured from another level.
            if level.saturating_add(figures.height) > self.bounds.recursion {
                return Err(too_deep(self.bounds.recursion));
            }
        }
        Ok(figures)
    }

    fn fragment(&mut self, name: &str, level: usize) -> Result<Figures, RequestError> {
        // Unknown fragments are for the schema's validation to name.
        let Some((name, definition)) = self.fragments.get_key_value(name) else {
            return Ok(Figures::default());
        };
        match self.seen.get(name.as_str()) {
            Some(Progress::Done(figures)) => return Ok(*figures),
            Some(Progress::Open) => {
                return Err(RequestError::new(code::GRAPHQL_VALIDATION_FAILED, "A fragment spreads itself, directly or through others; break the circle."));
            }
            None => {}
        }
        self.seen.insert(name.as_str(), Progress::Open);
        let mut figures = self.set(&definition.node.selection_set.node, level)?;
        figures.directives = figures.directives.saturating_add(definition.node.directives.len());
        self.seen.insert(name.as_str(), Progress::Done(figures));
        Ok(figures)
    }
}

fn limit(code: &'static str, what: &str, bound: usize) -> RequestError {
    RequestError::new(code, format!("A request may have {bound} {what}; ask for less at once."))
}

pub(super) fn too_deep(bound: usize) -> RequestError {
    RequestError::new(code::QUERY_TOO_DEEP, format!("A query may nest {bound} levels; ask for less at once."))
}
