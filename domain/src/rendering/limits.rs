//! How much templates may be, take and give. No template and no data can take the service down.
//!
//! Fuel bounds what the engine does, not what a step of it costs: fuel times the data's size bounds that.
//! Memory is bounded by what expressions cannot do ([`super::bounds`]), and by these.

/// Bytes of one field's source, and of what it is composed to.
pub const MAX_FIELD: usize = 256 * 1024;
/// Bytes of a whole template's source.
pub const MAX_TEMPLATE: usize = 1024 * 1024;
/// Bytes between the braces of one tag.
pub(super) const MAX_TAG: usize = 2000;
/// Statements within statements.
pub(super) const MAX_NESTING: usize = 32;
/// HTML or MJML elements within each other.
pub(super) const MAX_ELEMENTS_DEEP: usize = 200;
/// `elif`s of one `if`.
pub(super) const MAX_ELIFS: usize = 64;
/// Layouts and partials within each other.
pub(super) const MAX_PARTS_DEEP: usize = 8;
/// How many texts one expression may join, over all `set`s it rests on.
pub(super) const MAX_JOINED: u32 = 32;
/// How many worked out texts `set` and `with` may keep, each counted as often as it joins texts.
pub(super) const MAX_HELD: u32 = 128;
/// Bytes of the parameters, as JSON.
pub const MAX_PARAMETERS: usize = 256 * 1024;
/// Values in the parameters, those within lists and maps too.
pub const MAX_VALUES: usize = 20_000;
/// Levels of lists and maps in the parameters.
pub const MAX_LEVELS: usize = 32;
/// Bytes of HTML that come out.
pub const MAX_HTML: usize = 1024 * 1024;
/// Bytes of any other field that come out.
pub const MAX_OTHER: usize = 64 * 1024;
/// Bytes that one filter gives.
pub(super) const MAX_FILTERED: usize = 256 * 1024;

/// Over how many items all filters of one notification may go.
pub(super) const MAX_SPENT: usize = 2_000_000;
/// How many steps the engine may take for one field, by the most bytes of parameters for which that holds: each
/// step may go over all of them, so that the product bounds the time.
pub(super) const STEPS: [(usize, u64); 3] = [(16 * 1024, 250_000), (64 * 1024, 64_000), (MAX_PARAMETERS, 16_000)];
