//! What Bongsu does, told as its users would see it.

mod delivering;
