//! The audit of every payable and the signed webhook round trip.
