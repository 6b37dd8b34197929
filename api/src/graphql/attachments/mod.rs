//! Files that go with notifications: putting them there, referring to them, and getting them.

mod input;
mod object;
mod upload;

pub use input::{AttachmentInput, attached};
pub use object::{AttachmentObject, of_notification};
pub use upload::AttachmentMutation;
